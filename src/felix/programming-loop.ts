import { type Clock, sleep } from '../base/clock.js';
import { CalicoError } from '../base/errors.js';
import { type Backoff, backoffDelayMs, type Random } from '../base/retry.js';

export interface ProgrammingLoopOptions {
  /** Brings the kernel in line; `whole`: compare everything, not only what changed. */
  readonly program: (whole: boolean) => Promise<void>;
  readonly onFailure: (error: CalicoError, nextTryMs: number) => void;
  readonly clock: Clock;
  readonly random: Random;
}

const BACKOFF: Backoff = { initialMs: 100, maxMs: 10_000 };

/**
 * Runs one round of programming at a time for as many wake-ups as come: changes that arrive while the kernel is busy go into the next
 * round together. A round that failed is repeated after a pause with everything compared.
 */
export class ProgrammingLoop {
  readonly #options: ProgrammingLoopOptions;
  #isWanted = false;
  #wake: (() => void) | undefined;
  #failures = 0;

  constructor(options: ProgrammingLoopOptions) {
    this.#options = options;
  }

  /** Something changed. Cheap, as often as wanted. */
  wake(): void {
    this.#isWanted = true;
    this.#wake?.();
  }

  /** Until the signal aborts; a round in progress is finished. Throws only for bugs. */
  async run(signal: AbortSignal): Promise<void> {
    const stop = (): void => this.#wake?.();
    signal.addEventListener('abort', stop, { once: true });
    while (!signal.aborted) {
      if (!this.#isWanted) {
        await new Promise<void>((resolve) => {
          this.#wake = resolve;
        });
        this.#wake = undefined;
        continue;
      }
      this.#isWanted = false;
      await this.#round(signal);
    }
    signal.removeEventListener('abort', stop);
  }

  async #round(signal: AbortSignal): Promise<void> {
    try {
      await this.#options.program(this.#failures > 0);
      this.#failures = 0;
    } catch (error) {
      if (!(error instanceof CalicoError)) throw error;
      await this.#failed(error, signal);
    }
  }

  async #failed(error: CalicoError, signal: AbortSignal): Promise<void> {
    const { clock, random, onFailure } = this.#options;
    const delayMs = backoffDelayMs(this.#failures, BACKOFF, random);
    this.#failures += 1;
    this.#isWanted = true;
    onFailure(error, delayMs);
    await sleep(clock, delayMs, signal);
  }
}
