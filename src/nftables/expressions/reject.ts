import type { ExpressionCodec } from './expression-codec.js';
import type { RuleText } from './rule-text.js';

/** Drops and tells the sender. `icmpx` chooses ICMP or ICMPv6 by the packet, for inet tables. */
export interface Reject {
  readonly type: 'reject';
  readonly with: 'icmp' | 'tcp-reset' | 'icmpx';
  /** Code of `icmp` (of the table's family) or of `icmpx`: 0 no route, 1 port unreachable, 2 host unreachable, 3 admin prohibited. */
  readonly code: number;
}

export function reject(how: Reject['with'], code: number): Reject {
  return { type: 'reject', with: how, code };
}

// include/uapi/linux/netfilter/nf_tables.h: enum nft_reject_attributes, nft_reject_types.
const NFTA_REJECT_TYPE = 1;
const NFTA_REJECT_ICMP_CODE = 2;
const TYPES = ['icmp', 'tcp-reset', 'icmpx'] as const;

/** Codes of each protocol that nft names; the first of each list is code 0. */
const CODES = {
  icmp: ['net-unreachable', 'host-unreachable', 'prot-unreachable', 'port-unreachable'],
  icmpv6: ['no-route', 'admin-prohibited', undefined, 'addr-unreachable', 'port-unreachable'],
  icmpx: ['no-route', 'port-unreachable', 'host-unreachable', 'admin-prohibited'],
} as const;

export const rejectCodec: ExpressionCodec<Reject> = {
  name: 'reject',
  attributes: [NFTA_REJECT_TYPE, NFTA_REJECT_ICMP_CODE],
  encode(expression, into) {
    into.u32BE(NFTA_REJECT_TYPE, TYPES.indexOf(expression.with));
    into.u8(NFTA_REJECT_ICMP_CODE, expression.code);
  },
  decode(attributes) {
    const how = TYPES[attributes.u32BE(NFTA_REJECT_TYPE) ?? TYPES.length];
    return how === undefined ? undefined : reject(how, attributes.u8(NFTA_REJECT_ICMP_CODE) ?? 0);
  },
  print(expression, text) {
    text.act(printReject(expression, text));
  },
};

function printReject(expression: Reject, text: RuleText): string {
  if (expression.with === 'tcp-reset') return 'reject with tcp reset';
  const family = text.network === 6 ? 'icmpv6' : 'icmp';
  const protocol = expression.with === 'icmpx' ? 'icmpx' : family;
  const code = CODES[protocol][expression.code] ?? String(expression.code);
  const isDefault = code === 'port-unreachable' && (protocol === 'icmpx' || text.family !== 'inet');
  return isDefault ? 'reject' : `reject with ${protocol} ${code}`;
}
