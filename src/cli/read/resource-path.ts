import { CalicoError } from '../../base/errors.js';

/** Steps to a field: names, and indices of lists. */
export type ResourcePath = readonly (string | number)[];

const STEP = /\.?([A-Za-z0-9_-]+)|\[(\d+)\]|\['([^']*)'\]|\["([^"]*)"\]/y;

function badPath(text: string): CalicoError {
  return new CalicoError('ERR_CALI_CLI_USAGE', `"${text}" is not a path to a field`, {
    hint: "write for example .spec.order or .metadata.labels['app.kubernetes.io/name']",
  });
}

/**
 * Reads the path of one field: `.spec.order`, `{.metadata.name}`, `spec.nets[0]`, `.metadata.labels['a/b']`.
 *
 * @throws {CalicoError} it is none
 */
export function parsePath(text: string): ResourcePath {
  const inner = /^\{(.*)\}$/s.exec(text)?.[1] ?? text;
  const steps: (string | number)[] = [];
  STEP.lastIndex = 0;
  let at = 0;
  while (at < inner.length) {
    const step = STEP.exec(inner);
    if (step === null) throw badPath(text);
    const [, name, index, single, double] = step;
    steps.push(index === undefined ? (name ?? single ?? double ?? '') : Number(index));
    at = STEP.lastIndex;
  }
  if (steps.length === 0) throw badPath(text);
  return steps;
}

/** What is there; undefined where there is nothing. */
export function valueAt(root: unknown, path: ResourcePath): unknown {
  let value = root;
  for (const step of path) {
    if (typeof value !== 'object' || value === null) return undefined;
    if (Array.isArray(value)) value = typeof step === 'number' ? (value as readonly unknown[])[step] : undefined;
    else value = Object.hasOwn(value, step) ? (value as Readonly<Record<string | number, unknown>>)[step] : undefined;
  }
  return value;
}

/** For people: text as it is, all else as JSON. */
export function textOf(value: unknown): string {
  return typeof value === 'string' ? value : JSON.stringify(value);
}

/** For sorting: numbers as numbers, all else as text; objects without the field come last. */
export function compareAt(path: ResourcePath, a: unknown, b: unknown): number {
  const [one, other] = [valueAt(a, path), valueAt(b, path)];
  if (one === undefined || other === undefined) return Number(one === undefined) - Number(other === undefined);
  if (typeof one === 'number' && typeof other === 'number') return one - other;
  const [first, second] = [textOf(one), textOf(other)];
  return first < second ? -1 : Number(first > second);
}
