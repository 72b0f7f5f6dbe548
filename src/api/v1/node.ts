import * as v from 'valibot';
import { formatPrefix, tryParsePrefix } from '../../net/prefix.js';
import { asNumber, cidrOrAddress } from '../fields.js';
import { ruleIssue } from '../issues.js';
import { defineV1Kind } from './kind.js';
import { convertNodeName } from './names.js';
import { given } from './rules.js';

/** With its prefix length, always: `192.0.2.1/32`. */
function withLength(text: string | undefined): string | undefined {
  const prefix = text === undefined ? undefined : tryParsePrefix(text);
  return prefix === undefined ? text : formatPrefix(prefix);
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
    const converted =
      bgp === undefined
        ? undefined
        : given({ ...bgp, ipv4Address: withLength(bgp.ipv4Address), ipv6Address: withLength(bgp.ipv6Address) });
    return { metadata: { name: convertNodeName(metadata.name) }, spec: given({ bgp: converted, orchRefs }) };
  },
});
