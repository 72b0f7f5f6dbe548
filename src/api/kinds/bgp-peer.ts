import * as v from 'valibot';
import type { Issue } from '../../base/errors.js';
import { tryParseAddress } from '../../net/address.js';
import { address, asNumber, duration, integer, secretReference, selector, textField } from '../fields.js';
import { ruleIssue } from '../issues.js';
import { defineKind, type ResourceOf } from '../meta.js';

/** Address and port of a peer as written: `192.0.2.1`, `192.0.2.1:1790`, `[2001:db8::1]:1790`; undefined for other text. */
export function parsePeerAddress(text: string): { readonly address: string; readonly port?: number } | undefined {
  if (tryParseAddress(text) !== undefined) return { address: text };
  const [, inBrackets, bare, port] = /^(?:\[([^\]]+)\]|([^:[\]]+)):(\d{1,5})$/.exec(text) ?? [];
  const address = inBrackets ?? bare ?? '';
  const family = tryParseAddress(address)?.family;
  const fits = family === (inBrackets === undefined ? 4 : 6) && Number(port) >= 1 && Number(port) <= 65535;
  return fits ? { address, port: Number(port) } : undefined;
}

function peerAddress() {
  return textField('an address, address:port or [address]:port', (text) =>
    parsePeerAddress(text) === undefined ? `"${text}" is not an address, address:port or [address]:port` : undefined,
  );
}

interface PeerSpec {
  readonly node?: string;
  readonly nodeSelector?: string;
  readonly peerIP?: string;
  readonly asNumber?: number;
  readonly peerSelector?: string;
  readonly localWorkloadSelector?: string;
  readonly keepOriginalNextHop?: boolean;
  readonly nextHopMode?: string;
  readonly reachableBy?: string;
}

/** Pairs that exclude each other. */
const EXCLUSIVE: readonly (readonly [keyof PeerSpec, keyof PeerSpec])[] = [
  ['nodeSelector', 'node'],
  ['peerSelector', 'peerIP'],
  ['asNumber', 'peerSelector'],
  ['localWorkloadSelector', 'peerIP'],
  ['localWorkloadSelector', 'peerSelector'],
  ['nextHopMode', 'keepOriginalNextHop'],
];

function peerIssues(spec: PeerSpec): Issue[] {
  const isSet = (field: keyof PeerSpec) => spec[field] !== undefined && spec[field] !== '' && spec[field] !== false;
  const issues = EXCLUSIVE.filter(([field, other]) => isSet(field) && isSet(other)).map(([field, other]) =>
    ruleIssue(`spec.${field}`, `it excludes ${other}: give one of the two`),
  );
  if (isSet('localWorkloadSelector') && spec.asNumber === undefined) {
    issues.push(ruleIssue('spec.asNumber', 'it is missing: localWorkloadSelector needs it'));
  }
  if (spec.reachableBy !== undefined) {
    const peer = parsePeerAddress(spec.peerIP ?? '')?.address;
    if (peer === undefined) issues.push(ruleIssue('spec.reachableBy', 'it needs peerIP'));
    else if (peer.includes(':') !== spec.reachableBy.includes(':')) {
      issues.push(ruleIssue('spec.reachableBy', `"${spec.reachableBy}" is of the other IP version than peerIP`));
    }
  }
  return issues;
}

export const bgpPeer = defineKind({
  kind: 'BGPPeer',
  plural: 'bgppeers',
  namespaced: false,
  aliases: ['bgpp', 'bgpps', 'bp', 'bps'],
  spec: v.strictObject({
    node: v.exactOptional(v.string()),
    nodeSelector: v.exactOptional(selector()),
    peerIP: v.exactOptional(peerAddress()),
    asNumber: v.exactOptional(asNumber()),
    localASNumber: v.exactOptional(asNumber()),
    peerSelector: v.exactOptional(selector()),
    localWorkloadSelector: v.exactOptional(selector()),
    keepOriginalNextHop: v.exactOptional(v.boolean()),
    nextHopMode: v.exactOptional(v.picklist(['Auto', 'Self', 'Keep'])),
    password: v.exactOptional(secretReference()),
    sourceAddress: v.exactOptional(v.picklist(['UseNodeIP', 'None'])),
    maxRestartTime: v.exactOptional(duration()),
    keepaliveTime: v.exactOptional(duration()),
    numAllowedLocalASNumbers: v.exactOptional(integer(0, 2147483647)),
    ttlSecurity: v.exactOptional(integer(0, 255)),
    reachableBy: v.exactOptional(address()),
    filters: v.exactOptional(v.array(v.string())),
    reversePeering: v.exactOptional(v.picklist(['Auto', 'Manual'])),
  }),
  crossFieldRules: ({ spec }) => peerIssues(spec),
  examples: {
    valid: { metadata: { name: 'rack-1' }, spec: { peerIP: '192.0.2.254', asNumber: 64513 } },
    wrong: {
      metadata: { name: 'rack-1' },
      spec: { node: 'calico-01', nodeSelector: 'all()', peerIP: '192.0.2.254', asNumber: 64513 },
      message: 'spec.nodeSelector: it excludes node: give one of the two',
    },
  },
});

export type BGPPeer = ResourceOf<typeof bgpPeer>;
