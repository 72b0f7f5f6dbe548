import { formatKeyPath, keyPrefixes } from '../../api/keys.js';
import type { Kind, ResourceByKind } from '../../api/registry.js';
import { decodeStored, encodeStored } from '../../api/stored-form.js';
import { NotFoundError, UnsupportedError, ValidationError } from '../../base/errors.js';
import { builtInFor } from '../built-in-profile.js';
import { checkCommit, sortedByKey } from '../commit-rules.js';
import type {
  CallOptions,
  Datastore,
  ListOptions,
  ListResult,
  ResourceKey,
  RevisionList,
  Stored,
  WatchBatch,
  WriteOperation,
} from '../datastore.js';
import { doesNotExist, existsAlready, hasChanged } from '../errors.js';

/** What would have been written under one key; `text` is undefined where it would have been deleted. */
interface Written {
  readonly key: ResourceKey;
  readonly text: string | undefined;
  readonly revision: string;
}

/** What the writes come to for one object. Both sides present: it is changed, or written anew as it was. */
export interface DryRunChange<K extends Kind = Kind> {
  readonly key: ResourceKey<K>;
  /** As it is stored. */
  readonly before: Stored<K> | undefined;
  /** As it would be. */
  readonly after: Stored<K> | undefined;
}

/** Revisions of what was never stored: decimal as all are, and later than any store will get to. */
const FIRST_REVISION = 10n ** 18n;

/**
 * Another store as it would be: writes are judged as that store would judge them (existence, revisions, one commit whole or not at all)
 * and kept here, reads see them, and nothing is written behind it. Not for watching: nothing happens to it from outside.
 */
export class DryRunDatastore implements Datastore {
  readonly description: string;
  readonly atomicCommits = true;
  readonly #behind: Datastore;
  readonly #written = new Map<string, Written>();
  #revision = FIRST_REVISION;

  /** @param behind stays the caller's to close */
  constructor(behind: Datastore) {
    this.#behind = behind;
    this.description = `dry run on ${behind.description}`;
  }

