import type { WatchBatch } from './datastore.js';
import { readsTooSlowly } from './errors.js';

/** Events that may wait for a reader before its watch is cut. */
export const WATCH_BUFFER_EVENTS = 100_000;

/**
 * Between a store that delivers when it likes and a reader that reads when it likes: bounded, in order. After the reader was cut
 * or the watch failed, the next read throws; what waited is dropped, because the reader starts over from its last revision.
 */
export class WatchQueue {
  readonly #description: string;
  readonly #bufferEvents: number;
  #batches: WatchBatch[] = [];
  #head = 0;
  #events = 0;
  #failure: { readonly error: unknown } | undefined;
  #ended = false;
  #wake: (() => void) | undefined;

  constructor(description: string, bufferEvents: number = WATCH_BUFFER_EVENTS) {
    this.#description = description;
    this.#bufferEvents = bufferEvents;
  }

  push(batch: WatchBatch): void {
    if (this.#ended || this.#failure !== undefined) return;
    this.#batches.push(batch);
    this.#events += batch.events.length;
    if (this.#events > this.#bufferEvents) this.fail(readsTooSlowly(this.#description, this.#events));
    this.#wake?.();
  }

  fail(error: unknown): void {
    this.#failure ??= { error };
    this.#wake?.();
  }

  /** The reader has had enough: its loop ends, what waits is dropped. */
  end(): void {
    this.#ended = true;
    this.#batches = [];
    this.#wake?.();
  }

  /** True when nothing more is taken in: failed or ended. */
  get isClosed(): boolean {
    return this.#ended || this.#failure !== undefined;
  }

  /** The next batch; undefined at the end. One reader at a time. */
  async next(): Promise<WatchBatch | undefined> {
    for (;;) {
      if (this.#failure !== undefined) throw this.#failure.error;
      if (this.#ended) return undefined;
      const batch = this.#batches[this.#head];
      if (batch !== undefined) {
        this.#take(batch);
        return batch;
      }
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
      this.#wake = undefined;
    }
  }

  #take(batch: WatchBatch): void {
    this.#events -= batch.events.length;
    this.#head += 1;
    if (this.#head < 1_024 && this.#head < this.#batches.length) return;
    this.#batches = this.#batches.slice(this.#head);
    this.#head = 0;
  }
}
