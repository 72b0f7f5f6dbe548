import type { Clock } from '../base/clock.js';
import type { Conditions } from '../base/conditions.js';
import { ConflictError, formatError, UnavailableError } from '../base/errors.js';
import type { Log } from '../base/log.js';
import { type Random, retry } from '../base/retry.js';
import { DATASTORE_UNREACHABLE } from './conditions.js';

export interface PatienceOptions {
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  readonly conditions: Conditions;
  /** The datastore, in words. */
  readonly description: string;
  readonly signal: AbortSignal;
}

/** How long the datastore may take before people are told. */
const SILENCE_MS = 1_000;
const BACKOFF = { initialMs: 1_000, maxMs: 10_000 };

function seconds(ms: number): string {
  return `${(ms / 1_000).toFixed(ms < 10_000 ? 1 : 0)} s`;
}

/**
 * Calls until the datastore has answered, however long that takes, and says each time what is waited for. Only what waiting cannot
 * mend is thrown.
 */
export async function untilDatastoreAnswers<T>(call: () => Promise<T>, options: PatienceOptions): Promise<T> {
  const { clock, random, log, conditions, description, signal } = options;
  const sinceMs = clock.monotonicMs();
  // A name that nobody resolves, or a host that swallows packets, fails late: what is waited for is said before.
  const silence = clock.setTimer(SILENCE_MS, () => {
    conditions.raise(DATASTORE_UNREACHABLE, { reason: `waiting for ${description}: no answer yet` });
    log.warn(`waiting for ${description}: no answer in ${seconds(SILENCE_MS)}`);
  });
  const result = await retry(call, {
    clock,
    random,
    backoff: BACKOFF,
    signal,
    isWorthRetrying: (error) => error instanceof UnavailableError || error instanceof ConflictError,
    onWait: (error, delayMs) => {
      silence.cancel();
      const [reason = ''] = formatError(error).split('\n');
      conditions.raise(DATASTORE_UNREACHABLE, { reason: `waiting for ${description}: ${reason}` });
      const waited = seconds(clock.monotonicMs() - sinceMs);
      log.warn(`waiting for ${description}: ${reason}, ${waited} so far, next try in ${seconds(delayMs)}`);
    },
  }).finally(() => silence.cancel());
  conditions.clear(DATASTORE_UNREACHABLE);
  return result;
}
