import { describe, expect, test } from 'vitest';
import { FakeClock } from '../base/clock.fake.js';
import { CalicoError } from '../base/errors.js';
import { ProgrammingLoop } from './programming-loop.js';

const never = (): void => undefined;

describe('ProgrammingLoop', () => {
  test('puts changes that come during a round into one next round', async () => {
    const stop = new AbortController();
    const clock = new FakeClock();
    const gates: (() => void)[] = [];
    let rounds = 0;
    const loop = new ProgrammingLoop({
      program: () => {
        rounds += 1;
        return new Promise((resolve) => gates.push(resolve));
      },
      onFailure: never,
      clock,
      random: () => 0.5,
    });
    const done = loop.run(stop.signal);
    loop.wake();
    await clock.settle();
    loop.wake();
    loop.wake();
    loop.wake();
    gates[0]?.();
    await clock.settle();
    expect(rounds).toBe(2);
    gates[1]?.();
    await clock.settle();
    expect(rounds).toBe(2);
    stop.abort();
    await done;
  });

  test('repeats a failed round with everything compared, and only then deltas again', async () => {
    const stop = new AbortController();
    const clock = new FakeClock();
    const wholes: boolean[] = [];
    const said: string[] = [];
    const loop = new ProgrammingLoop({
      program: async (whole) => {
        wholes.push(whole);
        if (wholes.length < 3) throw new CalicoError('ERR_CALI_TEST_BUSY', 'busy');
      },
      onFailure: (error) => said.push(error.message),
      clock,
      random: () => 0.5,
    });
    const done = loop.run(stop.signal);
    loop.wake();
    await clock.advance(1_000);
    await clock.advance(1_000);
    loop.wake();
    await clock.settle();
    expect(wholes).toEqual([false, true, true, false]);
    expect(said).toEqual(['busy', 'busy']);
    stop.abort();
    await done;
  });

  test('ends with the signal, also while it waits', async () => {
    const stop = new AbortController();
    const program = async (): Promise<void> => undefined;
    const loop = new ProgrammingLoop({ program, onFailure: never, clock: new FakeClock(), random: () => 0 });
    const done = loop.run(stop.signal);
    stop.abort();
    await expect(done).resolves.toBeUndefined();
  });
});
