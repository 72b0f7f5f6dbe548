import type { ExpressionCodec } from './expression-codec.js';
import { payloadOperand } from './payload-fields.js';
import type { Register } from './register.js';

export type PayloadBase = 'link' | 'network' | 'transport' | 'inner';

/** Loads packet bytes, counted from the start of a header. */
export interface Payload {
  readonly type: 'payload';
  readonly base: PayloadBase;
  readonly offset: number;
  readonly length: number;
  readonly dreg: Register;
}

export function payload(base: PayloadBase, offset: number, length: number, dreg: Register): Payload {
  return { type: 'payload', base, offset, length, dreg };
}

// include/uapi/linux/netfilter/nf_tables.h: enum nft_payload_attributes, nft_payload_bases.
const NFTA_PAYLOAD_DREG = 1;
const NFTA_PAYLOAD_BASE = 2;
const NFTA_PAYLOAD_OFFSET = 3;
const NFTA_PAYLOAD_LEN = 4;
const BASES: readonly PayloadBase[] = ['link', 'network', 'transport', 'inner'];

export const payloadCodec: ExpressionCodec<Payload> = {
  name: 'payload',
  attributes: [NFTA_PAYLOAD_DREG, NFTA_PAYLOAD_BASE, NFTA_PAYLOAD_OFFSET, NFTA_PAYLOAD_LEN],
  encode(expression, into) {
    into.u32BE(NFTA_PAYLOAD_DREG, expression.dreg);
    into.u32BE(NFTA_PAYLOAD_BASE, BASES.indexOf(expression.base));
    into.u32BE(NFTA_PAYLOAD_OFFSET, expression.offset);
    into.u32BE(NFTA_PAYLOAD_LEN, expression.length);
  },
  decode(attributes) {
    const dreg = attributes.u32BE(NFTA_PAYLOAD_DREG);
    const base = BASES[attributes.u32BE(NFTA_PAYLOAD_BASE) ?? BASES.length];
    const offset = attributes.u32BE(NFTA_PAYLOAD_OFFSET);
    const length = attributes.u32BE(NFTA_PAYLOAD_LEN);
    if (dreg === undefined || base === undefined || offset === undefined || length === undefined) return undefined;
    return payload(base, offset, length, dreg);
  },
  print(expression, text) {
    text.load(expression.dreg, payloadOperand(expression, text));
  },
};
