import type { Selector } from '../selector/ast.js';
import { compileSelector, type LabelPredicate, type Labels } from '../selector/evaluate.js';
import { indexHints, type LabelBucket, type LabelCover } from '../selector/index-hints.js';
import { LabelTable } from './label-table.js';

export type LabelRecord = Readonly<Record<string, string>>;

/** What hears of matches. */
export interface MatchListener<S, P> {
  /** The selector matches the item from now on. */
  started(selector: S, payload: P): void;
  stopped(selector: S, payload: P): void;
  /** It matched before and does now; the item's payload was replaced. */
  changed(selector: S, before: P, after: P): void;
}

const NO_LABELS: LabelRecord = {};

/** A label of a record; what `Object.prototype` holds under that name is no text, so it is no label. */
function labelOf(labels: LabelRecord, label: string): string | undefined {
  const value: unknown = labels[label];
  return typeof value === 'string' ? value : undefined;
}

/** A profile, whether it exists yet or is only referred to. */
interface Parent<P> {
  readonly id: string;
  labels: LabelRecord;
  isKnown: boolean;
  readonly children: Set<Item<P>>;
}

/** One labelled thing. Its own labels win, then those of the first parent that has them. */
class Item<P> implements Labels {
  labels: LabelRecord = NO_LABELS;
  parents: readonly Parent<P>[] = [];
  payload: P;

  constructor(payload: P) {
    this.payload = payload;
  }

  get(label: string): string | undefined {
    const own = labelOf(this.labels, label);
    if (own !== undefined) return own;
    for (const parent of this.parents) {
      const inherited = labelOf(parent.labels, label);
      if (inherited !== undefined) return inherited;
    }
    return undefined;
  }
}

interface Registered<S> {
  readonly payload: S;
  readonly matches: LabelPredicate;
  /** Where it is filed; undefined: among those that must be tried on everything. */
  readonly cover: LabelCover | undefined;
  isRemoved: boolean;
}

interface Scan<S, P> {
  readonly selector: Registered<S>;
  readonly candidates: Generator<Item<P>>;
  /** A cover can hold an item twice (two values, or its own label and a parent's). */
  readonly matched: Set<Item<P>>;
}

/**
 * Which selectors match which labelled items, kept up to date.
 *
 * Hears: items with labels and parents, parents' labels, selectors. Emits: matches that start and stop. Keeps: items by own label,
 * parents by label, selectors by the narrowest label their index hints allow; no list of matches (what matched before a change is found
 * by evaluating on the state before it, which costs as little and saves the memory).
 *
 * Cost: changing an item, its labels × the selectors filed under them; adding a selector, the items in its smallest cover; changing a
 * parent, its children. Only selectors without any hint (`all()`, `!has(x)`) cost more, once per item.
 */
export class LabelIndex<S, P> {
  readonly #listener: MatchListener<S, P>;
  readonly #items = new Map<string, Item<P>>();
  readonly #itemsByLabel = new LabelTable<Item<P>>();
  readonly #parents = new Map<string, Parent<P>>();
  readonly #parentsByLabel = new LabelTable<Parent<P>>();
  readonly #selectors = new Map<string, Registered<S>>();
  readonly #selectorsByValue = new LabelTable<Registered<S>>();
  readonly #selectorsByPresence = new Map<string, Set<Registered<S>>>();
  readonly #unfiled = new Set<Registered<S>>();
  readonly #scans: Scan<S, P>[] = [];

  constructor(listener: MatchListener<S, P>) {
    this.#listener = listener;
  }

  payloadOf(itemId: string): P | undefined {
    return this.#items.get(itemId)?.payload;
  }

  setItem(id: string, labels: LabelRecord, parentIds: readonly string[], payload: P): void {
    this.advance(Infinity);
    const known = this.#items.get(id);
    const item = known ?? new Item(payload);
    if (known === undefined) this.#items.set(id, item);
    const before = known === undefined ? new Set<Registered<S>>() : this.#selectorsMatching(item);
    const payloadBefore = item.payload;
    item.payload = payload;
    this.#relabel(item, labels);
    this.#reparent(item, parentIds);
    this.#emit(before, this.#selectorsMatching(item), payloadBefore, payload);
  }

