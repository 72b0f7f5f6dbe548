import { formatKeyPath, keyPrefixes, parseKeyPath } from '../../api/keys.js';
import type { Kind, ResourceByKind } from '../../api/registry.js';
import { decodeStored, encodeStored } from '../../api/stored-form.js';
import { type Clock, systemClock, type Timer } from '../../base/clock.js';
import { ValidationError } from '../../base/errors.js';
import { builtInFor, builtInOf, isBuiltInKey } from '../built-in-profile.js';
import { checkCommit, sortedByKey } from '../commit-rules.js';
import type {
  CallOptions,
  Datastore,
  InvalidEntry,
  ListOptions,
  ListResult,
  ResourceKey,
  RevisionList,
  Stored,
  WatchBatch,
  WatchEvent,
  WatchOptions,
  WriteOperation,
} from '../datastore.js';
import { doesNotExist, existsAlready, hasChanged, isClosed, isCompacted, parseRevision, wentBack } from '../errors.js';
import { decodeEvent } from '../watch-events.js';
import { WatchQueue } from '../watch-queue.js';

/** One change of one path; `text` is undefined for a deletion. */
interface Change {
  readonly revision: number;
  readonly path: string;
  readonly text: string | undefined;
}

interface Entry {
  readonly text: string;
  readonly revision: number;
}

interface Watcher {
  readonly kinds: ReadonlySet<Kind>;
  readonly queue: WatchQueue;
}

/** Changes kept before the store compacts itself. */
const MAX_HISTORY = 100_000;

type TtlOptions = CallOptions & { readonly ttlSeconds?: number };

/**
 * The whole store in this process: for tests, and as the plain statement of what a backend promises. Keeps the stored text, so that
 * readers get what a real store would give them.
 */
export class MemoryDatastore implements Datastore {
  readonly description = 'memory';
  readonly atomicCommits = true;
  readonly #clock: Clock;
  readonly #watchBufferEvents: number | undefined;
  readonly #entries = new Map<string, Entry>();
  readonly #expiry = new Map<string, Timer>();
  readonly #watchers = new Set<Watcher>();
  #history: Change[] = [];
  #compactedRevision = 0;
  /** The entries as of the compacted revision: the history goes on from there. */
  #base: ReadonlyMap<string, Entry> = new Map();
  #revision = 1;
  #closed = false;

  constructor(options: { readonly clock?: Clock; readonly watchBufferEvents?: number } = {}) {
    this.#clock = options.clock ?? systemClock;
    this.#watchBufferEvents = options.watchBufferEvents;
  }

  async get<K extends Kind>(key: ResourceKey<K>, options?: CallOptions): Promise<Stored<K>> {
    await this.#begin(options);
    const entry = this.#entries.get(formatKeyPath(key));
    const builtIn = builtInFor(key);
    if (builtIn !== undefined) return builtIn;
    if (entry === undefined) throw doesNotExist(key);
    return { key, value: decodeStored(key, entry.text), revision: String(entry.revision) };
  }

