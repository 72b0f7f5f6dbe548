import { formatKeyPath, parseKeyPath } from '../../api/keys.js';
import type { Kind, ResourceByKind } from '../../api/registry.js';
import { decodeStored } from '../../api/stored-form.js';
import { systemClock, TimeSlice } from '../../base/clock.js';
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
  WatchOptions,
  WriteOperation,
} from '../datastore.js';
import { doesNotExist, parseRevision, wentBack } from '../errors.js';
import type { EtcdConfig } from './config.js';
import { EtcdConnection, type EtcdConnectionOptions } from './connection.js';
import type { StatusResponse, TxnResponse } from './generated/etcd.js';
import { compactMethod, leaseGrantMethod, rangeMethod, statusMethod, txnMethod } from './methods.js';
import type { StoredPair } from './range-response.js';
import { type KeyRange, kindRanges } from './ranges.js';
import { explainRefusal, planTxn } from './transactions.js';
import { watchKinds } from './watch.js';

/** Small enough that decoding a page does not hold up the event loop. */
const PAGE_SIZE = 1_000n;
/** How long reading values may keep the event loop, and how many are handed over at a time. */
const TURN_MS = 10;
const PIECE = 200;
const NO_BYTES = Buffer.alloc(0);

export interface EtcdDatastoreOptions extends EtcdConnectionOptions {
  /** Events that may wait for a reader of a watch before it is cut. */
  readonly watchBufferEvents?: number;
}

interface Piece<K extends Kind> {
  readonly entries: readonly { readonly key: ResourceKey<K>; readonly kv: StoredPair }[];
  readonly revision: string;
}

type TtlOptions = CallOptions & { readonly ttlSeconds?: number };

/** etcd v3, in the key layout that other Calico tools use. Connects with the first call. */
export class EtcdDatastore implements Datastore {
  readonly atomicCommits = true;
  readonly #connection: EtcdConnection;
  readonly #watchBufferEvents: number | undefined;

  /** @throws {CalicoError} `ERR_CALI_DATASTORE_CONFIG` */
  constructor(config: EtcdConfig, options: EtcdDatastoreOptions = {}) {
    this.#connection = new EtcdConnection(config, options);
    this.#watchBufferEvents = options.watchBufferEvents;
  }

  get description(): string {
    return this.#connection.description;
  }

  async get<K extends Kind>(key: ResourceKey<K>, options?: CallOptions): Promise<Stored<K>> {
    const builtIn = builtInFor(key);
    if (builtIn !== undefined) return builtIn;
    const request = {
      key: Buffer.from(formatKeyPath(key)),
      rangeEnd: NO_BYTES,
      limit: 1n,
      revision: 0n,
      keysOnly: false,
    };
    const { kvs } = await this.#connection.call(rangeMethod, request, options);
    const [kv] = kvs;
    if (kv === undefined) throw doesNotExist(key);
    return { key, value: decodeStored(key, kv.value.toString()), revision: String(kv.modRevision) };
  }

  async list<K extends Kind>(kind: K, options?: ListOptions): Promise<ListResult<K>> {
    const items: Stored<K>[] = [];
    const invalid: InvalidEntry<K>[] = [];
    let revision = '0';
    for await (const piece of this.listPieces(kind, options)) {
      for (const item of piece.items) items.push(item);
      for (const entry of piece.invalid) invalid.push(entry);
      ({ revision } = piece);
    }
    return { items: sortedByKey(items), invalid, revision };
  }

  async *listPieces<K extends Kind>(kind: K, options?: ListOptions): AsyncGenerator<ListResult<K>> {
    let items: Stored<K>[] = [...builtInOf(kind, options)];
    for await (const { entries, revision } of this.#scan(kind, options, false)) {
      const invalid: InvalidEntry<K>[] = [];
      for (const { key, kv } of entries) {
        const entryRevision = String(kv.modRevision);
        try {
          items.push({ key, value: decodeStored(key, kv.value.toString()), revision: entryRevision });
        } catch (error) {
          if (!(error instanceof ValidationError)) throw error;
          invalid.push({ key, revision: entryRevision, reason: error.message });
        }
      }
      yield { items, invalid, revision };
      items = [];
    }
  }

  async listRevisions<K extends Kind>(kind: K, options?: ListOptions): Promise<RevisionList<K>> {
    const listed: { key: ResourceKey<K>; revision: string }[] = [];
    let revision = '0';
    for await (const piece of this.#scan(kind, options, true)) {
      for (const { key, kv } of piece.entries) listed.push({ key, revision: String(kv.modRevision) });
      ({ revision } = piece);
    }
    return { entries: sortedByKey(listed), revision };
  }

  async create<K extends Kind>(
    key: ResourceKey<K>,
    value: ResourceByKind[K],
    options?: TtlOptions,
  ): Promise<Stored<K>> {
    const response = await this.#write([{ type: 'create', key, value }], options);
    return { key, value, revision: revisionOf(response) };
  }

