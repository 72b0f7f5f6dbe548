import type { Kind, ResourceByKind } from '../api/registry.js';
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

/** What is asked of a store and answered once. */
export type StoreRequest =
  | { readonly operation: 'get' | 'create' | 'put' | 'delete'; readonly key: ResourceKey }
  | { readonly operation: 'update'; readonly key: ResourceKey; readonly revision: string }
  | { readonly operation: 'list' | 'list revisions'; readonly kind: Kind; readonly options: ListOptions | undefined }
  | { readonly operation: 'commit'; readonly operations: readonly WriteOperation[] };

/** Another store under its own name: passes everything on. Stores that stand before another one override what they are there for. */
export class ForwardingDatastore implements Datastore {
  readonly #store: Datastore;

  /** @param store is closed with this one */
  constructor(store: Datastore) {
    this.#store = store;
  }

  get description(): string {
    return this.#store.description;
  }

  get atomicCommits(): boolean {
    return this.#store.atomicCommits;
  }

  get<K extends Kind>(key: ResourceKey<K>, options?: CallOptions): Promise<Stored<K>> {
    return this.pass({ operation: 'get', key }, () => this.#store.get(key, options));
  }

  list<K extends Kind>(kind: K, options?: ListOptions): Promise<ListResult<K>> {
    return this.pass({ operation: 'list', kind, options }, () => this.#store.list(kind, options));
  }

  listPieces<K extends Kind>(kind: K, options?: ListOptions): AsyncIterable<ListResult<K>> {
    return this.#store.listPieces(kind, options);
  }

  listRevisions<K extends Kind>(kind: K, options?: ListOptions): Promise<RevisionList<K>> {
    return this.pass({ operation: 'list revisions', kind, options }, () => this.#store.listRevisions(kind, options));
  }

  create<K extends Kind>(
    key: ResourceKey<K>,
    value: ResourceByKind[K],
    options?: CallOptions & { readonly ttlSeconds?: number },
  ): Promise<Stored<K>> {
    return this.pass({ operation: 'create', key }, () => this.#store.create(key, value, options));
  }

  update<K extends Kind>(
    key: ResourceKey<K>,
    value: ResourceByKind[K],
    revision: string,
    options?: CallOptions,
  ): Promise<Stored<K>> {
    return this.pass({ operation: 'update', key, revision }, () => this.#store.update(key, value, revision, options));
  }

  put<K extends Kind>(
    key: ResourceKey<K>,
    value: ResourceByKind[K],
    options?: CallOptions & { readonly ttlSeconds?: number },
  ): Promise<Stored<K>> {
    return this.pass({ operation: 'put', key }, () => this.#store.put(key, value, options));
  }

  delete<K extends Kind>(
    key: ResourceKey<K>,
    options?: CallOptions & { readonly revision?: string },
  ): Promise<Stored<K>> {
    return this.pass({ operation: 'delete', key }, () => this.#store.delete(key, options));
  }

  commit(operations: readonly WriteOperation[], options?: CallOptions): Promise<string> {
    return this.pass({ operation: 'commit', operations }, () => this.#store.commit(operations, options));
  }

  watch(kinds: readonly Kind[], options: WatchOptions): AsyncIterable<WatchBatch> {
    return this.#store.watch(kinds, options);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#store[Symbol.asyncDispose]();
  }

  /** Every request but `listPieces` and `watch`, which answer many times. @param send asks the store behind */
  protected pass<T>(_request: StoreRequest, send: () => Promise<T>): Promise<T> {
    return send();
  }
}
