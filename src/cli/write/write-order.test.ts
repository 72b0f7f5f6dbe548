import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { PublicKind } from '../../api/registry.js';
import { inOrder, writeRuns } from './write-order.js';

const of = (kind: PublicKind, name: string) => ({ key: { kind, name } });

describe('writeRuns()', () => {
  test('puts free kinds together and all others alone, and keeps the order of the rest', () => {
    const resources = [
      of('Tier', 't'),
      of('GlobalNetworkPolicy', 'a'),
      of('GlobalNetworkSet', 'a'),
      of('GlobalNetworkPolicy', 'a'),
      of('IPPool', 'x'),
      of('IPPool', 'y'),
      of('Profile', 'p'),
    ];
    expect(writeRuns(resources)).toEqual([[0], [1, 2], [3], [4], [5], [6]]);
  });

  test('has each place once, in order', () => {
    const resource = fc.tuple(
      fc.constantFrom<PublicKind>('Profile', 'Tier', 'HostEndpoint', 'IPPool'),
      fc.constantFrom('a', 'b'),
    );
    fc.assert(
      fc.property(fc.array(resource), (typed) => {
        const resources = typed.map(([kind, name]) => of(kind, name));
        expect(writeRuns(resources).flat()).toEqual([...resources.keys()]);
      }),
    );
  });
});

describe('inOrder()', () => {
  test('does many at once and begins no more after one that says so', async () => {
    const resources = Array.from({ length: 500 }, (_, i) => of('Profile', `p${i}`));
    let running = 0;
    let most = 0;
    const begun: number[] = [];
    await inOrder([...resources, of('Tier', 't')], async (index) => {
      begun.push(index);
      running += 1;
      most = Math.max(most, running);
      await Promise.resolve();
      running -= 1;
      return index !== 100;
    });
    expect(most).toBeGreaterThan(10);
    expect(most).toBeLessThan(100);
    expect(begun.length).toBeLessThan(200);
    expect(begun).not.toContain(500);
  });
});
