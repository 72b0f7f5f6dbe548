import { type Clock, sleep } from '../base/clock.js';
import { CalicoError } from '../base/errors.js';
import type { Log } from '../base/log.js';
import type { SecondInterface } from '../workload/second-way.js';

/** The engine puts interfaces in their place while it starts the container: some tenths of a second. */
const LOOK_SOON = { everyMs: 10, forMs: 3_000 };
const LOOK_LATER = { everyMs: 250, forMs: 60_000 };

export interface SecondWaysOptions {
  /** @returns false while the interface is not where it shall be */
  readonly add: (second: SecondInterface) => Promise<boolean>;
  readonly clock: Clock;
  readonly log: Log;
}

/**
 * Gives containers' second interfaces their routes. A running container that is connected has the interface when the engine asks
 * for news of it; of one that starts, the engine asks before there is a namespace, and not again: then it is done as soon as it can be.
 */
export class SecondWays {
  readonly #options: SecondWaysOptions;
  /** Endpoint's id → what ends the wait for its interface. */
  readonly #waiting = new Map<string, AbortController>();
  readonly #closed = new AbortController();

  constructor(options: SecondWaysOptions) {
    this.#options = options;
  }

  /** Returns when the interface has them, or is waited for. @throws {CalicoError} the kernel refuses */
  async give(endpointId: string, second: SecondInterface): Promise<void> {
    if (this.#waiting.has(endpointId) || (await this.#options.add(second))) return;
    // Asked twice at once.
    if (this.#waiting.has(endpointId) || this.#closed.signal.aborted) return;
    const stop = new AbortController();
    this.#waiting.set(endpointId, stop);
    void this.#whenThere(second, AbortSignal.any([stop.signal, this.#closed.signal])).finally(() => {
      if (this.#waiting.get(endpointId) === stop) this.#waiting.delete(endpointId);
    });
  }

  /** The interface goes. */
  leave(endpointId: string): void {
    this.#waiting.get(endpointId)?.abort();
    this.#waiting.delete(endpointId);
  }

  /** Waits for nothing any more. */
  close(): void {
    this.#closed.abort();
  }

  async #whenThere(second: SecondInterface, signal: AbortSignal): Promise<void> {
    const { add, clock, log } = this.#options;
    const startMs = clock.monotonicMs();
    for (;;) {
      const waitedMs = clock.monotonicMs() - startMs;
      if (waitedMs >= LOOK_LATER.forMs) break;
      await sleep(clock, waitedMs < LOOK_SOON.forMs ? LOOK_SOON.everyMs : LOOK_LATER.everyMs, signal);
      if (signal.aborted) return;
      try {
        if (await add(second)) return;
      } catch (error) {
        if (!(error instanceof CalicoError)) throw error;
        log.warn('an interface gets no routes of its own', { interface: second.hostInterface, error });
        return;
      }
    }
    log.warn('an interface never came into its container: it gets no routes of its own', {
      interface: second.hostInterface,
    });
  }
}
