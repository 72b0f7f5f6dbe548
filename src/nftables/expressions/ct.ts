import { ctOperand } from './ct-operands.js';
import type { ExpressionCodec } from './expression-codec.js';
import { operandText } from './rule-text.js';
import type { Register } from './register.js';

/** Facts of the packet's connection, by nft's names (`enum nft_ct_keys`). */
export type CtKey =
  | 'state'
  | 'direction'
  | 'status'
  | 'mark'
  | 'expiration'
  | 'helper'
  | 'l3proto'
  | 'saddr'
  | 'daddr'
  | 'protocol'
  | 'proto-src'
  | 'proto-dst'
  | 'zone'
  | 'id';

/** Loads a fact; `direction` only for keys that differ by direction. */
export interface Ct {
  readonly type: 'ct';
  readonly key: CtKey;
  readonly dreg: Register;
  readonly direction?: 'original' | 'reply';
}

/** Changes a fact; in practice the connection's mark or zone. */
export interface CtSet {
  readonly type: 'ct-set';
  readonly key: CtKey;
  readonly sreg: Register;
}

export function ct(key: CtKey, dreg: Register): Ct {
  return { type: 'ct', key, dreg };
}

export function ctSet(key: CtKey, sreg: Register): CtSet {
  return { type: 'ct-set', key, sreg };
}

// include/uapi/linux/netfilter/nf_tables.h: enum nft_ct_attributes, nft_ct_keys.
const NFTA_CT_DREG = 1;
const NFTA_CT_KEY = 2;
const NFTA_CT_DIRECTION = 3;
const NFTA_CT_SREG = 4;
const KEYS: Readonly<Record<CtKey, number>> = {
  state: 0,
  direction: 1,
  status: 2,
  mark: 3,
  expiration: 5,
  helper: 6,
  l3proto: 7,
  saddr: 8,
  daddr: 9,
  protocol: 10,
  'proto-src': 11,
  'proto-dst': 12,
  zone: 17,
  id: 23,
};
const NAMES: ReadonlyMap<number, CtKey> = new Map(
  Object.entries(KEYS).map(([name, number]) => [number, name as CtKey]),
);
const DIRECTIONS = ['original', 'reply'] as const;

export const ctCodec: ExpressionCodec<Ct | CtSet> = {
  name: 'ct',
  attributes: [NFTA_CT_DREG, NFTA_CT_KEY, NFTA_CT_DIRECTION, NFTA_CT_SREG],
  encode(expression, into) {
    into.u32BE(NFTA_CT_KEY, KEYS[expression.key]);
    if (expression.type === 'ct-set') {
      into.u32BE(NFTA_CT_SREG, expression.sreg);
      return;
    }
    into.u32BE(NFTA_CT_DREG, expression.dreg);
    if (expression.direction !== undefined) into.u8(NFTA_CT_DIRECTION, DIRECTIONS.indexOf(expression.direction));
  },
  decode(attributes) {
    const key = NAMES.get(attributes.u32BE(NFTA_CT_KEY) ?? -1);
    const dreg = attributes.u32BE(NFTA_CT_DREG);
    const sreg = attributes.u32BE(NFTA_CT_SREG);
    const directionNumber = attributes.u8(NFTA_CT_DIRECTION);
    const direction = directionNumber === undefined ? undefined : DIRECTIONS[directionNumber];
    if (key === undefined || (dreg === undefined) === (sreg === undefined)) return undefined;
    if (directionNumber !== undefined && (direction === undefined || dreg === undefined)) return undefined;
    if (dreg === undefined) return sreg === undefined ? undefined : ctSet(key, sreg);
    return direction === undefined ? ct(key, dreg) : { type: 'ct', key, dreg, direction };
  },
  print(expression, text) {
    if (expression.type === 'ct') {
      text.load(expression.dreg, ctOperand(expression.key, expression.direction));
      return;
    }
    const value = text.operand(expression.sreg);
    const operand = ctOperand(expression.key, undefined);
    const printed = value.constant === undefined ? operandText(value) : operand.print(value.constant);
    text.act(`ct ${expression.key} set ${printed}`);
  },
};
