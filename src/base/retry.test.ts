import { describe, expect, test } from 'vitest';
import { FakeClock } from './clock.fake.js';
import { TimeSlice, sleep } from './clock.js';
import { backoffDelayMs, retry } from './retry.js';

const backoff = { initialMs: 100, maxMs: 1_000 };

describe('backoffDelayMs()', () => {
  test('doubles its bound up to the maximum', () => {
    const bounds = [0, 1, 2, 3, 4, 50].map((attempt) => backoffDelayMs(attempt, backoff, () => 1));
    expect(bounds).toEqual([100, 200, 400, 800, 1_000, 1_000]);
  });

  test('may be anything below the bound', () => {
    expect(backoffDelayMs(3, backoff, () => 0.25)).toBe(200);
  });
});

describe('retry()', () => {
  test('calls again after each delay until it succeeds', async () => {
    const clock = new FakeClock();
    const waits: number[] = [];
    const result = retry((attempt) => (attempt < 3 ? Promise.reject(new Error('no')) : Promise.resolve(attempt)), {
      clock,
      random: () => 1,
      backoff,
      isWorthRetrying: () => true,
      onWait: (_error, delayMs) => waits.push(delayMs),
    });
    await clock.advance(700);
    expect(await result).toBe(3);
    expect(waits).toEqual([100, 200, 400]);
  });

  test('throws what is not worth retrying, and the last error when attempts run out', async () => {
    const clock = new FakeClock();
    const options = { clock, random: () => 0, backoff, attempts: 2 };
    let calls = 0;
    const failing = (): Promise<never> => Promise.reject(new Error(`call ${(calls += 1)}`));
    await expect(retry(failing, { ...options, isWorthRetrying: () => false })).rejects.toThrow('call 1');
    const last = retry(failing, { ...options, isWorthRetrying: () => true });
    await Promise.all([expect(last).rejects.toThrow('call 3'), clock.advance(1)]);
  });

  test('stops waiting when the signal aborts', async () => {
    const clock = new FakeClock();
    const stop = new AbortController();
    const call = retry(() => Promise.reject(new Error('down')), {
      clock,
      random: () => 1,
      backoff,
      signal: stop.signal,
      isWorthRetrying: () => true,
    });
    const rejected = expect(call).rejects.toThrow('down');
    await clock.settle();
    stop.abort();
    await rejected;
    expect(clock.timers).toBe(0);
  });
});

describe('sleep()', () => {
  test('returns at once for a signal that has aborted', async () => {
    const clock = new FakeClock();
    await sleep(clock, 1_000, AbortSignal.abort());
    expect(clock.timers).toBe(0);
  });
});

describe('TimeSlice', () => {
  test('is used up when the turn has lasted its budget, and starts again after the pause', async () => {
    const clock = new FakeClock();
    const slice = new TimeSlice(clock, 10);
    expect(slice.isUsedUp).toBe(false);
    await clock.advance(10);
    expect(slice.isUsedUp).toBe(true);
    await slice.pause();
    expect(slice.isUsedUp).toBe(false);
  });
});
