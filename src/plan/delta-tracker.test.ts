import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { DeltaTracker } from './delta-tracker.js';
import { sameValue } from './same-value.js';

describe('DeltaTracker', () => {
  test('asks for what is wanted and not seen, and for the removal of what is seen and not wanted', () => {
    const tracker = new DeltaTracker<{ mtu: number }>();
    tracker.want('a', { mtu: 1500 });
    tracker.see('b', { mtu: 1500 });
    expect([...tracker.delta.set]).toEqual([['a', { mtu: 1500 }]]);
    expect([...tracker.delta.removed]).toEqual(['b']);
    tracker.see('a', { mtu: 1500 });
    tracker.unsee('b');
    expect(tracker.isSettled).toBe(true);
    tracker.see('a', { mtu: 1400 });
    expect([...tracker.delta.set.keys()]).toEqual(['a']);
  });

  test('uses the comparison it was given', () => {
    const tracker = new DeltaTracker<number>((wanted, seen) => wanted <= seen);
    tracker.want('a', 1);
    tracker.see('a', 2);
    expect(tracker.isSettled).toBe(true);
  });

  test('agrees with a full comparison after any history', () => {
    const keys = fc.constantFrom('a', 'b', 'c', 'd');
    const maps = fc.dictionary(keys, fc.nat(2)).map((record) => new Map(Object.entries(record)));
    const steps = fc.oneof(
      fc.record({ do: fc.constantFrom('want', 'see', 'unwant', 'unsee'), key: keys, value: fc.nat(2) }),
      fc.record({ do: fc.constantFrom('wantExactly', 'seeExactly'), all: maps }),
    );
    fc.assert(
      fc.property(fc.array(steps, { maxLength: 20 }), (history) => {
        const tracker = new DeltaTracker<number>();
        for (const step of history) {
          if ('all' in step && step.do === 'wantExactly') tracker.wantExactly(step.all);
          else if ('all' in step) tracker.seeExactly(step.all);
          else if (step.do === 'want') tracker.want(step.key, step.value);
          else if (step.do === 'see') tracker.see(step.key, step.value);
          else if (step.do === 'unwant') tracker.unwant(step.key);
          else tracker.unsee(step.key);
        }
        const { wanted, seen, delta } = tracker;
        expect(new Map(delta.set)).toEqual(new Map([...wanted].filter(([key, value]) => seen.get(key) !== value)));
        expect(new Set(delta.removed)).toEqual(new Set([...seen.keys()].filter((key) => !wanted.has(key))));
      }),
    );
  });
});

describe('sameValue()', () => {
  test.each([
    [{ a: [1, { b: 2 }] }, { a: [1, { b: 2 }] }, true],
    [{ a: undefined }, {}, true],
    [{}, { a: undefined }, true],
    [{ a: 1 }, { b: 1 }, false],
    [[1, 2], [1], false],
    [[], {}, false],
    [new Set(['a']), new Set(['a']), true],
    [new Set(['a']), new Set(['b']), false],
    [new Map([['a', [1]]]), new Map([['a', [1]]]), true],
    [new Map([['a', 1]]), new Map([['b', 1]]), false],
    [null, {}, false],
  ])('of %j and %j', (a, b, expected) => {
    expect(sameValue(a, b)).toBe(expected);
  });
});
