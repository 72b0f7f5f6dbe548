import { beforeEach, describe, expect, test } from 'vitest';
import { FakeClock } from '../base/clock.fake.js';
import { CalicoError } from '../base/errors.js';
import { silentLog } from '../base/log.js';
import { SecondWays } from './second-ways.js';

const SECOND = { netns: '/run/docker/netns/a', hostInterface: 'calib', addresses: ['192.168.0.8'] };

let clock: FakeClock;
let tries: number;
let isThere: boolean;
let ways: SecondWays;

beforeEach(() => {
  clock = new FakeClock();
  tries = 0;
  isThere = false;
  ways = new SecondWays({
    add: () => Promise.resolve((tries += 1) > 0 && isThere),
    clock,
    log: silentLog,
  });
});

describe('SecondWays', () => {
  test('gives an interface that is there its routes at once', async () => {
    isThere = true;
    await ways.give('e', SECOND);
    await clock.advance(1_000);
    expect(tries).toBe(1);
  });

  test('waits for one that comes while its container starts, once however often the engine asks', async () => {
    await Promise.all([ways.give('e', SECOND), ways.give('e', SECOND)]);
    await ways.give('e', SECOND);
    expect(tries).toBe(2);
    await clock.advance(10);
    expect(tries).toBe(3);
    isThere = true;
    await clock.advance(10);
    await clock.advance(1_000);
    expect(tries).toBe(4);
  });

  test.each([
    ['that leaves', () => ways.leave('e')],
    ['when it is closed', () => ways.close()],
  ])('waits no more for one %s', async (_case, end) => {
    await ways.give('e', SECOND);
    end();
    await clock.advance(1_000);
    expect(tries).toBe(1);
  });

  test('gives up one that never comes, and one that the kernel refuses', async () => {
    await ways.give('e', SECOND);
    for (let second = 0; second < 120; second += 1) await clock.advance(1_000);
    const before = tries;
    await clock.advance(10_000);
    expect(tries).toBe(before);
    const refusing = new SecondWays({
      add: () =>
        (tries += 1) === before + 1 ? Promise.resolve(false) : Promise.reject(new CalicoError('ERR_CALI_X', 'no')),
      clock,
      log: silentLog,
    });
    await refusing.give('e', SECOND);
    await clock.advance(1_000);
    expect(tries).toBe(before + 2);
  });
});