  removeItem(id: string): void {
    this.advance(Infinity);
    const item = this.#items.get(id);
    if (item === undefined) return;
    for (const selector of this.#selectorsMatching(item)) this.#listener.stopped(selector.payload, item.payload);
    this.#relabel(item, NO_LABELS);
    this.#reparent(item, []);
    this.#items.delete(id);
  }

  /** Undefined labels: the parent is gone (its children keep referring to it). */
  setParent(id: string, labels: LabelRecord | undefined): void {
    this.advance(Infinity);
    const parent = this.#parentNamed(id);
    parent.isKnown = labels !== undefined;
    const wanted = labels ?? NO_LABELS;
    if (!sameLabels(parent.labels, wanted)) {
      // While a host loads there are no selectors yet, and parents with many children come in thousands.
      const affected = this.#selectors.size === 0 ? [] : [...parent.children];
      const before = affected.map((child) => [child, this.#selectorsMatching(child)] as const);
      for (const [label, value] of Object.entries(parent.labels)) this.#parentsByLabel.remove(label, value, parent);
      parent.labels = wanted;
      for (const [label, value] of Object.entries(wanted)) this.#parentsByLabel.add(label, value, parent);
      for (const [child, matching] of before) {
        this.#emit(matching, this.#selectorsMatching(child), child.payload, child.payload);
      }
    }
    this.#forgetIdle(parent);
  }

  /**
   * Adds a selector; its matches are emitted by {@link advance}, at the latest before the next change.
   *
   * @param key must not be in use
   */
  addSelector(key: string, selector: Selector, payload: S): void {
    const cover = this.#narrowestCover(indexHints(selector));
    const registered: Registered<S> = { payload, matches: compileSelector(selector), cover, isRemoved: false };
    this.#selectors.set(key, registered);
    if (cover === undefined) this.#unfiled.add(registered);
    for (const { label, value } of cover ?? []) {
      if (value !== undefined) this.#selectorsByValue.add(label, value, registered);
      else this.#presenceOf(label).add(registered);
    }
    this.#scans.push({ selector: registered, candidates: this.#candidates(cover), matched: new Set() });
  }

  /** Forgets a selector without emitting that its matches stopped. */
  removeSelector(key: string): void {
    const registered = this.#selectors.get(key);
    if (registered === undefined) return;
    registered.isRemoved = true;
    this.#selectors.delete(key);
    this.#unfiled.delete(registered);
    for (const { label, value } of registered.cover ?? []) {
      if (value !== undefined) this.#selectorsByValue.remove(label, value, registered);
      else {
        const present = this.#presenceOf(label);
        present.delete(registered);
        if (present.size === 0) this.#selectorsByPresence.delete(label);
      }
    }
  }

  /**
   * Looks for the matches of selectors that were added, at most `limit` items of them.
   *
   * @returns how many items were looked at; less than the limit when nothing is left
   */
  advance(limit: number): number {
    let looked = 0;
    while (looked < limit) {
      const scan = this.#scans[0];
      if (scan === undefined) break;
      const next = scan.selector.isRemoved ? undefined : scan.candidates.next();
      if (next === undefined || next.done === true) {
        this.#scans.shift();
        continue;
      }
      looked += 1;
      const item = next.value;
      if (scan.matched.has(item) || !scan.selector.matches(item)) continue;
      scan.matched.add(item);
      this.#listener.started(scan.selector.payload, item.payload);
    }
    return looked;
  }

  #emit(before: Set<Registered<S>>, after: Set<Registered<S>>, payloadBefore: P, payload: P): void {
    for (const selector of before) {
      if (!after.has(selector)) this.#listener.stopped(selector.payload, payloadBefore);
    }
    for (const selector of after) {
      if (!before.has(selector)) this.#listener.started(selector.payload, payload);
      else if (payload !== payloadBefore) this.#listener.changed(selector.payload, payloadBefore, payload);
    }
  }

  #selectorsMatching(item: Item<P>): Set<Registered<S>> {
    const matching = new Set<Registered<S>>();
    if (this.#selectors.size === 0) return matching;
    const tryAll = (selectors: Iterable<Registered<S>>): void => {
      for (const selector of selectors) if (selector.matches(item)) matching.add(selector);
    };
    const tryLabels = (labels: LabelRecord): void => {
      for (const label of Object.keys(labels)) {
        const value = labelOf(labels, label);
        if (value !== undefined) tryAll(this.#selectorsByValue.with(label, value));
        tryAll(this.#selectorsByPresence.get(label) ?? []);
      }
    };
    tryAll(this.#unfiled);
    tryLabels(item.labels);
    for (const parent of item.parents) tryLabels(parent.labels);
    return matching;
  }

  *#candidates(cover: LabelCover | undefined): Generator<Item<P>> {
    if (cover === undefined) yield* this.#items.values();
    for (const { label, value } of cover ?? []) {
      yield* this.#itemsByLabel.with(label, value);
      for (const parent of this.#parentsByLabel.with(label, value)) yield* parent.children;
    }
  }

  /** Of the covers the one with fewest items; among equals the one with fewest selectors filed already. */
  #narrowestCover(covers: readonly LabelCover[]): LabelCover | undefined {
    let best: { cover: LabelCover; items: number; filed: number } | undefined;
    for (const cover of covers) {
      const items = cover.reduce((sum, bucket) => sum + this.#itemsIn(bucket), 0);
      const filed = cover.reduce((sum, bucket) => sum + this.#selectorsIn(bucket), 0);
      if (best === undefined || items < best.items || (items === best.items && filed < best.filed)) {
        best = { cover, items, filed };
      }
    }
    return best?.cover;
  }

  #itemsIn({ label, value }: LabelBucket): number {
    let count = this.#itemsByLabel.count(label, value);
    for (const parent of this.#parentsByLabel.with(label, value)) count += parent.children.size;
    return count;
  }

  #selectorsIn({ label, value }: LabelBucket): number {
    const present = this.#selectorsByPresence.get(label)?.size ?? 0;
    return value === undefined ? present : this.#selectorsByValue.count(label, value);
  }

  #presenceOf(label: string): Set<Registered<S>> {
    let present = this.#selectorsByPresence.get(label);
    if (present === undefined) this.#selectorsByPresence.set(label, (present = new Set()));
    return present;
  }

  #relabel(item: Item<P>, labels: LabelRecord): void {
    const before = item.labels;
    item.labels = labels;
    for (const label of Object.keys(before)) {
      const value = labelOf(before, label);
      if (value !== undefined && labelOf(labels, label) !== value) this.#itemsByLabel.remove(label, value, item);
    }
    for (const label of Object.keys(labels)) {
      const value = labelOf(labels, label);
      if (value !== undefined && labelOf(before, label) !== value) this.#itemsByLabel.add(label, value, item);
    }
  }

  #reparent(item: Item<P>, parentIds: readonly string[]): void {
    const before = item.parents;
    if (before.length === parentIds.length && before.every((parent, i) => parent.id === parentIds[i])) return;
    item.parents = parentIds.map((id) => this.#parentNamed(id));
    for (const parent of item.parents) parent.children.add(item);
    for (const parent of before) {
      if (item.parents.includes(parent)) continue;
      parent.children.delete(item);
      this.#forgetIdle(parent);
    }
  }

  #parentNamed(id: string): Parent<P> {
    let parent = this.#parents.get(id);
    if (parent === undefined) {
      parent = { id, labels: NO_LABELS, isKnown: false, children: new Set() };
      this.#parents.set(id, parent);
    }
    return parent;
  }

  #forgetIdle(parent: Parent<P>): void {
    if (!parent.isKnown && parent.children.size === 0) this.#parents.delete(parent.id);
  }
}

function sameLabels(a: LabelRecord, b: LabelRecord): boolean {
  const labels = Object.keys(a);
  return labels.length === Object.keys(b).length && labels.every((label) => labelOf(a, label) === labelOf(b, label));
}
