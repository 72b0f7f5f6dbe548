import type { ExpressionCodec } from './expression-codec.js';
import { metaOperand } from './meta-operands.js';
import { operandText } from './rule-text.js';
import type { Register } from './register.js';

/** Facts about a packet that are not in it, by nft's names (`enum nft_meta_keys`). */
export type MetaKey =
  | 'length'
  | 'protocol'
  | 'priority'
  | 'mark'
  | 'iif'
  | 'oif'
  | 'iifname'
  | 'oifname'
  | 'iiftype'
  | 'oiftype'
  | 'skuid'
  | 'skgid'
  | 'nftrace'
  | 'nfproto'
  | 'l4proto'
  | 'pkttype'
  | 'cpu'
  | 'iifgroup'
  | 'oifgroup'
  | 'iifkind'
  | 'oifkind';

/** Loads a fact. */
export interface Meta {
  readonly type: 'meta';
  readonly key: MetaKey;
  readonly dreg: Register;
}

/** Changes a fact; in practice the mark or nftrace. */
export interface MetaSet {
  readonly type: 'meta-set';
  readonly key: MetaKey;
  readonly sreg: Register;
}

export function meta(key: MetaKey, dreg: Register): Meta {
  return { type: 'meta', key, dreg };
}

export function metaSet(key: MetaKey, sreg: Register): MetaSet {
  return { type: 'meta-set', key, sreg };
}

// include/uapi/linux/netfilter/nf_tables.h: enum nft_meta_attributes, nft_meta_keys.
const NFTA_META_DREG = 1;
const NFTA_META_KEY = 2;
const NFTA_META_SREG = 3;
const KEYS: Readonly<Record<MetaKey, number>> = {
  length: 0,
  protocol: 1,
  priority: 2,
  mark: 3,
  iif: 4,
  oif: 5,
  iifname: 6,
  oifname: 7,
  iiftype: 8,
  oiftype: 9,
  skuid: 10,
  skgid: 11,
  nftrace: 12,
  nfproto: 15,
  l4proto: 16,
  pkttype: 19,
  cpu: 20,
  iifgroup: 21,
  oifgroup: 22,
  iifkind: 26,
  oifkind: 27,
};
const NAMES: ReadonlyMap<number, MetaKey> = new Map(
  Object.entries(KEYS).map(([name, number]) => [number, name as MetaKey]),
);

export const metaCodec: ExpressionCodec<Meta | MetaSet> = {
  name: 'meta',
  attributes: [NFTA_META_DREG, NFTA_META_KEY, NFTA_META_SREG],
  encode(expression, into) {
    into.u32BE(NFTA_META_KEY, KEYS[expression.key]);
    if (expression.type === 'meta') into.u32BE(NFTA_META_DREG, expression.dreg);
    else into.u32BE(NFTA_META_SREG, expression.sreg);
  },
  decode(attributes) {
    const key = NAMES.get(attributes.u32BE(NFTA_META_KEY) ?? -1);
    const dreg = attributes.u32BE(NFTA_META_DREG);
    const sreg = attributes.u32BE(NFTA_META_SREG);
    if (key === undefined || (dreg === undefined) === (sreg === undefined)) return undefined;
    if (dreg !== undefined) return meta(key, dreg);
    return sreg === undefined ? undefined : metaSet(key, sreg);
  },
  print(expression, text) {
    const operand = metaOperand(expression.key);
    if (expression.type === 'meta') {
      text.load(expression.dreg, operand);
      return;
    }
    const value = text.operand(expression.sreg);
    const printed = value.constant === undefined ? operandText(value) : operand.print(value.constant);
    text.act(`meta ${expression.key} set ${printed}`);
  },
};