  async update<K extends Kind>(
    key: ResourceKey<K>,
    value: ResourceByKind[K],
    revision: string,
    options?: CallOptions,
  ): Promise<Stored<K>> {
    const response = await this.#write([{ type: 'update', key, value, revision }], options);
    return { key, value, revision: revisionOf(response) };
  }

  async put<K extends Kind>(key: ResourceKey<K>, value: ResourceByKind[K], options?: TtlOptions): Promise<Stored<K>> {
    const response = await this.#write([{ type: 'put', key, value }], options);
    return { key, value, revision: revisionOf(response) };
  }

  async delete<K extends Kind>(
    key: ResourceKey<K>,
    options?: CallOptions & { readonly revision?: string },
  ): Promise<Stored<K>> {
    const revision = options?.revision;
    const operation = { type: 'delete', key, ...(revision === undefined ? {} : { revision }) } as const;
    const response = await this.#write([operation], options);
    const deleted = response.responses[0]?.responseDeleteRange?.prevKvs[0];
    if (deleted === undefined) throw doesNotExist(key);
    return { key, value: decodeStored(key, deleted.value.toString()), revision: String(deleted.modRevision) };
  }

  async commit(operations: readonly WriteOperation[], options?: CallOptions): Promise<string> {
    return revisionOf(await this.#write(operations, options));
  }

  watch(kinds: readonly Kind[], options: WatchOptions): AsyncGenerator<WatchBatch> {
    return watchKinds(this.#connection, kinds, { ...options, bufferEvents: this.#watchBufferEvents });
  }

  /** The server's version and leader: whether it is there and works. */
  status(options?: CallOptions): Promise<StatusResponse> {
    return this.#connection.call(statusMethod, {}, options);
  }

  /** Forgets the history before a revision; somebody has to, or the store grows with every write. */
  async compact(revision: string, options?: CallOptions): Promise<void> {
    await this.#connection.call(compactMethod, { revision: parseRevision(revision), physical: false }, options);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#connection.close();
    await Promise.resolve();
  }

  async #write(operations: readonly WriteOperation[], options: TtlOptions | undefined): Promise<TxnResponse> {
    checkCommit(operations);
    options?.signal?.throwIfAborted();
    const lease = options?.ttlSeconds === undefined ? 0n : await this.#grantLease(options.ttlSeconds, options);
    const { request, checks } = planTxn(operations, lease);
    const response = await this.#connection.call(txnMethod, request, options);
    if (!response.succeeded) throw explainRefusal(checks, response);
    return response;
  }

  async #grantLease(ttlSeconds: number, options: CallOptions): Promise<bigint> {
    const { ID } = await this.#connection.call(
      leaseGrantMethod,
      { TTL: BigInt(Math.ceil(ttlSeconds)), ID: 0n },
      options,
    );
    return ID;
  }

  /** The keys of a kind piece by piece, all as of one revision; at least one piece for each of its ranges. */
  async *#scan<K extends Kind>(kind: K, options: ListOptions | undefined, keysOnly: boolean): AsyncGenerator<Piece<K>> {
    const asked = options?.revision === undefined ? 0n : parseRevision(options.revision);
    let revision = asked;
    const namePrefix = options?.namePrefix ?? '';
    const slice = new TimeSlice(systemClock, TURN_MS);
    for (const range of kindRanges(kind, options)) {
      for await (const page of this.#pages(range, keysOnly, revision, options)) {
        if (asked > page.storeRevision) throw wentBack(this.description, String(asked), String(page.storeRevision));
        if (revision === 0n) revision = page.storeRevision;
        for (let from = 0; from === 0 || from < page.kvs.length; from += PIECE) {
          const entries = entriesOf(kind, namePrefix, page.kvs.slice(from, from + PIECE));
          yield { entries, revision: String(revision) };
          await slice.pause();
        }
      }
    }
  }

  async *#pages(
    range: KeyRange,
    keysOnly: boolean,
    atRevision: bigint,
    options: CallOptions | undefined,
  ): AsyncGenerator<{ readonly kvs: readonly StoredPair[]; readonly storeRevision: bigint }> {
    let { key } = range;
    let revision = atRevision;
    for (;;) {
      const request = { key, rangeEnd: range.rangeEnd, limit: PAGE_SIZE, revision, keysOnly };
      const { kvs, more, header } = await this.#connection.call(rangeMethod, request, options);
      const storeRevision = header?.revision ?? 0n;
      yield { kvs, storeRevision };
      const last = kvs.at(-1);
      if (!more || last === undefined) return;
      if (revision === 0n) revision = storeRevision;
      key = Buffer.concat([last.key, Buffer.of(0)]);
    }
  }
}

/** Those that are stored objects of the kind; a range may hold others. */
function entriesOf<K extends Kind>(kind: K, namePrefix: string, kvs: readonly StoredPair[]): Piece<K>['entries'] {
  return kvs.flatMap((kv) => {
    const key = parseKeyPath(kv.key.toString());
    if (key?.kind !== kind || isBuiltInKey(key) || !key.name.startsWith(namePrefix)) return [];
    return [{ key: key as ResourceKey<K>, kv }];
  });
}

function revisionOf(response: TxnResponse): string {
  return String(response.header?.revision ?? 0n);
}
