import * as v from 'valibot';
import { type Address, formatAddress, tryParseAddress } from '../../net/address.js';
import { address, asNumber } from '../fields.js';
import { ruleIssue } from '../issues.js';
import { defineV1Kind } from './kind.js';
import { addressName, convertNodeName } from './names.js';
import { given } from './rules.js';

/** `::ffff:192.0.2.1` is 192.0.2.1 (RFC 4291, section 2.5.5.2). */
function unmapped(peer: Address): Address {
  if (peer.family === 4) return peer;
  const [first, second, third, last] = peer.words;
  return first === 0 && second === 0 && third === 0xffff ? { family: 4, value: last } : peer;
}

export const bgpPeerOfV1 = defineV1Kind({
  kind: 'bgpPeer',
  becomes: 'BGPPeer',
  metadata: v.strictObject({
    scope: v.picklist(['global', 'node']),
    node: v.exactOptional(v.string()),
    peerIP: address(),
  }),
  spec: v.strictObject({ asNumber: v.exactOptional(asNumber()) }),
  convert({ metadata: { scope, node = '', peerIP }, spec }) {
    const parsed = tryParseAddress(peerIP);
    if (parsed === undefined) {
      return { refusals: [ruleIssue('metadata.peerIP', `"${peerIP}" is not an IP address`)] };
    }
    if (scope === 'global') {
      if (node !== '') {
        return { refusals: [ruleIssue('metadata.node', `"${node}" stands beside scope global: give one of the two`)] };
      }
    } else if (convertNodeName(node) === '') {
      return { refusals: [ruleIssue('metadata.node', 'it is missing: scope node needs it')] };
    }
    const peer = unmapped(parsed);
    const host = scope === 'node' ? convertNodeName(node) : undefined;
    return {
      metadata: { name: host === undefined ? addressName(peer) : `${host}.${addressName(peer)}` },
      spec: given({ node: host, peerIP: formatAddress(peer), asNumber: spec.asNumber }),
    };
  },
});
