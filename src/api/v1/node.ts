import * as v from 'valibot';
import { canonicalPrefix } from '../../net/prefix.js';
import { asNumber, cidrOrAddress } from '../fields.js';
import { ruleIssue } from '../issues.js';
import { defineV1Kind } from './kind.js';
import { convertNodeName } from './names.js';
import { given } from './rules.js';

interface BgpOfV1 {
  readonly ipv4Address?: string;
  readonly ipv6Address?: string;
}

/** Addresses have their prefix length, always: `192.0.2.1/32`. */
function convertBgp(bgp: BgpOfV1): object {
  const { ipv4Address, ipv6Address } = bgp;
  return {
    ...bgp,
    ...(ipv4Address === undefined ? {} : { ipv4Address: canonicalPrefix(ipv4Address) }),
    ...(ipv6Address === undefined ? {} : { ipv6Address: canonicalPrefix(ipv6Address) }),
  };
}

export const nodeOfV1 = defineV1Kind({
  kind: 'node',
  becomes: 'Node',
  metadata: v.strictObject({ name: v.string() }),
  spec: v.strictObject({
    bgp: v.exactOptional(
      v.strictObject({
        asNumber: v.exactOptional(asNumber()),
        ipv4Address: v.exactOptional(cidrOrAddress()),
        ipv6Address: v.exactOptional(cidrOrAddress()),
      }),
    ),
    orchRefs: v.exactOptional(
      v.array(v.strictObject({ nodeName: v.exactOptional(v.string()), orchestrator: v.string() })),
    ),
  }),
  convert({ metadata, spec: { bgp, orchRefs } }) {
    if (bgp !== undefined && bgp.ipv4Address === undefined && bgp.ipv6Address === undefined) {
      return {
        refusals: [
          ruleIssue('spec.bgp', 'no BGP IP address and subnet specified', 'give ipv4Address, or leave out bgp'),
        ],
      };
    }
    return {
      metadata: { name: convertNodeName(metadata.name) },
      spec: given({ bgp: bgp === undefined ? undefined : convertBgp(bgp), orchRefs }),
    };
  },
});
