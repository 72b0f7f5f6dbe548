import { type Clock, sleep } from './clock.js';

/** Returns a number in [0, 1). Production passes `Math.random`, tests a seeded one. */
export type Random = () => number;

export interface Backoff {
  /** Upper bound of the first delay. */
  readonly initialMs: number;
  /** Upper bound of every delay. */
  readonly maxMs: number;
}

/**
 * Delay before the next try with full jitter: uniform between zero and a bound that doubles with each attempt, so that a hundred
 * hosts that lost the same server do not come back together.
 *
 * @param attempt 0 for the first delay
 */
export function backoffDelayMs(attempt: number, backoff: Backoff, random: Random): number {
  return random() * Math.min(backoff.maxMs, backoff.initialMs * 2 ** Math.min(attempt, 30));
}

export interface RetryOptions {
  readonly clock: Clock;
  readonly random: Random;
  readonly backoff: Backoff;
  /** Calls in all, the first included. Default: no end. */
  readonly attempts?: number;
  readonly signal?: AbortSignal;
  /** Whether another try may help; the error is thrown on when it says no. */
  readonly isWorthRetrying: (error: unknown) => boolean;
  readonly onWait?: (error: unknown, delayMs: number) => void;
}

// A call, so that the compiler does not take an earlier answer for the present one.
function hasAborted(signal: AbortSignal | undefined): boolean {
  return signal?.aborted === true;
}

/** Calls until it succeeds. Throws the last error when attempts run out, it is not worth retrying, or the signal aborts. */
export async function retry<T>(call: (attempt: number) => Promise<T>, options: RetryOptions): Promise<T> {
  const { attempts = Number.POSITIVE_INFINITY } = options;
  for (let attempt = 0; ; attempt += 1) {
    try {
      return await call(attempt);
    } catch (error) {
      const isLast = attempt + 1 >= attempts || hasAborted(options.signal);
      if (isLast || !options.isWorthRetrying(error)) throw error;
      const delayMs = backoffDelayMs(attempt, options.backoff, options.random);
      options.onWait?.(error, delayMs);
      await sleep(options.clock, delayMs, options.signal);
      if (hasAborted(options.signal)) throw error;
    }
  }
}
