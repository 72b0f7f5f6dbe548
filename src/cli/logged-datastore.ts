import { formatKeyPath } from '../api/keys.js';
import type { Kind } from '../api/registry.js';
import type { Clock } from '../base/clock.js';
import type { Log, LogFacts } from '../base/log.js';
import type { Datastore, ListOptions, ListResult, WatchBatch, WatchOptions } from '../datastore/datastore.js';
import { ForwardingDatastore, type StoreRequest } from '../datastore/forwarding-datastore.js';

/** A store that logs each request before it passes it on: what, on which key, how long, how it ended. Values are never logged. */
export class LoggedDatastore extends ForwardingDatastore {
  readonly #log: Log;
  readonly #clock: Clock;

  constructor(store: Datastore, log: Log, clock: Clock) {
    super(store);
    this.#log = log;
    this.#clock = clock;
  }

  override async list<K extends Kind>(kind: K, options?: ListOptions): Promise<ListResult<K>> {
    const listed = await super.list(kind, options);
    this.#tellInvalid(listed);
    return listed;
  }

  override async *listPieces<K extends Kind>(kind: K, options?: ListOptions): AsyncGenerator<ListResult<K>> {
    this.#log.debug('datastore list in pieces', listFacts(kind, options));
    for await (const piece of super.listPieces(kind, options)) {
      this.#tellInvalid(piece);
      yield piece;
    }
  }

  override watch(kinds: readonly Kind[], options: WatchOptions): AsyncIterable<WatchBatch> {
    this.#log.debug('datastore watch', { kinds, after: options.afterRevision });
    return super.watch(kinds, options);
  }

  protected override async pass<T>(request: StoreRequest, send: () => Promise<T>): Promise<T> {
    const { operation } = request;
    const facts = factsOf(request);
    const startMs = this.#clock.monotonicMs();
    const tookMs = () => Math.round((this.#clock.monotonicMs() - startMs) * 10) / 10;
    try {
      const answer = await super.pass(request, send);
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

function factsOf(request: StoreRequest): LogFacts {
  switch (request.operation) {
    case 'list':
    case 'list revisions':
      return listFacts(request.kind, request.options);
    case 'commit':
      return { writes: request.operations.map(({ type, key }) => `${type} ${formatKeyPath(key)}`) };
    case 'update':
      return { at: formatKeyPath(request.key), revision: request.revision };
    default:
      return { at: formatKeyPath(request.key) };
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
