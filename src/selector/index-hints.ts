import type { Selector } from './ast.js';

/** A drawer of an index over labels: all that have the label, or have it with this value. */
export interface LabelBucket {
  readonly label: string;
  readonly value?: string;
}

/** Whatever a selector matches is in at least one of these buckets; an empty cover means that it matches nothing. */
export type LabelCover = readonly LabelBucket[];

/** Beyond this a list of values is no better than asking for the label alone. */
const BUCKETS_MAX = 64;

/** How coarse a cover is before anything is known about the data: the label alone weighs more than any list of values. */
function coarseness(cover: LabelCover): number {
  return cover.reduce((sum, bucket) => sum + (bucket.value === undefined ? 1_000 : 1), 0);
}

function finestFirst(covers: readonly LabelCover[]): readonly LabelCover[] {
  return covers.toSorted((a, b) => coarseness(a) - coarseness(b));
}

function valueCover(label: string, values: readonly string[]): LabelCover {
  return values.length > BUCKETS_MAX ? [{ label }] : values.map((value) => ({ label, value }));
}

/** Covers of a disjunction: one cover of every branch, side by side; none when a branch has none. */
function unionCovers(branches: readonly (readonly LabelCover[])[]): readonly LabelCover[] {
  const union = new Map<string, LabelBucket>();
  for (const covers of branches) {
    const cover = covers[0];
    if (cover === undefined) return [];
    for (const bucket of cover) union.set(`${bucket.label}=${bucket.value ?? ''}${bucket.value === undefined}`, bucket);
  }
  return union.size > BUCKETS_MAX ? [] : [[...union.values()]];
}

type Comparison = Extract<Selector, { readonly label: string }>;

/** A comparison that is true of absent labels, as it stands or by negation, has no cover. */
function comparisonCovers(selector: Comparison, negated: boolean): readonly LabelCover[] {
  const holdsWhenAbsent = (selector.type === 'not-equal' || selector.type === 'not-in') !== negated;
  if (holdsWhenAbsent) return [];
  if ('values' in selector) return [valueCover(selector.label, selector.values)];
  if (selector.type === 'has' || selector.type === 'text') return [[{ label: selector.label }]];
  return [valueCover(selector.label, [selector.value])];
}

function coversOf(selector: Selector, negated: boolean): readonly LabelCover[] {
  switch (selector.type) {
    case 'all':
    case 'global':
      return negated ? [[]] : [];
    case 'not':
      return coversOf(selector.operand, !negated);
    case 'and':
    case 'or': {
      const branches = selector.operands.map((operand) => coversOf(operand, negated));
      // Negation swaps the two (De Morgan). Any cover of any operand covers a conjunction.
      const isConjunction = (selector.type === 'and') !== negated;
      return finestFirst(isConjunction ? branches.flat() : unionCovers(branches));
    }
    default:
      return comparisonCovers(selector, negated);
  }
}

/**
 * Where to look for what a selector matches: alternatives, each of them enough by itself, the finest first as far as one can tell
 * without data. Empty when only a look at everything will do. Covers may hold what does not match: evaluate it.
 */
export function indexHints(selector: Selector): readonly LabelCover[] {
  return coversOf(selector, false);
}
