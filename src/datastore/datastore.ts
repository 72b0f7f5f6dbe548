import type { Kind, ResourceByKind } from '../api/registry.js';
import type { ResourceKey } from '../api/resource-update.js';

export type { ResourceKey };

/** An object as stored, with the revision that compare-and-swap wants back. Revisions are opaque decimal text. */
export interface Stored<K extends Kind = Kind> {
  readonly key: ResourceKey<K>;
  readonly value: ResourceByKind[K];
  readonly revision: string;
}

/** One write of a commit. `update` and `delete` with a revision are compare-and-swap. */
export type WriteOperation<K extends Kind = Kind> =
  | { readonly type: 'create'; readonly key: ResourceKey<K>; readonly value: ResourceByKind[K] }
  | {
      readonly type: 'update';
      readonly key: ResourceKey<K>;
      readonly value: ResourceByKind[K];
      readonly revision: string;
    }
  | { readonly type: 'put'; readonly key: ResourceKey<K>; readonly value: ResourceByKind[K] }
  | { readonly type: 'delete'; readonly key: ResourceKey<K>; readonly revision?: string };

export interface CallOptions {
  readonly signal?: AbortSignal;
}

export interface ListOptions extends CallOptions {
  readonly namespace?: string;
  /** Only objects whose name begins so; cheap to find for block affinities of a host (`host:calico-01/`), and within a namespace. */
  readonly namePrefix?: string;
  /** List as of this revision. */
  readonly revision?: string;
}

/** Stored bytes that are not an object of the kind. */
export interface InvalidEntry<K extends Kind = Kind> {
  readonly key: ResourceKey<K>;
  readonly revision: string;
  readonly reason: string;
}

export interface ListResult<K extends Kind = Kind> {
  readonly items: readonly Stored<K>[];
  /** What lies there and cannot be read; treat as absent, say so. */
  readonly invalid: readonly InvalidEntry<K>[];
  /** The store's revision at the time of the list: watch from here. */
  readonly revision: string;
}

/** Which objects there are and in which revision, the unreadable ones included and the built-in ones not. */
export interface RevisionList<K extends Kind = Kind> {
  readonly entries: readonly { readonly key: ResourceKey<K>; readonly revision: string }[];
  readonly revision: string;
}

/** Distributes over kinds, so that a switch on `key.kind` narrows the value. */
export type WatchEvent = {
  readonly [K in Kind]:
    | {
        readonly type: 'put';
        readonly kind: K;
        readonly key: ResourceKey<K>;
        readonly value: ResourceByKind[K];
        readonly revision: string;
      }
    | { readonly type: 'delete'; readonly kind: K; readonly key: ResourceKey<K>; readonly revision: string }
    /** The stored bytes are not an object of the kind: treat as deleted, say so. */
    | {
        readonly type: 'invalid';
        readonly kind: K;
        readonly key: ResourceKey<K>;
        readonly revision: string;
        readonly reason: string;
      };
}[Kind];

/** Events of one delivery, in revision order; empty for a progress notice. */
export interface WatchBatch {
  readonly events: readonly WatchEvent[];
  /** Everything up to here has been delivered. */
  readonly revision: string;
}

export interface WatchOptions extends CallOptions {
  /** Deliver what came after this revision (that of a list). */
  readonly afterRevision: string;
}

/**
 * A store of resources with compare-and-swap.
 *
 * Promises: a write is visible to every later read; a watch delivers each change of the kinds asked for exactly once and in
 * revision order, until it ends; it never runs backwards. A slow reader is buffered within bounds, then cut (the watch throws
 * UnavailableError). Failures: NotFoundError, AlreadyExistsError, ConflictError, UnavailableError (worth retrying),
 * ValidationError; `cause` holds what the backend said. A call whose `signal` aborts rejects with the signal's reason; a write that
 * failed with UnavailableError may have happened all the same.
 */
export interface Datastore extends AsyncDisposable {
  /** For messages: `etcd at https://192.0.2.10:2379`, `memory`. Never holds credentials. */
  readonly description: string;

  get<K extends Kind>(key: ResourceKey<K>, options?: CallOptions): Promise<Stored<K>>;
  /**
   * Sorted by namespace, then name. One moment of the store, however many pages it takes.
   *
   * @throws {ConflictError} `ERR_CALI_DATASTORE_COMPACTED` when the revision asked for, or that of the first page, is gone
   */
  list<K extends Kind>(kind: K, options?: ListOptions): Promise<ListResult<K>>;
  /**
   * The same a few hundred objects at a time, at least once, so that nobody has to hold all of them. In no order; every piece has the
   * revision of the whole. Built-in objects are in the first.
   */
  listPieces<K extends Kind>(kind: K, options?: ListOptions): AsyncIterable<ListResult<K>>;
  /** The same without values: cheap enough to compare now and then with what a watch said. */
  listRevisions<K extends Kind>(kind: K, options?: ListOptions): Promise<RevisionList<K>>;

  create<K extends Kind>(
    key: ResourceKey<K>,
    value: ResourceByKind[K],
    options?: CallOptions & { readonly ttlSeconds?: number },
  ): Promise<Stored<K>>;
  /** Compare-and-swap on `revision`. */
  update<K extends Kind>(
    key: ResourceKey<K>,
    value: ResourceByKind[K],
    revision: string,
    options?: CallOptions,
  ): Promise<Stored<K>>;
  /** Unconditional. With `ttlSeconds` the object disappears unless it is put again. */
  put<K extends Kind>(
    key: ResourceKey<K>,
    value: ResourceByKind[K],
    options?: CallOptions & { readonly ttlSeconds?: number },
  ): Promise<Stored<K>>;
  /** @returns what was deleted */
  delete<K extends Kind>(
    key: ResourceKey<K>,
    options?: CallOptions & { readonly revision?: string },
  ): Promise<Stored<K>>;

  /**
   * Several writes of different objects, at most 100. Where `atomicCommits` is true all happen or none; otherwise they happen in the
   * order given and stop at the first that fails, so callers order them so that a crash in between is harmless.
   *
   * @returns the revision after the commit; every key written has it
   */
  commit(operations: readonly WriteOperation[], options?: CallOptions): Promise<string>;
  readonly atomicCommits: boolean;

  /**
   * Changes of these kinds. The first batch is empty and says that the watch is running. Writes of one commit arrive in one batch where
   * `atomicCommits` is true. Ends by throwing: ConflictError with code `ERR_CALI_DATASTORE_COMPACTED` when the start revision is
   * gone or the store went back behind it (list again), UnavailableError when the connection is lost for good. Returns quietly when `signal` aborts.
   */
  watch(kinds: readonly Kind[], options: WatchOptions): AsyncIterable<WatchBatch>;
}
