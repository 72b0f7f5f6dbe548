import { type Clock, sleep } from '../base/clock.js';
import { CalicoError } from '../base/errors.js';
import { type Backoff, backoffDelayMs, type Random } from '../base/retry.js';

/** Where statuses go: small texts by name. */
export interface StatusSink {
  /** What is there, of this host, from earlier. */
  list(): Promise<readonly string[]>;
  write(name: string, text: string): Promise<void>;
  /** What is not there is no failure. */
  remove(name: string): Promise<void>;
}

export interface StatusDeliveryOptions {
  /** Asked for when something is wanted for the first time, and later again. */
  readonly sink: () => StatusSink;
  /** Least time between two deliveries. */
  readonly pauseMs: () => number;
  readonly onFailure: (error: CalicoError) => void;
  readonly clock: Clock;
  readonly random: Random;
}

const BACKOFF: Backoff = { initialMs: 1_000, maxMs: 10_000 };

/**
 * Brings a sink in line with what is wanted, later and as often as it takes: nobody waits for it. Of several changes of one name only
 * the last is written. What an earlier life left there and nobody wants any more is removed.
 */
export class StatusDelivery {
  readonly #options: StatusDeliveryOptions;
  #wanted: ReadonlyMap<string, string> | undefined;
  readonly #pending = new Set<string>();
  #isSwept = false;
  #failures = 0;
  #wake: (() => void) | undefined;

  constructor(options: StatusDeliveryOptions) {
    this.#options = options;
  }

  /** All that is to be there from now on. */
  want(wanted: ReadonlyMap<string, string>): void {
    const before = this.#wanted;
    this.#wanted = wanted;
    for (const [name, text] of wanted) if (before?.get(name) !== text) this.#pending.add(name);
    for (const name of before?.keys() ?? []) if (!wanted.has(name)) this.#pending.add(name);
    this.#wake?.();
  }

  /** Until the signal aborts. Throws only for bugs. */
  async run(signal: AbortSignal): Promise<void> {
    const stop = (): void => this.#wake?.();
    signal.addEventListener('abort', stop, { once: true });
    while (!signal.aborted) {
      if (this.#wanted === undefined || (this.#isSwept && this.#pending.size === 0)) await this.#woken();
      else await this.#round(signal);
    }
    signal.removeEventListener('abort', stop);
  }

  async #woken(): Promise<void> {
    await new Promise<void>((resolve) => {
      this.#wake = resolve;
    });
    this.#wake = undefined;
  }

  async #round(signal: AbortSignal): Promise<void> {
    const { clock, random, pauseMs, onFailure } = this.#options;
    try {
      await this.#sweep();
      // What is wanted meanwhile waits for the next round.
      const names = Array.from(this.#pending);
      for (const name of names) {
        if (signal.aborted) return;
        await this.#deliver(name);
      }
      this.#failures = 0;
      const pause = pauseMs();
      if (pause > 0) await sleep(clock, pause, signal);
    } catch (error) {
      if (!(error instanceof CalicoError)) throw error;
      onFailure(error);
      const delayMs = backoffDelayMs(this.#failures, BACKOFF, random);
      this.#failures += 1;
      await sleep(clock, delayMs, signal);
    }
  }

  async #sweep(): Promise<void> {
    if (this.#isSwept) return;
    for (const name of await this.#options.sink().list()) if (this.#wanted?.has(name) !== true) this.#pending.add(name);
    this.#isSwept = true;
  }

  /** It may be wanted otherwise while it is written: then it is pending again. */
  async #deliver(name: string): Promise<void> {
    this.#pending.delete(name);
    const text = this.#wanted?.get(name);
    const sink = this.#options.sink();
    try {
      await (text === undefined ? sink.remove(name) : sink.write(name, text));
    } catch (error) {
      this.#pending.add(name);
      throw error;
    }
  }
}
