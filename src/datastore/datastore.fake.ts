import type { Kind, ResourceByKind } from '../api/registry.js';
import { UnavailableError } from '../base/errors.js';
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
} from './datastore.js';

type TtlOptions = CallOptions & { readonly ttlSeconds?: number };

/** A store that a test can take away, whose watches it can cut, silence, delay and repeat. */
export class UnreliableDatastore implements Datastore {
  readonly description: string;
  readonly atomicCommits: boolean;
  /** While set, every call fails. */
  isDown = false;
  /** Lists of values so far: a resume needs none. */
  lists = 0;
  /** What becomes of a batch on its way to the reader. */
  deliver: (batch: WatchBatch) => readonly WatchBatch[] = (batch) => [batch];
  readonly #store: Datastore;
  #cuts = new Set<(error: Error) => void>();

  constructor(store: Datastore, description = 'etcd at http://192.0.2.10:2379') {
    this.#store = store;
    this.description = description;
    this.atomicCommits = store.atomicCommits;
  }

  /** Breaks every watch. */
  cut(error: Error = this.#refused()): void {
    for (const cut of this.#cuts) cut(error);
  }

  get<K extends Kind>(key: ResourceKey<K>, options?: CallOptions): Promise<Stored<K>> {
    return this.#try(() => this.#store.get(key, options));
  }

  list<K extends Kind>(kind: K, options?: ListOptions): Promise<ListResult<K>> {
    this.lists += 1;
    return this.#try(() => this.#store.list(kind, options));
  }

  async *listPieces<K extends Kind>(kind: K, options?: ListOptions): AsyncGenerator<ListResult<K>> {
    this.lists += 1;
    if (this.isDown) throw this.#refused();
    yield* this.#store.listPieces(kind, options);
  }

  listRevisions<K extends Kind>(kind: K, options?: ListOptions): Promise<RevisionList<K>> {
    return this.#try(() => this.#store.listRevisions(kind, options));
  }

  create<K extends Kind>(key: ResourceKey<K>, value: ResourceByKind[K], options?: TtlOptions): Promise<Stored<K>> {
    return this.#try(() => this.#store.create(key, value, options));
  }

  update<K extends Kind>(
    key: ResourceKey<K>,
    value: ResourceByKind[K],
    revision: string,
    options?: CallOptions,
  ): Promise<Stored<K>> {
    return this.#try(() => this.#store.update(key, value, revision, options));
  }

  put<K extends Kind>(key: ResourceKey<K>, value: ResourceByKind[K], options?: TtlOptions): Promise<Stored<K>> {
    return this.#try(() => this.#store.put(key, value, options));
  }

  delete<K extends Kind>(
    key: ResourceKey<K>,
    options?: CallOptions & { readonly revision?: string },
  ): Promise<Stored<K>> {
    return this.#try(() => this.#store.delete(key, options));
  }

  commit(operations: readonly WriteOperation[], options?: CallOptions): Promise<string> {
    return this.#try(() => this.#store.commit(operations, options));
  }

  async *watch(kinds: readonly Kind[], options: WatchOptions): AsyncGenerator<WatchBatch> {
    if (this.isDown) throw this.#refused();
    const iterator = this.#store.watch(kinds, options)[Symbol.asyncIterator]();
    let cut: (error: Error) => void = () => undefined;
    const broken = new Promise<never>((_resolve, reject) => {
      cut = reject;
    });
    broken.catch(() => undefined);
    this.#cuts.add(cut);
    try {
      for (;;) {
        const result = await Promise.race([iterator.next(), broken]);
        if (result.done === true) return;
        yield* this.deliver(result.value);
      }
    } finally {
      this.#cuts.delete(cut);
      // Not awaited: the store's generator may be waiting for a change that never comes.
      void iterator.return?.(undefined);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#store[Symbol.asyncDispose]();
  }

  #refused(): UnavailableError {
    return new UnavailableError('ERR_CALI_DATASTORE_UNAVAILABLE', `${this.description}: connection refused`);
  }

  #try<T>(call: () => Promise<T>): Promise<T> {
    return this.isDown ? Promise.reject(this.#refused()) : call();
  }
}
