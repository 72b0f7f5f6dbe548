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

  /** Takes a whole list in, and returns what its reader does not know yet: changes first, then deletions. Long lists take several turns. */
  async replace<K extends Kind>(kind: K, list: ListResult<K>, slice: TimeSlice): Promise<ResourceUpdate[]> {
    const before = this.#of(kind);
    const after = new Map<string, string>();
    const updates: ResourceUpdate[] = [];
    const take = (key: ResourceKey, value: unknown, revision: string): void => {
      const text = keyText(key);
      after.set(text, revision);
      if (before.get(text) !== revision) updates.push(update(key, value, revision));
    };
    for (const [index, { key, value, revision }] of list.items.entries()) {
      take(key, value, revision);
      if (index % STRIDE === 0) await slice.pause();
    }
    for (const { key, revision } of list.invalid) take(key, undefined, revision);
    await slice.pause();
    for (const text of before.keys()) {
      if (!after.has(text)) updates.push(update(keyFromText(kind, text), undefined, list.revision));
    }
    this.#revisions.set(kind, after);
    return updates;
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
