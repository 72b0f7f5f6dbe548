import { printMember, sortMembers } from '../elements.js';
import type { ExpressionCodec } from './expression-codec.js';
import type { Member, SetShape } from '../objects.js';
import type { Datatype } from '../datatypes.js';
import type { Register } from './register.js';

/** A set that lives and dies with one rule; the transaction makes it just before the rule. */
export interface AnonymousSet extends SetShape {
  readonly members: readonly Member[];
  readonly data?: 'verdict' | readonly Datatype[];
}

/**
 * Looks the key in the registers from `sreg` on up in a set. A set alone: goes on when it holds the key (`inverted`: when it
 * does not). A map: puts the value in `dreg`, or acts on the verdict when `dreg` is 0; goes on past the rule when absent.
 */
export interface Lookup {
  readonly type: 'lookup';
  /** A named set of the rule's table, or one made for this rule. */
  readonly set: string | AnonymousSet;
  readonly sreg: Register;
  readonly dreg?: Register;
  readonly inverted: boolean;
}

export function lookup(set: string | AnonymousSet, sreg: Register, inverted = false): Lookup {
  return { type: 'lookup', set, sreg, inverted };
}

export function mapLookup(set: string | AnonymousSet, sreg: Register, dreg: Register): Lookup {
  return { type: 'lookup', set, sreg, dreg, inverted: false };
}

// include/uapi/linux/netfilter/nf_tables.h: enum nft_lookup_attributes, nft_lookup_flags.
const NFTA_LOOKUP_SET = 1;
const NFTA_LOOKUP_SREG = 2;
const NFTA_LOOKUP_DREG = 3;
const NFTA_LOOKUP_SET_ID = 4;
const NFTA_LOOKUP_FLAGS = 5;
const NFT_LOOKUP_F_INV = 1;

/** A name for an anonymous set: the kernel puts a number for `%d`. */
export function numberedSetName(set: AnonymousSet): string {
  return set.data === undefined ? '__set%d' : '__map%d';
}

export const lookupCodec: ExpressionCodec<Lookup> = {
  name: 'lookup',
  attributes: [NFTA_LOOKUP_SET, NFTA_LOOKUP_SREG, NFTA_LOOKUP_DREG, NFTA_LOOKUP_SET_ID, NFTA_LOOKUP_FLAGS],
  encode(expression, into, context) {
    const { set } = expression;
    into.string(NFTA_LOOKUP_SET, typeof set === 'string' ? set : context.setName(set));
    into.u32BE(NFTA_LOOKUP_SREG, expression.sreg);
    if (expression.dreg !== undefined) into.u32BE(NFTA_LOOKUP_DREG, expression.dreg);
    if (typeof set !== 'string') into.u32BE(NFTA_LOOKUP_SET_ID, context.setId(set));
    if (expression.inverted) into.u32BE(NFTA_LOOKUP_FLAGS, NFT_LOOKUP_F_INV);
  },
  decode(attributes) {
    const set = attributes.string(NFTA_LOOKUP_SET);
    const sreg = attributes.u32BE(NFTA_LOOKUP_SREG);
    const dreg = attributes.u32BE(NFTA_LOOKUP_DREG);
    const flags = attributes.u32BE(NFTA_LOOKUP_FLAGS) ?? 0;
    if (set === undefined || sreg === undefined || flags > NFT_LOOKUP_F_INV) return undefined;
    const inverted = flags === NFT_LOOKUP_F_INV;
    return dreg === undefined ? { type: 'lookup', set, sreg, inverted } : { type: 'lookup', set, sreg, dreg, inverted };
  },
  print(expression, text) {
    const key = text.key(expression.sreg);
    const set = printSetReference(expression.set);
    if (expression.dreg === undefined) {
      text.say(`${key}${expression.inverted ? ' !=' : ''} ${set}`);
    } else if (expression.dreg === 0) {
      text.say(`${key} vmap ${set}`);
    } else {
      text.load(expression.dreg, { text: `${key} map ${set}`, length: 4, print: () => '' });
    }
  },
};

function printSetReference(set: string | AnonymousSet): string {
  if (typeof set === 'string') return `@${set}`;
  return `{ ${sortMembers(set, set.members)
    .map((member) => printMember(set, member))
    .join(', ')} }`;
}
