import { readData, writeData } from './data.js';
import type { ExpressionCodec } from './expression-codec.js';
import { printComparison } from './print-comparison.js';
import type { Register } from './register.js';

export type CmpOp = 'eq' | 'neq' | 'lt' | 'lte' | 'gt' | 'gte';

/** Goes on only when the register's first bytes compare so with `data`. */
export interface Cmp {
  readonly type: 'cmp';
  readonly op: CmpOp;
  readonly sreg: Register;
  readonly data: Uint8Array;
}

export function cmp(op: CmpOp, sreg: Register, data: Uint8Array): Cmp {
  return { type: 'cmp', op, sreg, data };
}

// include/uapi/linux/netfilter/nf_tables.h: enum nft_cmp_attributes, nft_cmp_ops.
const NFTA_CMP_SREG = 1;
const NFTA_CMP_OP = 2;
const NFTA_CMP_DATA = 3;
const OPS: readonly CmpOp[] = ['eq', 'neq', 'lt', 'lte', 'gt', 'gte'];

export const cmpCodec: ExpressionCodec<Cmp> = {
  name: 'cmp',
  attributes: [NFTA_CMP_SREG, NFTA_CMP_OP, NFTA_CMP_DATA],
  encode(expression, into) {
    into.u32BE(NFTA_CMP_SREG, expression.sreg);
    into.u32BE(NFTA_CMP_OP, OPS.indexOf(expression.op));
    writeData(into, NFTA_CMP_DATA, expression.data);
  },
  decode(attributes) {
    const sreg = attributes.u32BE(NFTA_CMP_SREG);
    const op = OPS[attributes.u32BE(NFTA_CMP_OP) ?? OPS.length];
    const data = readData(attributes, NFTA_CMP_DATA);
    return sreg === undefined || op === undefined || data === undefined ? undefined : cmp(op, sreg, data);
  },
  print: printComparison,
};
