import { readData, readVerdict, writeData, writeVerdict } from './data.js';
import type { ExpressionCodec } from './expression-codec.js';
import { printVerdict } from '../verdict.js';
import { opaque } from './rule-text.js';
import type { Verdict } from '../verdict.js';
import { type Register, VERDICT_REGISTER } from './register.js';

/** Puts a constant in a register. */
export interface Immediate {
  readonly type: 'immediate';
  readonly dreg: Register;
  readonly data: Uint8Array;
}

/** Ends the rule with a verdict. */
export interface VerdictExpression {
  readonly type: 'verdict';
  readonly verdict: Verdict;
}

export function immediate(dreg: Register, data: Uint8Array): Immediate {
  return { type: 'immediate', dreg, data };
}

export function verdictExpression(verdict: Verdict): VerdictExpression {
  return { type: 'verdict', verdict };
}

// include/uapi/linux/netfilter/nf_tables.h: enum nft_immediate_attributes.
const NFTA_IMMEDIATE_DREG = 1;
const NFTA_IMMEDIATE_DATA = 2;

export const immediateCodec: ExpressionCodec<Immediate | VerdictExpression> = {
  name: 'immediate',
  attributes: [NFTA_IMMEDIATE_DREG, NFTA_IMMEDIATE_DATA],
  encode(expression, into) {
    if (expression.type === 'verdict') {
      into.u32BE(NFTA_IMMEDIATE_DREG, VERDICT_REGISTER);
      writeVerdict(into, NFTA_IMMEDIATE_DATA, expression.verdict);
    } else {
      into.u32BE(NFTA_IMMEDIATE_DREG, expression.dreg);
      writeData(into, NFTA_IMMEDIATE_DATA, expression.data);
    }
  },
  decode(attributes) {
    const dreg = attributes.u32BE(NFTA_IMMEDIATE_DREG);
    if (dreg === VERDICT_REGISTER) {
      const verdict = readVerdict(attributes, NFTA_IMMEDIATE_DATA);
      return verdict === undefined ? undefined : verdictExpression(verdict);
    }
    const data = readData(attributes, NFTA_IMMEDIATE_DATA);
    return dreg === undefined || data === undefined ? undefined : immediate(dreg, data);
  },
  print(expression, text) {
    if (expression.type === 'verdict') text.say(printVerdict(expression.verdict));
    else text.load(expression.dreg, { ...opaque('', expression.data.length), constant: expression.data });
  },
};
