import { hashBase64Url } from '../base/hash.js';
import type { Selector } from './ast.js';

/** There are no escapes: a value that holds one kind of quote is written in the other. */
function quote(value: string): string {
  return value.includes('"') ? `'${value}'` : `"${value}"`;
}

/**
 * The one text of a selector: blanks normalised, every conjunction and disjunction in brackets, sets sorted. Parsing it gives the
 * selector back, so equal texts mean equal selectors.
 */
export function formatSelector(selector: Selector): string {
  switch (selector.type) {
    case 'all':
    case 'global':
      return `${selector.type}()`;
    case 'has':
      return `has(${selector.label})`;
    case 'equal':
      return `${selector.label} == ${quote(selector.value)}`;
    case 'not-equal':
      return `${selector.label} != ${quote(selector.value)}`;
    case 'in':
      return `${selector.label} in {${selector.values.map(quote).join(', ')}}`;
    case 'not-in':
      return `${selector.label} not in {${selector.values.map(quote).join(', ')}}`;
    case 'text':
      return `${selector.label} ${selector.operator} ${quote(selector.value)}`;
    case 'not':
      return `!${formatSelector(selector.operand)}`;
    case 'and':
      return `(${selector.operands.map(formatSelector).join(' && ')})`;
    case 'or':
      return `(${selector.operands.map(formatSelector).join(' || ')})`;
  }
}

/** Identity of a canonical text under a prefix: `s:` for the addresses a selector matches, `n:` for named ports. */
export function canonicalId(prefix: string, canonical: string): string {
  return prefix + hashBase64Url('sha224', prefix + canonical);
}
