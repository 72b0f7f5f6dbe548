import { readData, writeData } from './data.js';
import type { ExpressionCodec } from './expression-codec.js';
import type { Register } from './register.js';

/** Goes on only when `from <= register <= to` in network order (`eq`), or not so (`neq`). */
export interface Range {
  readonly type: 'range';
  readonly op: 'eq' | 'neq';
  readonly sreg: Register;
  readonly from: Uint8Array;
  readonly to: Uint8Array;
}

export function range(op: 'eq' | 'neq', sreg: Register, bounds: { from: Uint8Array; to: Uint8Array }): Range {
  return { type: 'range', op, sreg, from: bounds.from, to: bounds.to };
}

// include/uapi/linux/netfilter/nf_tables.h: enum nft_range_attributes, nft_range_ops.
const NFTA_RANGE_SREG = 1;
const NFTA_RANGE_OP = 2;
const NFTA_RANGE_FROM_DATA = 3;
const NFTA_RANGE_TO_DATA = 4;
const OPS = ['eq', 'neq'] as const;

export const rangeCodec: ExpressionCodec<Range> = {
  name: 'range',
  attributes: [NFTA_RANGE_SREG, NFTA_RANGE_OP, NFTA_RANGE_FROM_DATA, NFTA_RANGE_TO_DATA],
  encode(expression, into) {
    into.u32BE(NFTA_RANGE_SREG, expression.sreg);
    into.u32BE(NFTA_RANGE_OP, OPS.indexOf(expression.op));
    writeData(into, NFTA_RANGE_FROM_DATA, expression.from);
    writeData(into, NFTA_RANGE_TO_DATA, expression.to);
  },
  decode(attributes) {
    const sreg = attributes.u32BE(NFTA_RANGE_SREG);
    const op = OPS[attributes.u32BE(NFTA_RANGE_OP) ?? OPS.length];
    const from = readData(attributes, NFTA_RANGE_FROM_DATA);
    const to = readData(attributes, NFTA_RANGE_TO_DATA);
    if (sreg === undefined || op === undefined || from === undefined || to === undefined) return undefined;
    return range(op, sreg, { from, to });
  },
  print(expression, text) {
    const operand = text.operand(expression.sreg);
    const sense = expression.op === 'neq' ? ' !=' : '';
    text.say(`${operand.text}${sense} ${operand.print(expression.from, expression.to)}`);
  },
};
