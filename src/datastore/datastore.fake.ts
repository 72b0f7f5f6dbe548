import type { Kind } from '../api/registry.js';
import { UnavailableError } from '../base/errors.js';
import type { Datastore, ListOptions, ListResult, WatchBatch, WatchOptions } from './datastore.js';
import { ForwardingDatastore, type StoreRequest } from './forwarding-datastore.js';

/** A store that a test can take away, whose watches it can cut, silence, delay and repeat. */
export class UnreliableDatastore extends ForwardingDatastore {
  /** While set, every call fails. */
  isDown = false;
  /** Lists of values so far: a resume needs none. */
  lists = 0;
  /** What becomes of a batch on its way to the reader. */
  deliver: (batch: WatchBatch) => readonly WatchBatch[] = (batch) => [batch];
  readonly #description: string;
  #cuts = new Set<(error: Error) => void>();

  constructor(store: Datastore, description = 'etcd at http://192.0.2.10:2379') {
    super(store);
    this.#description = description;
  }

  override get description(): string {
    return this.#description;
  }

  /** Breaks every watch. */
  cut(error: Error = this.#refused()): void {
    for (const cut of this.#cuts) cut(error);
  }

  override async *listPieces<K extends Kind>(kind: K, options?: ListOptions): AsyncGenerator<ListResult<K>> {
    this.lists += 1;
    if (this.isDown) throw this.#refused();
    yield* super.listPieces(kind, options);
  }

  override async *watch(kinds: readonly Kind[], options: WatchOptions): AsyncGenerator<WatchBatch> {
    if (this.isDown) throw this.#refused();
    const iterator = super.watch(kinds, options)[Symbol.asyncIterator]();
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

  protected override pass<T>(request: StoreRequest, send: () => Promise<T>): Promise<T> {
    if (request.operation === 'list') this.lists += 1;
    return this.isDown ? Promise.reject(this.#refused()) : super.pass(request, send);
  }

  #refused(): UnavailableError {
    return new UnavailableError('ERR_CALI_DATASTORE_UNAVAILABLE', `${this.description}: connection refused`);
  }
}
