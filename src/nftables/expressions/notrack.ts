import type { ExpressionCodec } from './expression-codec.js';

/** Leaves the packet out of connection tracking; before priority -200 only. */
export interface Notrack {
  readonly type: 'notrack';
}

export function notrack(): Notrack {
  return { type: 'notrack' };
}

export const notrackCodec: ExpressionCodec<Notrack> = {
  name: 'notrack',
  attributes: [],
  encode() {
    // It has no attributes.
  },
  decode: notrack,
  print(_expression, text) {
    text.act('notrack');
  },
};
