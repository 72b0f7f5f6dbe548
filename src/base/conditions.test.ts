import { describe, expect, test } from 'vitest';
import { FakeClock } from './clock.fake.js';
import { condition, Conditions } from './conditions.js';

const STORE = condition<{ endpoint: string }>({
  code: 'datastore-unreachable',
  severity: 'error',
  text: ({ endpoint }) => `no answer from etcd at ${endpoint}`,
});
const SLOW = condition({
  code: 'policy-late',
  severity: 'warning',
  text: () => 'policy is late',
  dependsOn: ['datastore-unreachable'],
});
const FLAP = condition({ code: 'peer-down', severity: 'warning', text: () => 'a peer is down', showAfterMs: 5_000 });

function setUp() {
  const clock = new FakeClock();
  const told: string[] = [];
  const conditions = new Conditions(clock, {
    onShown: ({ code }) => told.push(`+${code}`),
    onGone: ({ code }) => told.push(`-${code}`),
  });
  return { clock, told, conditions, codes: () => conditions.shown().map(({ code }) => code) };
}

describe('Conditions', () => {
  test('shows what is raised, in words, and tells once', () => {
    const { conditions, told } = setUp();
    conditions.raise(STORE, { endpoint: 'a' });
    conditions.raise(STORE, { endpoint: 'b' });
    expect(conditions.shown()).toEqual([
      {
        code: 'datastore-unreachable',
        severity: 'error',
        text: 'no answer from etcd at b',
        since: '2026-01-01T00:00:00.000Z',
      },
    ]);
    conditions.clear(STORE);
    conditions.clear(STORE);
    expect(told).toEqual(['+datastore-unreachable', '-datastore-unreachable']);
  });

  test('a cause silences its consequences', () => {
    const { conditions, told, codes } = setUp();
    conditions.raise(SLOW, undefined);
    conditions.raise(STORE, { endpoint: 'a' });
    expect(codes()).toEqual(['datastore-unreachable']);
    conditions.clear(STORE);
    expect(codes()).toEqual(['policy-late']);
    expect(told).toEqual([
      '+policy-late',
      '+datastore-unreachable',
      '-policy-late',
      '+policy-late',
      '-datastore-unreachable',
    ]);
  });

  test('what passes quickly is never shown', async () => {
    const { conditions, told, clock } = setUp();
    conditions.raise(FLAP, undefined, 'h2');
    await clock.advance(4_000);
    conditions.clear(FLAP, 'h2');
    conditions.raise(FLAP, undefined, 'h3');
    await clock.advance(5_000);
    expect(told).toEqual(['+peer-down']);
    expect(conditions.shown()).toMatchObject([{ subject: 'h3' }]);
    conditions.close();
    expect(clock.timers).toBe(0);
  });
});