  async list<K extends Kind>(kind: K, options?: ListOptions): Promise<ListResult<K>> {
    await this.#begin(options);
    const items: Stored<K>[] = [...builtInOf(kind, options)];
    const invalid: InvalidEntry<K>[] = [];
    for (const { key, entry } of this.#scan(kind, options)) {
      const revision = String(entry.revision);
      try {
        items.push({ key, value: decodeStored(key, entry.text), revision });
      } catch (error) {
        if (!(error instanceof ValidationError)) throw error;
        invalid.push({ key, revision, reason: error.message });
      }
    }
    return { items: sortedByKey(items), invalid, revision: this.#listRevision(options) };
  }

  async *listPieces<K extends Kind>(kind: K, options?: ListOptions): AsyncGenerator<ListResult<K>> {
    yield this.list(kind, options);
  }

  async listRevisions<K extends Kind>(kind: K, options?: ListOptions): Promise<RevisionList<K>> {
    await this.#begin(options);
    const entries = this.#scan(kind, options).map(({ key, entry }) => ({ key, revision: String(entry.revision) }));
    return { entries: sortedByKey(entries), revision: this.#listRevision(options) };
  }

  async create<K extends Kind>(
    key: ResourceKey<K>,
    value: ResourceByKind[K],
    options?: TtlOptions,
  ): Promise<Stored<K>> {
    return this.#written(key, value, await this.#write([{ type: 'create', key, value }], options));
  }

  async update<K extends Kind>(
    key: ResourceKey<K>,
    value: ResourceByKind[K],
    revision: string,
    options?: CallOptions,
  ): Promise<Stored<K>> {
    return this.#written(key, value, await this.#write([{ type: 'update', key, value, revision }], options));
  }

  async put<K extends Kind>(key: ResourceKey<K>, value: ResourceByKind[K], options?: TtlOptions): Promise<Stored<K>> {
    return this.#written(key, value, await this.#write([{ type: 'put', key, value }], options));
  }

  async delete<K extends Kind>(
    key: ResourceKey<K>,
    options?: CallOptions & { readonly revision?: string },
  ): Promise<Stored<K>> {
    await this.#begin(options);
    const entry = this.#entries.get(formatKeyPath(key));
    const revision = options?.revision;
    this.#commitNow([{ type: 'delete', key, ...(revision === undefined ? {} : { revision }) }]);
    if (entry === undefined) throw doesNotExist(key);
    return { key, value: decodeStored(key, entry.text), revision: String(entry.revision) };
  }

  commit(operations: readonly WriteOperation[], options?: CallOptions): Promise<string> {
    return this.#write(operations, options);
  }

  async *watch(kinds: readonly Kind[], options: WatchOptions): AsyncGenerator<WatchBatch> {
    const { signal } = options;
    const after = Number(parseRevision(options.afterRevision));
    if (signal?.aborted === true) return;
    if (this.#closed) throw isClosed(this.description);
    if (after < this.#compactedRevision) throw isCompacted(this.description, options.afterRevision);
    if (after > this.#revision) throw wentBack(this.description, options.afterRevision, String(this.#revision));
    const watcher = { kinds: new Set(kinds), queue: new WatchQueue(this.description, this.#watchBufferEvents) };
    const stop = (): void => watcher.queue.end();
    signal?.addEventListener('abort', stop, { once: true });
    this.#watchers.add(watcher);
    try {
      watcher.queue.push({ events: [], revision: options.afterRevision });
      this.#deliver(
        watcher,
        this.#history.filter((change) => change.revision > after),
      );
      for (;;) {
        const batch = await watcher.queue.next();
        if (batch === undefined) return;
        yield batch;
      }
    } finally {
      this.#watchers.delete(watcher);
      signal?.removeEventListener('abort', stop);
    }
  }

  /** Forgets the history up to now: watches and lists from before it fail. */
  compact(): void {
    this.#compactedRevision = this.#revision;
    this.#base = new Map(this.#entries);
    this.#history = [];
  }

  /** Writes stored text as it stands, readable or not. */
  putRaw(path: string, text: string): void {
    this.#apply([{ revision: (this.#revision += 1), path, text }]);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#closed = true;
    for (const timer of this.#expiry.values()) timer.cancel();
    this.#expiry.clear();
    for (const watcher of this.#watchers) watcher.queue.fail(isClosed(this.description));
    await Promise.resolve();
  }

  /** Calls answer in a later microtask, as those of a store elsewhere do. */
  async #begin(options: CallOptions | undefined): Promise<void> {
    options?.signal?.throwIfAborted();
    await Promise.resolve();
    if (this.#closed) throw isClosed(this.description);
  }

  #written<K extends Kind>(key: ResourceKey<K>, value: ResourceByKind[K], revision: string): Stored<K> {
    return { key, value, revision };
  }

  async #write(operations: readonly WriteOperation[], options: TtlOptions | undefined): Promise<string> {
    await this.#begin(options);
    const revision = this.#commitNow(operations);
    if (options?.ttlSeconds !== undefined) {
      for (const { key } of operations) this.#expireLater(formatKeyPath(key), options.ttlSeconds);
    }
    return revision;
  }

  #commitNow(operations: readonly WriteOperation[]): string {
    checkCommit(operations);
    for (const operation of operations) this.#check(operation);
    if (operations.length === 0) return String(this.#revision);
    const revision = (this.#revision += 1);
    const changes = operations.map((operation) => ({
      revision,
      path: formatKeyPath(operation.key),
      text: operation.type === 'delete' ? undefined : encodeStored(operation.key.kind, operation.value),
    }));
    this.#apply(changes);
    return String(revision);
  }

  #check(operation: WriteOperation): void {
    const { key } = operation;
    const entry = this.#entries.get(formatKeyPath(key));
    if (operation.type === 'create' && entry !== undefined) throw existsAlready(key);
    if (operation.type !== 'update' && operation.type !== 'delete') return;
    if (entry === undefined) throw doesNotExist(key);
    const { revision } = operation;
    if (revision !== undefined && revision !== String(entry.revision)) {
      throw hasChanged(key, revision, String(entry.revision));
    }
  }

  #apply(changes: readonly Change[]): void {
    for (const { path, text, revision } of changes) {
      this.#expiry.get(path)?.cancel();
      this.#expiry.delete(path);
      if (text === undefined) this.#entries.delete(path);
      else this.#entries.set(path, { text, revision });
    }
    this.#history.push(...changes);
    if (this.#history.length > MAX_HISTORY) this.compact();
    for (const watcher of this.#watchers) this.#deliver(watcher, changes);
  }

  #deliver(watcher: Watcher, changes: readonly Change[]): void {
    let events: WatchEvent[] = [];
    for (const [index, change] of changes.entries()) {
      const key = parseKeyPath(change.path);
      if (key !== undefined && watcher.kinds.has(key.kind)) {
        events.push(decodeEvent(key, change.text, String(change.revision)));
      }
      if (changes[index + 1]?.revision === change.revision) continue;
      if (events.length > 0) watcher.queue.push({ events, revision: String(change.revision) });
      events = [];
    }
  }

  #expireLater(path: string, ttlSeconds: number): void {
    const timer = this.#clock.setTimer(ttlSeconds * 1_000, () => {
      this.#apply([{ revision: (this.#revision += 1), path, text: undefined }]);
    });
    this.#expiry.set(path, timer);
  }

  #listRevision(options: ListOptions | undefined): string {
    return options?.revision ?? String(this.#revision);
  }

  /** Entries of a kind, as of the revision asked for. */
  #scan<K extends Kind>(kind: K, options: ListOptions | undefined): { key: ResourceKey<K>; entry: Entry }[] {
    const prefixes = keyPrefixes(kind, options?.namespace);
    const found: { key: ResourceKey<K>; entry: Entry }[] = [];
    for (const [path, entry] of this.#entriesAt(options?.revision)) {
      if (!prefixes.some((prefix) => path.startsWith(prefix))) continue;
      const key = parseKeyPath(path);
      if (key?.kind !== kind || isBuiltInKey(key)) continue;
      if (options?.namespace !== undefined && key.namespace !== options.namespace) continue;
      if (!key.name.startsWith(options?.namePrefix ?? '')) continue;
      found.push({ key: key as ResourceKey<K>, entry });
    }
    return found;
  }

  #entriesAt(revisionText: string | undefined): ReadonlyMap<string, Entry> {
    if (revisionText === undefined) return this.#entries;
    const revision = Number(parseRevision(revisionText));
    if (revision === this.#revision) return this.#entries;
    if (revision > this.#revision) throw wentBack(this.description, revisionText, String(this.#revision));
    if (revision < this.#compactedRevision) throw isCompacted(this.description, revisionText);
    const entries = new Map(this.#base);
    for (const change of this.#history) {
      if (change.revision > revision) break;
      if (change.text === undefined) entries.delete(change.path);
      else entries.set(change.path, { text: change.text, revision: change.revision });
    }
    return entries;
  }
}
