import type { Attributes, AttributeWriter } from '../../netlink/attributes.js';
import type { Expression } from './expression.js';
import type { AnonymousSet } from './lookup.js';
import type { RuleText } from './rule-text.js';

/** What an expression needs to know of the batch it goes into. */
export interface EncodeContext {
  /** The id under which the batch made the set. */
  setId(set: AnonymousSet): number;
  /** The name under which it did. */
  setName(set: AnonymousSet): string;
}

/** How one of the kernel's expressions is written, read and printed. */
export interface ExpressionCodec<E extends Expression> {
  /** The kernel's name for it (`NFTA_EXPR_NAME`). */
  readonly name: string;
  /** Attribute numbers that are modelled: with any other present, the expression is read as `unknown` and so kept whole. */
  readonly attributes: readonly number[];
  encode(expression: E, into: AttributeWriter, context: EncodeContext): void;
  /** Undefined when it uses something that is not modelled. */
  decode(attributes: Attributes): E | undefined;
  print(expression: E, text: RuleText): void;
}
