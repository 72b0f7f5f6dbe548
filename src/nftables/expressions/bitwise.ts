import { readData, writeData } from './data.js';
import type { ExpressionCodec } from './expression-codec.js';
import type { Register } from './register.js';

/** `dreg = (sreg & mask) ^ xor`. */
export interface Bitwise {
  readonly type: 'bitwise';
  readonly sreg: Register;
  readonly dreg: Register;
  readonly mask: Uint8Array;
  readonly xor: Uint8Array;
}

/** In place. */
export function bitwise(register: Register, mask: Uint8Array, xor: Uint8Array): Bitwise {
  return { type: 'bitwise', sreg: register, dreg: register, mask, xor };
}

// include/uapi/linux/netfilter/nf_tables.h: enum nft_bitwise_attributes, nft_bitwise_ops.
const NFTA_BITWISE_SREG = 1;
const NFTA_BITWISE_DREG = 2;
const NFTA_BITWISE_LEN = 3;
const NFTA_BITWISE_MASK = 4;
const NFTA_BITWISE_XOR = 5;
const NFTA_BITWISE_OP = 6;
const NFT_BITWISE_MASK_XOR = 0;

export const bitwiseCodec: ExpressionCodec<Bitwise> = {
  name: 'bitwise',
  attributes: [
    NFTA_BITWISE_SREG,
    NFTA_BITWISE_DREG,
    NFTA_BITWISE_LEN,
    NFTA_BITWISE_MASK,
    NFTA_BITWISE_XOR,
    NFTA_BITWISE_OP,
  ],
  encode(expression, into) {
    into.u32BE(NFTA_BITWISE_SREG, expression.sreg);
    into.u32BE(NFTA_BITWISE_DREG, expression.dreg);
    into.u32BE(NFTA_BITWISE_LEN, expression.mask.length);
    writeData(into, NFTA_BITWISE_MASK, expression.mask);
    writeData(into, NFTA_BITWISE_XOR, expression.xor);
  },
  decode(attributes) {
    const sreg = attributes.u32BE(NFTA_BITWISE_SREG);
    const dreg = attributes.u32BE(NFTA_BITWISE_DREG);
    const mask = readData(attributes, NFTA_BITWISE_MASK);
    const xor = readData(attributes, NFTA_BITWISE_XOR);
    const isMaskXor = (attributes.u32BE(NFTA_BITWISE_OP) ?? NFT_BITWISE_MASK_XOR) === NFT_BITWISE_MASK_XOR;
    if (sreg === undefined || dreg === undefined || mask === undefined || xor === undefined) return undefined;
    const isWhole = attributes.u32BE(NFTA_BITWISE_LEN) === mask.length && mask.length === xor.length;
    return isMaskXor && isWhole ? { type: 'bitwise', sreg, dreg, mask, xor } : undefined;
  },
  print(expression, text) {
    text.load(expression.dreg, { ...text.operand(expression.sreg), mask: expression.mask, xor: expression.xor });
  },
};
