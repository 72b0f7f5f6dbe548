import { formatKeyPath } from '../api/keys.js';
import type { ResourceByKind } from '../api/registry.js';
import type { ResourceKey } from '../api/resource-update.js';
import { AlreadyExistsError, CalicoError, ConflictError, NotFoundError } from '../base/errors.js';
import type { Datastore, WriteOperation } from '../datastore/datastore.js';

/** The kinds that IPAM writes. */
export type IpamKind = 'IPAMBlock' | 'IPAMHandle' | 'BlockAffinity';

/** An object as last read or written; no value: it does not exist. */
interface Known {
  readonly value: unknown;
  readonly revision: string | undefined;
}

interface Entry extends Known {
  readonly key: ResourceKey<IpamKind>;
  readonly isDirty: boolean;
}

/** Objects remembered between transactions; a handle is about 200 bytes, a block 5,000. */
const MAX_CACHED = 5_000;

/**
 * What this process last read or wrote: right most of the time, because a host's blocks and handles are written by that host. When it
 * is wrong, a compare-and-swap loses and the operation is done again from fresh reads.
 */
export class IpamCache {
  readonly #known = new Map<string, Known>();

  get(path: string): Known | undefined {
    return this.#known.get(path);
  }

  set(path: string, known: Known): void {
    this.#known.delete(path);
    this.#known.set(path, known);
    if (this.#known.size <= MAX_CACHED) return;
    for (const oldest of this.#known.keys()) {
      this.#known.delete(oldest);
      if (this.#known.size <= MAX_CACHED / 2) break;
    }
  }

  forget(path: string): void {
    this.#known.delete(path);
  }

  clear(): void {
    this.#known.clear();
  }
}

/** Somebody else was faster: do the operation again. */
export class LostRaceError extends CalicoError {
  override readonly name = 'LostRaceError';

  constructor(cause: CalicoError) {
    super('ERR_CALI_IPAM_LOST_RACE', `IPAM lost a race: ${cause.message}`, { cause });
  }
}

/** What a transaction can be rolled back to. */
export type Savepoint = ReadonlyMap<string, Entry>;

/**
 * The reads and writes of one operation, or of several that are committed together. Reads see its own writes; everything is written by
 * one commit, in the order of the first write of each object, which is the order that is safe where commits are not atomic.
 */
export class IpamTransaction {
  readonly #datastore: Datastore;
  readonly #cache: IpamCache;
  /** Reads come from the store, not from the cache. */
  readonly isFresh: boolean;
  #entries = new Map<string, Entry>();
  /** A read was answered from the cache, so a refusal may rest on old facts. */
  #hasUsedCache = false;

  constructor(datastore: Datastore, cache: IpamCache, isFresh: boolean) {
    this.#datastore = datastore;
    this.#cache = cache;
    this.isFresh = isFresh;
  }

  get hasUsedCache(): boolean {
    return this.#hasUsedCache;
  }

  /** The object, or undefined when it does not exist. */
  async get<K extends IpamKind>(key: ResourceKey<K>): Promise<ResourceByKind[K] | undefined> {
    const path = formatKeyPath(key);
    const entry = this.#entries.get(path) ?? this.#fromCache(path, key) ?? (await this.#read(path, key));
    return entry.value as ResourceByKind[K] | undefined;
  }

  /** As {@link get}, but an object nobody here has heard of is taken to be absent: the commit finds out. */
  async getLikelyNew<K extends IpamKind>(key: ResourceKey<K>): Promise<ResourceByKind[K] | undefined> {
    const path = formatKeyPath(key);
    const entry = this.#entries.get(path) ?? this.#fromCache(path, key);
    if (entry !== undefined) return entry.value as ResourceByKind[K] | undefined;
    if (this.isFresh) return this.get(key);
    this.#hasUsedCache = true;
    this.#entries.set(path, { key, value: undefined, revision: undefined, isDirty: false });
    return undefined;
  }

  /** Reads from the store what was so far taken from the cache; own writes stay. */
  async refresh<K extends IpamKind>(key: ResourceKey<K>): Promise<ResourceByKind[K] | undefined> {
    const path = formatKeyPath(key);
    const entry = this.#entries.get(path);
    if (entry?.isDirty === true) return entry.value as ResourceByKind[K] | undefined;
    return (await this.#read(path, key)).value as ResourceByKind[K] | undefined;
  }

  /** Takes in what was read elsewhere, by a list. */
  note<K extends IpamKind>(key: ResourceKey<K>, value: ResourceByKind[K], revision: string): void {
    const path = formatKeyPath(key);
    if (!this.#entries.has(path)) this.#entries.set(path, { key, value, revision, isDirty: false });
  }

  /** Writes at commit; undefined deletes. */
  set<K extends IpamKind>(key: ResourceKey<K>, value: ResourceByKind[K] | undefined): void {
    const path = formatKeyPath(key);
    const entry = this.#entries.get(path);
    if (entry === undefined) throw new Error(`IPAM writes ${path} without reading it first`);
    // The first write keeps its place in the order.
    if (!entry.isDirty) this.#entries.delete(path);
    this.#entries.set(path, { ...entry, value, isDirty: true });
  }

  /** Number of objects that the commit writes. */
  get writes(): number {
    let writes = 0;
    for (const entry of this.#entries.values()) if (entry.isDirty) writes += 1;
    return writes;
  }

  savepoint(): Savepoint {
    return new Map(this.#entries);
  }

  /** Undoes the writes since then; what was read stays known. */
  rollback(savepoint: Savepoint): void {
    const entries = new Map(savepoint);
    for (const [path, entry] of this.#entries) {
      if (!entries.has(path) && !entry.isDirty) entries.set(path, entry);
    }
    this.#entries = entries;
  }

  /**
   * Writes everything.
   *
   * @throws {LostRaceError} something changed since it was read
   */
  async commit(): Promise<void> {
    const dirty = [...this.#entries].filter(([, entry]) => entry.isDirty);
    const operations = dirty.flatMap(([, entry]) => operationFor(entry));
    if (operations.length === 0) return;
    try {
      const revision = await this.#datastore.commit(operations);
      for (const [path, { value }] of dirty) {
        if (value === undefined) this.#cache.forget(path);
        else this.#cache.set(path, { value, revision });
      }
    } catch (error) {
      // Whether it happened or not, what we knew may be old now.
      for (const [path] of this.#entries) this.#cache.forget(path);
      const isRace =
        error instanceof ConflictError || error instanceof AlreadyExistsError || error instanceof NotFoundError;
      throw isRace ? new LostRaceError(error) : error;
    }
  }

  #fromCache<K extends IpamKind>(path: string, key: ResourceKey<K>): Entry | undefined {
    const known = this.isFresh ? undefined : this.#cache.get(path);
    if (known === undefined) return undefined;
    this.#hasUsedCache = true;
    const entry = { ...known, key, isDirty: false };
    this.#entries.set(path, entry);
    return entry;
  }

  async #read<K extends IpamKind>(path: string, key: ResourceKey<K>): Promise<Entry> {
    let entry: Entry;
    try {
      const { value, revision } = await this.#datastore.get(key);
      entry = { key, value, revision, isDirty: false };
      this.#cache.set(path, { value, revision });
    } catch (error) {
      if (!(error instanceof NotFoundError)) throw error;
      entry = { key, value: undefined, revision: undefined, isDirty: false };
      this.#cache.forget(path);
    }
    this.#entries.set(path, entry);
    return entry;
  }
}

function operationFor({ key, value, revision }: Entry): WriteOperation[] {
  if (value === undefined) return revision === undefined ? [] : [{ type: 'delete', key, revision }];
  // The key and its value were given together; the compiler no longer sees that.
  const stored = value as ResourceByKind[IpamKind];
  return revision === undefined
    ? [{ type: 'create', key, value: stored }]
    : [{ type: 'update', key, value: stored, revision }];
}
