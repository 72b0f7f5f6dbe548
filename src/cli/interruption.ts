import { UnavailableError } from '../base/errors.js';
import type { Kind } from '../api/registry.js';
import type { Datastore, ListOptions, ListResult } from '../datastore/datastore.js';
import { ForwardingDatastore, type StoreRequest } from '../datastore/forwarding-datastore.js';

/** What a command ends with that Ctrl-C kept from its end: as shells say it of one that SIGINT ended. */
export const INTERRUPTED_STATUS = 130;

/** Somebody pressed Ctrl-C; nothing is wrong. As from a store that is gone: whatever else would be asked has no answer either. */
export class Interruption extends UnavailableError {
  constructor(cause?: unknown) {
    super('ERR_CALI_CLI_INTERRUPTED', 'interrupted', { cause });
  }
}

/** Leaves Ctrl-C to the program that has the terminal meanwhile: here it means nothing, neither then nor afterwards. */
export async function withoutInterrupts<T>(work: () => Promise<T>): Promise<T> {
  const ignore = (): void => undefined;
  // Raw: one that waits for the first Ctrl-C alone is put back as such.
  const others = process.rawListeners('SIGINT') as NodeJS.SignalsListener[];
  process.on('SIGINT', ignore);
  for (const listener of others) process.off('SIGINT', listener);
  try {
    return await work();
  } finally {
    for (const listener of others) process.on('SIGINT', listener);
    process.off('SIGINT', ignore);
  }
}

function isRead({ operation }: StoreRequest): boolean {
  return operation === 'get' || operation === 'list' || operation === 'list revisions';
}

/**
 * A store that Ctrl-C ends: nothing that is asked of it is waited for any longer. Once something was written, it lets a command go on to
 * an end of its own choice, so that nothing is left half done.
 */
export class InterruptibleDatastore extends ForwardingDatastore {
  readonly #signal: AbortSignal;
  #hasWritten = false;

  /** @param signal aborts at Ctrl-C */
  constructor(store: Datastore, signal: AbortSignal) {
    super(store);
    this.#signal = signal;
  }

  override async *listPieces<K extends Kind>(kind: K, options?: ListOptions): AsyncGenerator<ListResult<K>> {
    const pieces = super.listPieces(kind, options)[Symbol.asyncIterator]();
    try {
      for (;;) {
        const piece = await this.#unlessInterrupted(() => pieces.next());
        if (piece.done === true) return;
        yield piece.value;
      }
    } finally {
      // Not waited for: it may be what does not answer.
      void Promise.resolve(pieces.return?.()).catch(() => undefined);
    }
  }

  protected override pass<T>(request: StoreRequest, send: () => Promise<T>): Promise<T> {
    if (isRead(request)) return this.#unlessInterrupted(() => super.pass(request, send));
    this.#hasWritten = true;
    return super.pass(request, send);
  }

  #unlessInterrupted<T>(ask: () => Promise<T>): Promise<T> {
    if (this.#hasWritten) return ask();
    if (this.#signal.aborted) return Promise.reject(new Interruption());
    return new Promise((resolve, reject) => {
      const end = (): void => {
        if (!this.#hasWritten) reject(new Interruption());
      };
      this.#signal.addEventListener('abort', end, { once: true });
      ask()
        .then(resolve, reject)
        .finally(() => this.#signal.removeEventListener('abort', end));
    });
  }
}
