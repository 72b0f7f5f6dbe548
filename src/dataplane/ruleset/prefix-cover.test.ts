import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { formatPrefix, networkOf, parsePrefix, prefixContains, prefixesOverlap } from '../../net/prefix.js';
import { PrefixCover, coverOf } from './prefix-cover.js';

/** Few bits, so that prefixes contain each other often. */
const prefixText = fc
  .tuple(fc.integer({ min: 0, max: 15 }), fc.integer({ min: 0, max: 6 }))
  .map(([value, length]) => formatPrefix(networkOf({ address: { family: 4, value: value * 2 ** 28 }, length })));

function naiveCover(members: ReadonlySet<string>): string[] {
  const prefixes = [...members].map(parsePrefix);
  const outermost = prefixes.filter((p) => !prefixes.some((q) => q.length < p.length && prefixContains(q, p)));
  return outermost.flatMap((p) => (p.length === 0 ? ['0.0.0.0/1', '128.0.0.0/1'] : [formatPrefix(p)])).toSorted();
}

describe('PrefixCover', () => {
  test('leaves out what lies in another, and brings it back when that goes', () => {
    const cover = new PrefixCover();
    cover.change(['10.0.0.0/8', '10.1.0.0/16'], []);
    expect(cover.elements()).toEqual(['10.0.0.0/8']);
    expect(cover.change([], ['10.0.0.0/8'])).toEqual({ added: ['10.1.0.0/16'], removed: ['10.0.0.0/8'] });
    expect(cover.change(['10.0.0.0/8'], [])).toEqual({ added: ['10.0.0.0/8'], removed: ['10.1.0.0/16'] });
  });

  test('holds the whole address space as two halves', () => {
    expect(coverOf(['0.0.0.0/0', '10.0.0.0/8'])).toEqual(['0.0.0.0/1', '128.0.0.0/1']);
    expect(coverOf(['::/0'])).toEqual(['::/1', '8000::/1']);
  });

  test('writes one address without its length, as it reads back', () => {
    expect(coverOf(['192.0.2.7/32', '2001:db8::7/128'])).toEqual(['192.0.2.7', '2001:db8::7']);
  });

  test('is what a naive search finds after any changes, its deltas lead there, and nothing overlaps', () => {
    const step = fc.record({ added: fc.array(prefixText), removed: fc.array(prefixText) });
    fc.assert(
      fc.property(fc.array(step), fc.boolean(), (steps, big) => {
        const cover = new PrefixCover();
        const members = new Set<string>();
        const elements = new Set<string>();
        // Many at once take the other way through the code.
        const ballast = big ? Array.from({ length: 80 }, (_, i) => `10.0.${i}.0/24`) : [];
        for (const { added, removed } of [{ added: ballast, removed: [] }, ...steps]) {
          const fresh = added.filter((text) => !removed.includes(text));
          const delta = cover.change(fresh, removed);
          for (const text of removed) members.delete(text);
          for (const text of fresh) members.add(text);
          for (const text of delta.removed) expect(elements.delete(text)).toBe(true);
          for (const text of delta.added) elements.add(text);
        }
        expect([...elements].toSorted()).toEqual(naiveCover(members));
        expect(cover.elements().toSorted()).toEqual(naiveCover(members));
        const prefixes = cover.elements().map(parsePrefix);
        for (const [i, a] of prefixes.entries()) {
          for (const b of prefixes.slice(i + 1)) expect(prefixesOverlap(a, b)).toBe(false);
        }
      }),
    );
  });
});
