import { isNamespaced, type Kind } from '../api/registry.js';
import type { ResourceKey, ResourceUpdate } from '../api/resource-update.js';
import type { TimeSlice } from '../base/clock.js';
import { isBuiltInKey } from './built-in-profile.js';
import type { ListResult, RevisionList, WatchEvent } from './datastore.js';

/** Objects between two looks at the clock. */
const STRIDE = 500;

/** A key within its kind, as one text. */
function keyText(key: ResourceKey): string {
  return key.namespace === undefined ? key.name : `${key.namespace}/${key.name}`;
}

function keyFromText(kind: Kind, text: string): ResourceKey {
  if (!isNamespaced(kind)) return { kind, name: text };
  const slash = text.indexOf('/');
  return { kind, namespace: text.slice(0, slash), name: text.slice(slash + 1) };
}

function update(key: ResourceKey, value: unknown, revision: string): ResourceUpdate {
  // Kind and value come from one stored object; the compiler cannot pair them inside a union.
  return { kind: key.kind, key, value, revision } as ResourceUpdate;
}

/** Decimal texts without leading zeros compare like the numbers they stand for. */
export function isLaterRevision(a: string, b: string): boolean {
  return a.length === b.length ? a > b : a.length > b.length;
}

/** A key whose stored revision and known revision differ: undefined where it is missing. */
export interface Difference {
  readonly key: ResourceKey;
  readonly stored: string | undefined;
  readonly known: string | undefined;
}

/**
 * Which objects the syncer's reader has been told of, and in which revision: what a later list is compared with. Values are not kept;
 * about 100 bytes an object.
 */
export class Snapshot {
  readonly #revisions = new Map<Kind, Map<string, string>>();

  #of(kind: Kind): Map<string, string> {
    let known = this.#revisions.get(kind);
    if (known === undefined) this.#revisions.set(kind, (known = new Map<string, string>()));
    return known;
  }

  /** Begins to take a list of the kind in. */
  list<K extends Kind>(kind: K): Listing<K> {
    return new Listing(kind, this.#of(kind));
  }

  /** Takes one change in. */
  apply(event: WatchEvent): ResourceUpdate {
    const known = this.#of(event.kind);
    if (event.type === 'delete') known.delete(keyText(event.key));
    else known.set(keyText(event.key), event.revision);
    return update(event.key, event.type === 'put' ? event.value : undefined, event.revision);
  }

  /** Where the store and what was told differ, by key text; changes on their way may be among them. */
  async compare<K extends Kind>(
    kind: K,
    list: RevisionList<K>,
    slice: TimeSlice,
  ): Promise<ReadonlyMap<string, Difference>> {
    const known = this.#of(kind);
    const differences = new Map<string, Difference>();
    const stored = new Set<string>();
    for (const [index, { key, revision }] of list.entries.entries()) {
      const text = keyText(key);
      stored.add(text);
      const knownRevision = known.get(text);
      if (knownRevision !== revision) differences.set(text, { key, stored: revision, known: knownRevision });
      if (index % STRIDE === 0) await slice.pause();
    }
    for (const [text, revision] of known) {
      const key = keyFromText(kind, text);
      if (!stored.has(text) && !isBuiltInKey(key)) differences.set(text, { key, stored: undefined, known: revision });
    }
    return differences;
  }
}

/** A list on its way into a snapshot, piece by piece. Given up half-way it leaves the snapshot saying what was told. */
export class Listing<K extends Kind> {
  readonly #kind: K;
  readonly #known: Map<string, string>;
  /** What the list holds; undefined at the first list, after which nothing can be missing. */
  readonly #listed: Set<string> | undefined;

  constructor(kind: K, known: Map<string, string>) {
    this.#kind = kind;
    this.#known = known;
    this.#listed = known.size === 0 ? undefined : new Set();
  }

  /** Takes a piece in, and returns what the reader does not know yet. */
  take({ items, invalid }: Pick<ListResult<K>, 'items' | 'invalid'>): ResourceUpdate[] {
    const updates: ResourceUpdate[] = [];
    for (const { key, value, revision } of items) {
      if (this.#isNews(key, revision)) updates.push(update(key, value, revision));
    }
    for (const { key, revision } of invalid) {
      if (this.#isNews(key, revision)) updates.push(update(key, undefined, revision));
    }
    return updates;
  }

  /** After the last piece: what was known and is no more. */
  end(revision: string): ResourceUpdate[] {
    const listed = this.#listed;
    if (listed === undefined) return [];
    const updates: ResourceUpdate[] = [];
    for (const text of this.#known.keys()) {
      if (listed.has(text)) continue;
      this.#known.delete(text);
      updates.push(update(keyFromText(this.#kind, text), undefined, revision));
    }
    return updates;
  }

  #isNews(key: ResourceKey, revision: string): boolean {
    const text = keyText(key);
    this.#listed?.add(text);
    if (this.#known.get(text) === revision) return false;
    this.#known.set(text, revision);
    return true;
  }
}
