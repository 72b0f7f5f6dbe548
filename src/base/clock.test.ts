import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { systemClock } from './clock.js';

const DAY_MS = 86_400_000;

beforeEach(() => {
  vi.useFakeTimers();
});

afterEach(() => {
  vi.useRealTimers();
});

describe('systemClock.setTimer()', () => {
  test('waits longer than the 24 days that setTimeout can', () => {
    const fired = vi.fn<() => void>();
    systemClock.setTimer(60 * DAY_MS, fired);
    vi.advanceTimersByTime(60 * DAY_MS - 1);
    expect(fired).not.toHaveBeenCalled();
    vi.advanceTimersByTime(1);
    expect(fired).toHaveBeenCalledTimes(1);
  });

  test('can be cancelled at any time before', () => {
    const fired = vi.fn<() => void>();
    const timer = systemClock.setTimer(60 * DAY_MS, fired);
    vi.advanceTimersByTime(50 * DAY_MS);
    timer.cancel();
    vi.advanceTimersByTime(50 * DAY_MS);
    expect(fired).not.toHaveBeenCalled();
  });
});
