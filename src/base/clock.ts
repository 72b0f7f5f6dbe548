/** A pending call; cancelling twice, or after it ran, is fine. */
export interface Timer {
  cancel(): void;
}

/**
 * Time as an argument: whoever waits or measures takes a Clock, so that tests need no sleep.
 * Production passes {@link systemClock}, tests a `FakeClock`.
 */
export interface Clock {
  /** Milliseconds that never run backwards; only differences mean anything. */
  monotonicMs(): number;
  /** Wall-clock milliseconds since 1970: for what is stored or shown. */
  wallMs(): number;
  /** Calls back once; keeps the process alive until then. */
  setTimer(delayMs: number, callback: () => void): Timer;
  /** Resolves in a later turn of the event loop: what splits long work into turns. */
  nextTurn(): Promise<void>;
}

/** What setTimeout takes; it fires at once where it is told to wait longer. */
const LONGEST_TIMEOUT_MS = 2 ** 31 - 1;

export const systemClock: Clock = {
  monotonicMs: () => performance.now(),
  wallMs: () => Date.now(),
  setTimer(delayMs, callback) {
    let timer: NodeJS.Timeout;
    const arm = (leftMs: number): void => {
      const ms = Math.min(leftMs, LONGEST_TIMEOUT_MS);
      timer = setTimeout(() => (leftMs > ms ? arm(leftMs - ms) : callback()), ms);
    };
    arm(delayMs);
    return { cancel: () => clearTimeout(timer) };
  },
  nextTurn: () =>
    new Promise((resolve) => {
      setImmediate(resolve);
    }),
};

/** Resolves after the delay, or at once when the signal aborts: the caller looks at the signal, nothing is thrown. */
export function sleep(clock: Clock, delayMs: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal?.aborted === true) {
      resolve();
      return;
    }
    const done = (): void => {
      timer.cancel();
      signal?.removeEventListener('abort', done);
      resolve();
    };
    const timer = clock.setTimer(delayMs, done);
    signal?.addEventListener('abort', done, { once: true });
  });
}

/** Splits long synchronous work: `await slice.pause()` gives the event loop a turn once the budget of this turn is used up. */
export class TimeSlice {
  readonly #clock: Clock;
  readonly #budgetMs: number;
  #startedMs: number;

  constructor(clock: Clock, budgetMs: number) {
    this.#clock = clock;
    this.#budgetMs = budgetMs;
    this.#startedMs = clock.monotonicMs();
  }

  /** True when the turn has lasted its budget. */
  get isUsedUp(): boolean {
    return this.#clock.monotonicMs() - this.#startedMs >= this.#budgetMs;
  }

  async pause(): Promise<void> {
    if (!this.isUsedUp) return;
    await this.#clock.nextTurn();
    this.#startedMs = this.#clock.monotonicMs();
  }
}