  /** What the writes come to, in the order in which objects were first written. Objects that came and went again are left out. */
  async changes(): Promise<readonly DryRunChange[]> {
    const changes = await Promise.all(
      [...this.#written.values()].map(async ({ key }) => ({
        key,
        before: await found(this.#behind.get(key)),
        after: await found(this.get(key)),
      })),
    );
    return changes.filter(({ before, after }) => before !== undefined || after !== undefined);
  }

  async get<K extends Kind>(key: ResourceKey<K>, options?: CallOptions): Promise<Stored<K>> {
    const written = this.#written.get(formatKeyPath(key));
    if (written === undefined || builtInFor(key) !== undefined) return this.#behind.get(key, options);
    if (written.text === undefined) throw doesNotExist(key);
    return { key, value: decodeStored(key, written.text), revision: written.revision };
  }

  async list<K extends Kind>(kind: K, options?: ListOptions): Promise<ListResult<K>> {
    const behind = await this.#behind.list(kind, options);
    if (options?.revision !== undefined) return behind;
    const items = behind.items.filter(({ key }) => !this.#written.has(formatKeyPath(key)));
    const invalid = behind.invalid.filter(({ key }) => !this.#written.has(formatKeyPath(key)));
    for (const { key, text, revision } of this.#writtenOf(kind, options)) {
      if (text === undefined) continue;
      try {
        items.push({ key, value: decodeStored(key, text), revision });
      } catch (error) {
        if (!(error instanceof ValidationError)) throw error;
        invalid.push({ key, revision, reason: error.message });
      }
    }
    return { items: sortedByKey(items), invalid: sortedByKey(invalid), revision: behind.revision };
  }

  async *listPieces<K extends Kind>(kind: K, options?: ListOptions): AsyncGenerator<ListResult<K>> {
    yield this.list(kind, options);
  }

  async listRevisions<K extends Kind>(kind: K, options?: ListOptions): Promise<RevisionList<K>> {
    const behind = await this.#behind.listRevisions(kind, options);
    if (options?.revision !== undefined) return behind;
    const kept = behind.entries.filter(({ key }) => !this.#written.has(formatKeyPath(key)));
    const written = [...this.#writtenOf(kind, options)].filter(({ text }) => text !== undefined);
    const entries = [...kept, ...written.map(({ key, revision }) => ({ key, revision }))];
    return { entries: sortedByKey(entries), revision: behind.revision };
  }

  async create<K extends Kind>(key: ResourceKey<K>, value: ResourceByKind[K]): Promise<Stored<K>> {
    await this.commit([{ type: 'create', key, value }]);
    return this.get(key);
  }

  async update<K extends Kind>(key: ResourceKey<K>, value: ResourceByKind[K], revision: string): Promise<Stored<K>> {
    await this.commit([{ type: 'update', key, value, revision }]);
    return this.get(key);
  }

  async put<K extends Kind>(key: ResourceKey<K>, value: ResourceByKind[K]): Promise<Stored<K>> {
    await this.commit([{ type: 'put', key, value }]);
    return this.get(key);
  }

  async delete<K extends Kind>(
    key: ResourceKey<K>,
    options: CallOptions & { readonly revision?: string } = {},
  ): Promise<Stored<K>> {
    const stored = await found(this.get(key, options));
    const { revision } = options;
    await this.commit([{ type: 'delete', key, ...(revision === undefined ? {} : { revision }) }]);
    if (stored === undefined) throw doesNotExist(key);
    return stored;
  }

  async commit(operations: readonly WriteOperation[], options?: CallOptions): Promise<string> {
    checkCommit(operations);
    for (const operation of operations) await this.#check(operation, options);
    if (operations.length > 0) this.#revision += 1n;
    const revision = String(this.#revision);
    for (const operation of operations) {
      const { key } = operation;
      const text = operation.type === 'delete' ? undefined : encodeStored(key.kind, operation.value);
      this.#written.set(formatKeyPath(key), { key, text, revision });
    }
    return revision;
  }

  watch(): AsyncIterable<WatchBatch> {
    throw new UnsupportedError(
      'ERR_CALI_DATASTORE_DRY_RUN',
      'watching a dry run',
      `${this.description} cannot be watched: nothing happens in it`,
    );
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#written.clear();
    await Promise.resolve();
  }

  async #check(operation: WriteOperation, options: CallOptions | undefined): Promise<void> {
    const { key } = operation;
    const revision = await this.#revisionOf(key, options);
    if (operation.type === 'create' && revision !== undefined) throw existsAlready(key);
    if (operation.type !== 'update' && operation.type !== 'delete') return;
    if (revision === undefined) throw doesNotExist(key);
    if (operation.revision !== undefined && operation.revision !== revision) {
      throw hasChanged(key, operation.revision, revision);
    }
  }

  /** Also of what lies there and cannot be read; undefined where there is nothing. */
  async #revisionOf(key: ResourceKey, options: CallOptions | undefined): Promise<string | undefined> {
    const written = this.#written.get(formatKeyPath(key));
    if (written !== undefined) return written.text === undefined ? undefined : written.revision;
    try {
      return (await this.#behind.get(key, options)).revision;
    } catch (error) {
      if (error instanceof NotFoundError) return undefined;
      if (!(error instanceof ValidationError)) throw error;
    }
    const { entries } = await this.#behind.listRevisions(key.kind, { ...options, namePrefix: key.name });
    const path = formatKeyPath(key);
    return entries.find((entry) => formatKeyPath(entry.key) === path)?.revision;
  }

  *#writtenOf<K extends Kind>(
    kind: K,
    options: ListOptions | undefined,
  ): Generator<Written & { readonly key: ResourceKey<K> }> {
    const prefixes = keyPrefixes(kind, options?.namespace);
    for (const [path, written] of this.#written) {
      if (written.key.kind !== kind || !prefixes.some((prefix) => path.startsWith(prefix))) continue;
      if (options?.namespace !== undefined && written.key.namespace !== options.namespace) continue;
      if (!written.key.name.startsWith(options?.namePrefix ?? '')) continue;
      yield written as Written & { readonly key: ResourceKey<K> };
    }
  }
}

async function found<T>(reading: Promise<T>): Promise<T | undefined> {
  try {
    return await reading;
  } catch (error) {
    // What cannot be read counts as absent, as everywhere.
    if (error instanceof NotFoundError || error instanceof ValidationError) return undefined;
    throw error;
  }
}
