import type { ExpressionCodec } from './expression-codec.js';

/** Counts packets and bytes in the rule itself; lost when the rule goes. */
export interface CounterExpression {
  readonly type: 'counter';
  readonly packets: bigint;
  readonly bytes: bigint;
}

export function counterExpression(): CounterExpression {
  return { type: 'counter', packets: 0n, bytes: 0n };
}

// include/uapi/linux/netfilter/nf_tables.h: enum nft_counter_attributes. The same for named counters.
export const NFTA_COUNTER_BYTES = 1;
export const NFTA_COUNTER_PACKETS = 2;
const NFTA_COUNTER_PAD = 3;

export const counterCodec: ExpressionCodec<CounterExpression> = {
  name: 'counter',
  attributes: [NFTA_COUNTER_BYTES, NFTA_COUNTER_PACKETS, NFTA_COUNTER_PAD],
  encode(expression, into) {
    into.u64BE(NFTA_COUNTER_BYTES, expression.bytes);
    into.u64BE(NFTA_COUNTER_PACKETS, expression.packets);
  },
  decode(attributes) {
    const bytes = attributes.u64BE(NFTA_COUNTER_BYTES);
    const packets = attributes.u64BE(NFTA_COUNTER_PACKETS);
    return bytes === undefined || packets === undefined ? undefined : { type: 'counter', packets, bytes };
  },
  print(expression, text) {
    text.act(text.stateful ? `counter packets ${expression.packets} bytes ${expression.bytes}` : 'counter');
  },
};
