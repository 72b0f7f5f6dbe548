import { CalicoError } from '../../base/errors.js';

/**
 * What a template works on. Whole numbers are bigint, as a template tells 1 from 1.0; a map has text for keys. `undefined` is what is not there,
 * `null` a pointer that points to nothing.
 */
export type Value =
  | undefined
  | null
  | boolean
  | string
  | bigint
  | number
  | readonly Value[]
  | ReadonlyMap<string, Value>;

/** What is wrong, for the evaluator to put the place before it. */
export function templateProblem(message: string, hint?: string): CalicoError {
  return new CalicoError('ERR_CALI_CLI_TEMPLATE', message, hint === undefined ? {} : { hint });
}

/** The same with its place: `template:3:14: …`. */
export function templateError(text: string, at: number, message: string, hint?: string): CalicoError {
  const before = text.slice(0, at);
  const line = before.split('\n').length;
  return templateProblem(`template:${line}:${at - before.lastIndexOf('\n')}: ${message}`, hint);
}

export function isMap(value: Value): value is ReadonlyMap<string, Value> {
  return value instanceof Map;
}

export function isList(value: Value): value is readonly Value[] {
  return Array.isArray(value);
}

/** As Go's fmt calls it. */
export function typeName(value: Value): string {
  switch (typeof value) {
    case 'boolean':
      return 'bool';
    case 'string':
      return 'string';
    case 'bigint':
      return 'int';
    case 'number':
      return 'float64';
    default:
      if (value === undefined || value === null) return '<nil>';
      return isList(value) ? '[]interface {}' : 'map[string]interface {}';
  }
}

/** Whether `if` takes it for true: anything but false, zero, nothing and what is empty. */
export function isTrue(value: Value): boolean {
  if (isList(value)) return value.length > 0;
  if (isMap(value)) return value.size > 0;
  return Boolean(value);
}

/** Go writes floats with an exponent from this power of ten on. */
const EXPONENT_FROM = 6;

export function exponentText(exponent: number): string {
  return `e${exponent < 0 ? '-' : '+'}${String(Math.abs(exponent)).padStart(2, '0')}`;
}

/** A float as Go's %v writes it: 1000000 → 1e+06. */
export function formatFloat(value: number): string {
  if (!Number.isFinite(value)) return Number.isNaN(value) ? 'NaN' : value > 0 ? '+Inf' : '-Inf';
  const [digits = '', power = '0'] = value.toExponential().split('e');
  const exponent = Number(power);
  if (value === 0 || (exponent >= -4 && exponent < EXPONENT_FROM)) return Object.is(value, -0) ? '-0' : String(value);
  return `${digits}${exponentText(exponent)}`;
}

export function sortedKeys(map: ReadonlyMap<string, Value>): readonly string[] {
  return [...map.keys()].toSorted((a, b) => (a < b ? -1 : 1));
}

/** As Go's %v writes it. */
export function formatValue(value: Value): string {
  if (typeof value === 'string') return value;
  if (typeof value === 'number') return formatFloat(value);
  if (value === undefined || value === null) return '<nil>';
  if (isList(value)) return `[${value.map(formatValue).join(' ')}]`;
  if (isMap(value)) {
    const entries = sortedKeys(value).map((key) => `${key}:${formatValue(value.get(key))}`);
    return `map[${entries.join(' ')}]`;
  }
  return String(value);
}

/** Values with a blank between two of which neither is text, as Go's Sprint. */
export function printValues(values: readonly Value[]): string {
  let text = '';
  for (const [index, value] of values.entries()) {
    const isSpaced = index > 0 && typeof value !== 'string' && typeof values[index - 1] !== 'string';
    text += `${isSpaced ? ' ' : ''}${formatValue(value)}`;
  }
  return text;
}
