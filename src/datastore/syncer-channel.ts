import type { ResourceUpdate } from '../api/resource-update.js';
import type { SyncerEvent } from './syncer.js';

export const MAX_UPDATES = 1_000;
/** Updates that may wait before the sender has to. */
const HIGH_WATER = 2 * MAX_UPDATES;

/**
 * Between the syncer and its reader. What waits is passed on together, up to {@link MAX_UPDATES}: a reader that was busy for a while
 * catches up in few steps.
 */
export class SyncerChannel {
  #queue: SyncerEvent[] = [];
  #waitingUpdates = 0;
  #ended = false;
  #failure: { readonly error: unknown } | undefined;
  #wakeReader: (() => void) | undefined;
  #wakeSender: (() => void) | undefined;

  /** Returns when the reader has caught up enough, or the channel ended. */
  async send(event: SyncerEvent): Promise<void> {
    if (this.#ended) return;
    this.#queue.push(event);
    if (event.type === 'updates') this.#waitingUpdates += event.updates.length;
    this.#wakeReader?.();
    while (this.#waitingUpdates > HIGH_WATER && !this.#ended) {
      await new Promise<void>((resolve) => {
        this.#wakeSender = resolve;
      });
    }
  }

  fail(error: unknown): void {
    this.#failure = { error };
    this.#wakeReader?.();
  }

  end(): void {
    this.#ended = true;
    this.#wakeReader?.();
    this.#wakeSender?.();
  }

  /** Undefined at the end. */
  async next(): Promise<SyncerEvent | undefined> {
    while (this.#queue.length === 0) {
      if (this.#failure !== undefined) throw this.#failure.error;
      if (this.#ended) return undefined;
      await new Promise<void>((resolve) => {
        this.#wakeReader = resolve;
      });
    }
    return this.#ended ? undefined : this.#take();
  }

  #take(): SyncerEvent | undefined {
    const [first] = this.#queue;
    if (first?.type !== 'updates') return this.#queue.shift();
    const updates: ResourceUpdate[] = [];
    let taken = 0;
    for (const event of this.#queue) {
      if (event.type !== 'updates' || (taken > 0 && updates.length + event.updates.length > MAX_UPDATES)) break;
      updates.push(...event.updates);
      taken += 1;
    }
    this.#queue.splice(0, taken);
    this.#waitingUpdates -= updates.length;
    if (this.#waitingUpdates <= HIGH_WATER) this.#wakeSender?.();
    return { type: 'updates', updates };
  }
}
