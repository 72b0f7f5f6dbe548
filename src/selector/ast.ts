/** A comparison of a label with a text: its value is present and contains, starts with or ends with it. */
export type TextOperator = 'contains' | 'starts with' | 'ends with';

/**
 * A parsed selector: plain immutable data. `and` and `or` have at least two operands; `values` are sorted and without duplicates;
 * a `not` never holds a `not`. Build negations with {@link negate} and conjunctions with {@link conjunction} to keep it so.
 */
export type Selector =
  | { readonly type: 'all' }
  /** Always true here; policy gives it its meaning where it may stand (a rule's namespaceSelector). */
  | { readonly type: 'global' }
  | { readonly type: 'has'; readonly label: string }
  | { readonly type: 'equal'; readonly label: string; readonly value: string }
  | { readonly type: 'not-equal'; readonly label: string; readonly value: string }
  | { readonly type: 'in'; readonly label: string; readonly values: readonly string[] }
  | { readonly type: 'not-in'; readonly label: string; readonly values: readonly string[] }
  | { readonly type: 'text'; readonly operator: TextOperator; readonly label: string; readonly value: string }
  | { readonly type: 'not'; readonly operand: Selector }
  | { readonly type: 'and'; readonly operands: readonly Selector[] }
  | { readonly type: 'or'; readonly operands: readonly Selector[] };

/** Matches everything: what an empty selector means. */
export const ALL: Selector = { type: 'all' };

/** The negation; two cancel out. */
export function negate(selector: Selector): Selector {
  return selector.type === 'not' ? selector.operand : { type: 'not', operand: selector };
}

/** All of them; undefined ones do not count. Undefined when none is left. */
export function conjunction(selectors: readonly (Selector | undefined)[]): Selector | undefined {
  const operands = selectors.filter((selector) => selector !== undefined);
  return operands.length < 2 ? operands[0] : { type: 'and', operands };
}

/** A membership test with its values sorted and without duplicates, as the other functions expect it. */
export function membership(type: 'in' | 'not-in', label: string, values: readonly string[]): Selector {
  return { type, label, values: [...new Set(values)].toSorted() };
}
