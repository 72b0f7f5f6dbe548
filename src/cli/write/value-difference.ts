import { isDeepStrictEqual } from 'node:util';
import { joinPath } from '../../api/issues.js';
import { type Fields, isFields } from '../../api/plain-fields.js';

/** One place where two values differ. Fields are named by their path: `spec.ingress[2].action`; list places are those of the newer value, of what is gone those of the older. */
export type Difference =
  | { readonly type: 'changed'; readonly path: string; readonly before: unknown; readonly after: unknown }
  | { readonly type: 'added'; readonly path: string; readonly after: unknown }
  | { readonly type: 'removed'; readonly path: string; readonly before: unknown };

/**
 * Where two JSON values differ, in the order of the newer one's fields. Elements of lists are matched to those they equal, in order, so that
 * one more rule at the top is one difference; what remains between is matched to what it resembles.
 */
export function differencesBetween(before: unknown, after: unknown, path = ''): readonly Difference[] {
  if (isDeepStrictEqual(before, after)) return [];
  if (isFields(before) && isFields(after)) return fieldDifferences(before, after, path);
  if (Array.isArray(before) && Array.isArray(after)) return listDifferences(before, after, path);
  return [{ type: 'changed', path, before, after }];
}

function fieldDifferences(before: Fields, after: Fields, path: string): readonly Difference[] {
  const names = [...new Set([...Object.keys(after), ...Object.keys(before)])];
  return names.flatMap((name): readonly Difference[] => {
    const at = joinPath(path, name);
    if (before[name] === undefined)
      return after[name] === undefined ? [] : [{ type: 'added', path: at, after: after[name] }];
    if (after[name] === undefined) return [{ type: 'removed', path: at, before: before[name] }];
    return differencesBetween(before[name], after[name], at);
  });
}

/** Places of elements that belong together, in rising order on both sides. */
type Pairs = readonly (readonly [before: number, after: number])[];

function listDifferences(before: readonly unknown[], after: readonly unknown[], path: string): readonly Difference[] {
  const differences: Difference[] = [];
  let [from, to] = [0, 0];
  for (const [i, j] of [...equalPairs(before, after), [before.length, after.length] as const]) {
    differences.push(...gapDifferences({ list: before, from, until: i }, { list: after, from: to, until: j }, path));
    [from, to] = [i + 1, j + 1];
  }
  return differences;
}

/** Above this many comparisons elements are only counted: nobody reads such a list in order. */
const COMPARISONS_MAX = 4_000_000;

/** A longest common subsequence. */
function equalPairs(before: readonly unknown[], after: readonly unknown[]): Pairs {
  const [a, b] = [before.map((element) => JSON.stringify(element)), after.map((element) => JSON.stringify(element))];
  let start = 0;
  while (start < a.length && start < b.length && a[start] === b[start]) start += 1;
  let tail = 0;
  while (tail < a.length - start && tail < b.length - start && a.at(-1 - tail) === b.at(-1 - tail)) tail += 1;
  const middle = longestCommon(a.slice(start, a.length - tail), b.slice(start, b.length - tail));
  return [
    ...Array.from({ length: start }, (_, i) => [i, i] as const),
    ...middle.map(([i, j]) => [start + i, start + j] as const),
    ...Array.from({ length: tail }, (_, i) => [a.length - tail + i, b.length - tail + i] as const),
  ];
}

function longestCommon(a: readonly string[], b: readonly string[]): Pairs {
  if (a.length * b.length > COMPARISONS_MAX) return commonInOrder(a, b);
  const width = b.length + 1;
  const lengths = new Uint32Array((a.length + 1) * width);
  const at = (i: number, j: number): number => lengths[i * width + j] ?? 0;
  for (let i = a.length - 1; i >= 0; i -= 1) {
    for (let j = b.length - 1; j >= 0; j -= 1) {
      lengths[i * width + j] = a[i] === b[j] ? at(i + 1, j + 1) + 1 : Math.max(at(i + 1, j), at(i, j + 1));
    }
  }
  const pairs: [number, number][] = [];
  for (let [i, j] = [0, 0]; i < a.length && j < b.length;) {
    if (a[i] === b[j]) pairs.push([i++, j++]);
    else if (at(i + 1, j) >= at(i, j + 1)) i += 1;
    else j += 1;
  }
  return pairs;
}

/** Not the longest, but in one pass. */
function commonInOrder(a: readonly string[], b: readonly string[]): Pairs {
  const places = new Map(b.map((text, place) => [text, place]));
  const pairs: [number, number][] = [];
  for (const [i, text] of a.entries()) {
    const j = places.get(text);
    if (j !== undefined && j > (pairs.at(-1)?.[1] ?? -1)) pairs.push([i, j]);
  }
  return pairs;
}

/** Elements of a list that equal none of the other. */
interface Gap {
  readonly list: readonly unknown[];
  readonly from: number;
  readonly until: number;
}

function gapDifferences(before: Gap, after: Gap, path: string): readonly Difference[] {
  const isReplaced = before.until - before.from === 1 && after.until - after.from === 1;
  if (isReplaced)
    return differencesBetween(before.list[before.from], after.list[after.from], joinPath(path, after.from));
  const differences: Difference[] = [];
  let next = after.from;
  const addUntil = (until: number): void => {
    for (; next < until; next += 1)
      differences.push({ type: 'added', path: joinPath(path, next), after: after.list[next] });
  };
  for (let i = before.from; i < before.until; i += 1) {
    const element = before.list[i];
    let match = next;
    while (match < after.until && !isAkin(element, after.list[match])) match += 1;
    if (match === after.until) {
      differences.push({ type: 'removed', path: joinPath(path, i), before: element });
      continue;
    }
    addUntil(match);
    differences.push(...differencesBetween(element, after.list[match], joinPath(path, match)));
    next = match + 1;
  }
  addUntil(after.until);
  return differences;
}

/** Of two sets of fields: they have one name, or at least half of their fields in common. */
function isAkin(a: unknown, b: unknown): boolean {
  if (!isFields(a) || !isFields(b)) return false;
  for (const key of ['name', 'cidr']) {
    if (a[key] !== undefined && b[key] !== undefined) return a[key] === b[key];
  }
  const names = Object.keys(a);
  const common = names.filter((name) => isDeepStrictEqual(a[name], b[name])).length;
  return common * 2 >= Math.max(names.length, Object.keys(b).length);
}

/** A value in one line, as YAML's flow form: `{action: Allow, destination: {ports: [80]}}`. */
export function formatInline(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(formatInline).join(', ')}]`;
  if (isFields(value)) {
    const fields = Object.entries(value).filter(([, field]) => field !== undefined);
    return `{${fields.map(([name, field]) => `${formatInline(name)}: ${formatInline(field)}`).join(', ')}}`;
  }
  const isPlain =
    typeof value === 'string' &&
    /^[A-Za-z_][\w./-]*$/.test(value) &&
    !/^(true|false|null|yes|no|on|off|y|n)$/i.test(value);
  return isPlain ? value : JSON.stringify(value);
}
