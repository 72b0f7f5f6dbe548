import type { ExpressionCodec } from './expression-codec.js';

/** Uses a named object of the rule's table; of the kinds there are, counters. */
export interface ObjectReference {
  readonly type: 'objref';
  readonly object: 'counter';
  readonly name: string;
}

export function counterReference(name: string): ObjectReference {
  return { type: 'objref', object: 'counter', name };
}

// include/uapi/linux/netfilter/nf_tables.h: enum nft_objref_attributes; NFT_OBJECT_COUNTER.
const NFTA_OBJREF_IMM_TYPE = 1;
const NFTA_OBJREF_IMM_NAME = 2;
const NFT_OBJECT_COUNTER = 1;

export const objrefCodec: ExpressionCodec<ObjectReference> = {
  name: 'objref',
  attributes: [NFTA_OBJREF_IMM_TYPE, NFTA_OBJREF_IMM_NAME],
  encode(expression, into) {
    into.u32BE(NFTA_OBJREF_IMM_TYPE, NFT_OBJECT_COUNTER);
    into.string(NFTA_OBJREF_IMM_NAME, expression.name);
  },
  decode(attributes) {
    const name = attributes.string(NFTA_OBJREF_IMM_NAME);
    const isCounter = attributes.u32BE(NFTA_OBJREF_IMM_TYPE) === NFT_OBJECT_COUNTER;
    return name === undefined || !isCounter ? undefined : counterReference(name);
  },
  print(expression, text) {
    text.act(`counter name "${expression.name}"`);
  },
};
