import type { Kind, ResourceByKind } from '../api/registry.js';
import { formatKeyPath } from '../api/keys.js';
import type { Clock } from '../base/clock.js';
import type { Log, LogFacts } from '../base/log.js';
import type {
  CallOptions,
  Datastore,
  ListOptions,
  ListResult,
  ResourceKey,
  RevisionList,
  Stored,
  WatchBatch,
  WatchOptions,
  WriteOperation,
} from '../datastore/datastore.js';

/** A store that logs each request before it passes it on: what, on which key, how long, how it ended. Values are never logged. */
export class LoggedDatastore implements Datastore {
  readonly #store: Datastore;
  readonly #log: Log;
  readonly #clock: Clock;

  constructor(store: Datastore, log: Log, clock: Clock) {
    this.#store = store;
    this.#log = log;
    this.#clock = clock;
  }

  get description(): string {
    return this.#store.description;
  }

  get atomicCommits(): boolean {
    return this.#store.atomicCommits;
  }

  get<K extends Kind>(key: ResourceKey<K>, options?: CallOptions): Promise<Stored<K>> {
    return this.#logged('get', { at: formatKeyPath(key) }, () => this.#store.get(key, options));
  }

  async list<K extends Kind>(kind: K, options?: ListOptions): Promise<ListResult<K>> {
    const listed = await this.#logged('list', listFacts(kind, options), () => this.#store.list(kind, options));
    this.#tellInvalid(listed);
    return listed;
  }

  async *listPieces<K extends Kind>(kind: K, options?: ListOptions): AsyncGenerator<ListResult<K>> {
    this.#log.debug('datastore list in pieces', listFacts(kind, options));
    for await (const piece of this.#store.listPieces(kind, options)) {
      this.#tellInvalid(piece);
      yield piece;
    }
  }

  listRevisions<K extends Kind>(kind: K, options?: ListOptions): Promise<RevisionList<K>> {
    return this.#logged('list revisions', listFacts(kind, options), () => this.#store.listRevisions(kind, options));
  }

  create<K extends Kind>(
    key: ResourceKey<K>,
    value: ResourceByKind[K],
    options?: CallOptions & { readonly ttlSeconds?: number },
  ): Promise<Stored<K>> {
    return this.#logged('create', { at: formatKeyPath(key) }, () => this.#store.create(key, value, options));
  }

  update<K extends Kind>(
    key: ResourceKey<K>,
    value: ResourceByKind[K],
    revision: string,
    options?: CallOptions,
  ): Promise<Stored<K>> {
    const facts = { at: formatKeyPath(key), revision };
    return this.#logged('update', facts, () => this.#store.update(key, value, revision, options));
  }

  put<K extends Kind>(
    key: ResourceKey<K>,
    value: ResourceByKind[K],
    options?: CallOptions & { readonly ttlSeconds?: number },
  ): Promise<Stored<K>> {
    return this.#logged('put', { at: formatKeyPath(key) }, () => this.#store.put(key, value, options));
  }

  delete<K extends Kind>(
    key: ResourceKey<K>,
    options?: CallOptions & { readonly revision?: string },
  ): Promise<Stored<K>> {
    return this.#logged('delete', { at: formatKeyPath(key) }, () => this.#store.delete(key, options));
  }

  commit(operations: readonly WriteOperation[], options?: CallOptions): Promise<string> {
    const writes = operations.map(({ type, key }) => `${type} ${formatKeyPath(key)}`);
    return this.#logged('commit', { writes }, () => this.#store.commit(operations, options));
  }

  watch(kinds: readonly Kind[], options: WatchOptions): AsyncIterable<WatchBatch> {
    this.#log.debug('datastore watch', { kinds, after: options.afterRevision });
    return this.#store.watch(kinds, options);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#store[Symbol.asyncDispose]();
  }

  async #logged<T>(operation: string, facts: LogFacts, request: () => Promise<T>): Promise<T> {
    const startMs = this.#clock.monotonicMs();
    const tookMs = () => Math.round((this.#clock.monotonicMs() - startMs) * 10) / 10;
    try {
      const answer = await request();
      this.#log.debug(`datastore ${operation}`, { ...facts, tookMs: tookMs() });
      return answer;
    } catch (error) {
      this.#log.debug(`datastore ${operation} failed`, { ...facts, tookMs: tookMs(), error });
      throw error;
    }
  }

  #tellInvalid({ invalid }: ListResult): void {
    for (const { key, reason } of invalid) this.#log.warn('passed over', { at: formatKeyPath(key), reason });
  }
}

function listFacts(kind: Kind, options: ListOptions | undefined): LogFacts {
  const { namespace, namePrefix } = options ?? {};
  return {
    kind,
    ...(namespace === undefined ? {} : { namespace }),
    ...(namePrefix === undefined ? {} : { namePrefix }),
  };
}
