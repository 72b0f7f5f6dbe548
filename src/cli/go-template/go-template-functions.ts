import type { TemplateFunction } from './go-template-evaluator.js';
import { formatPrintf } from './go-template-printf.js';
import {
  formatValue,
  isList,
  isMap,
  isTrue,
  printValues,
  sortedKeys,
  templateProblem,
  typeName,
  type Value,
} from './go-template-values.js';

/** Go counts and cuts text by bytes of UTF-8. */
function bytesOf(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}

function lengthOf(value: Value): number {
  if (typeof value === 'string') return bytesOf(value).length;
  if (isList(value)) return value.length;
  if (isMap(value)) return value.size;
  throw templateProblem(`a ${typeName(value)} has no length`);
}

function position(value: Value, limit: number): number {
  if (typeof value !== 'bigint') throw templateProblem(`an index is a whole number, not a ${typeName(value)}`);
  if (value < 0n || value > BigInt(limit)) throw templateProblem(`index out of range: ${value}`);
  return Number(value);
}

function indexInto(holder: Value, key: Value): Value {
  if (isMap(holder)) {
    if (typeof key !== 'string') throw templateProblem(`a key is text, not a ${typeName(key)}`);
    return holder.get(key);
  }
  if (isList(holder)) return holder[position(key, holder.length - 1)];
  if (typeof holder === 'string') {
    const bytes = bytesOf(holder);
    return BigInt(bytes[position(key, bytes.length - 1)] ?? 0);
  }
  throw templateProblem(`cannot look into a ${typeName(holder)}`);
}

function slice([holder, ...bounds]: readonly Value[]): Value {
  if (typeof holder !== 'string' && !isList(holder)) throw templateProblem(`cannot cut a ${typeName(holder)}`);
  const length = lengthOf(holder);
  const [from = 0, to = length, limit = length] = bounds.map((bound) => position(bound, length));
  if (from > to || to > limit) throw templateProblem(`index out of range: ${from}, ${to}`);
  if (isList(holder)) return holder.slice(from, to);
  if (bounds.length > 2) throw templateProblem('text has no third index');
  return new TextDecoder().decode(bytesOf(holder).subarray(from, to));
}

function isComparable(value: Value): boolean {
  return !isList(value) && !isMap(value);
}

function isNothing(value: Value): value is undefined | null {
  return value === undefined || value === null;
}

function refuseDifferent(a: Value, b: Value): void {
  if (typeof a === typeof b) return;
  throw templateProblem(`incompatible types for comparison: ${typeName(a)} and ${typeName(b)}`);
}

function isEqual(a: Value, b: Value): boolean {
  for (const value of [a, b]) {
    if (!isComparable(value)) throw templateProblem(`a ${typeName(value)} cannot be compared`);
  }
  if (isNothing(a) || isNothing(b)) return isNothing(a) && isNothing(b);
  refuseDifferent(a, b);
  return a === b;
}

function isLess(a: Value, b: Value): boolean {
  if (isNothing(a) || isNothing(b) || typeof a === 'boolean' || !isComparable(a)) {
    throw templateProblem(`${typeName(a)} and ${typeName(b)} have no order`);
  }
  refuseDifferent(a, b);
  return a < b;
}

const HTML: Readonly<Record<string, string>> = {
  '<': '&lt;',
  '>': '&gt;',
  '&': '&amp;',
  "'": '&#39;',
  '"': '&#34;',
  '\0': '\ufffd',
};

const JS: Readonly<Record<string, string>> = {
  '\\': '\\\\',
  "'": String.raw`\'`,
  '"': String.raw`\"`,
  '<': String.raw`\u003C`,
  '>': String.raw`\u003E`,
  '&': String.raw`\u0026`,
  '=': String.raw`\u003D`,
};

function escapeJs(text: string): string {
  return text.replaceAll(/[\\'"<>&=]|\p{C}|(?! )\p{Z}/gu, (character) => {
    const known = JS[character];
    if (known !== undefined) return known;
    return `\\u${(character.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, '0')}`;
  });
}

function escapeQuery(text: string): string {
  const encoded = encodeURIComponent(text.replaceAll(/\p{Surrogate}/gu, '\ufffd'));
  return encoded.replaceAll('%20', '+').replaceAll(/[!'()*]/g, (c) => `%${c.charCodeAt(0).toString(16).toUpperCase()}`);
}

/** Items of a list, `key=value` of a map, or the one value there is. */
function itemTexts(value: Value): readonly string[] {
  if (isNothing(value)) return [];
  if (isMap(value)) return sortedKeys(value).map((key) => `${key}=${formatValue(value.get(key))}`);
  return isList(value) ? value.map(formatValue) : [formatValue(value)];
}

const CUT = '...';

function joined(items: Value, separator: Value, limit: number): string {
  if (typeof separator !== 'string') throw templateProblem(`the separator is text, not a ${typeName(separator)}`);
  const text = itemTexts(items).join(separator);
  return limit > 0 && text.length > limit ? `${text.slice(0, Math.max(0, limit - CUT.length))}${CUT}` : text;
}

function some(test: (a: Value, b: Value) => boolean): TemplateFunction {
  return { minimum: 2, maximum: 2, call: ([a, b]) => test(a, b) };
}

function text(convert: (values: readonly Value[]) => string): TemplateFunction {
  return { minimum: 0, call: convert };
}

/** Go's own functions (`and` and `or` are the evaluator's), and those that calicoctl adds. */
export const TEMPLATE_FUNCTIONS: ReadonlyMap<string, TemplateFunction> = new Map<string, TemplateFunction>([
  ['not', { minimum: 1, maximum: 1, call: ([value]) => !isTrue(value) }],
  ['len', { minimum: 1, maximum: 1, call: ([value]) => BigInt(lengthOf(value)) }],
  ['index', { minimum: 1, call: ([holder, ...keys]) => keys.reduce(indexInto, holder) }],
  ['slice', { minimum: 1, maximum: 4, call: slice }],
  ['eq', { minimum: 2, call: ([value, ...others]) => others.some((other) => isEqual(value, other)) }],
  ['ne', some((a, b) => !isEqual(a, b))],
  ['lt', some(isLess)],
  ['le', some((a, b) => isLess(a, b) || isEqual(a, b))],
  ['gt', some((a, b) => !isLess(a, b) && !isEqual(a, b))],
  ['ge', some((a, b) => !isLess(a, b))],
  ['print', text(printValues)],
  ['println', text((values) => `${values.map(formatValue).join(' ')}\n`)],
  [
    'printf',
    {
      minimum: 1,
      call([format, ...values]) {
        if (typeof format !== 'string') throw templateProblem(`the format is text, not a ${typeName(format)}`);
        return formatPrintf(format, values);
      },
    },
  ],
  ['html', text((values) => printValues(values).replaceAll(/[<>&'"\0]/g, (character) => HTML[character] ?? ''))],
  ['js', text((values) => escapeJs(printValues(values)))],
  ['urlquery', text((values) => escapeQuery(printValues(values)))],
  ['join', { minimum: 2, maximum: 2, call: ([items, separator]) => joined(items, separator, 0) }],
  [
    'joinAndTruncate',
    { minimum: 3, maximum: 3, call: ([items, separator, limit]) => joined(items, separator, Number(limit)) },
  ],
]);
