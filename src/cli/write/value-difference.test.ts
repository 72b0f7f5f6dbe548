import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { differencesBetween, formatInline } from './value-difference.js';

const brief = (before: unknown, after: unknown) =>
  differencesBetween(before, after).map((each) => {
    const sides = [
      'before' in each ? formatInline(each.before) : undefined,
      'after' in each ? formatInline(each.after) : undefined,
    ];
    return `${each.type} ${each.path}: ${sides.filter((side) => side !== undefined).join(' → ')}`;
  });

const allow = (port: number) => ({ action: 'Allow', protocol: 'TCP', destination: { ports: [port] } });

describe('differencesBetween()', () => {
  test('names fields that changed, came and went', () => {
    expect(
      brief(
        { spec: { natOutgoing: false, old: 1 }, metadata: { labels: { 'a/b': 'x' } } },
        { spec: { natOutgoing: true, more: ['x'] }, metadata: { labels: {} } },
      ),
    ).toEqual([
      'changed spec.natOutgoing: false → true',
      'added spec.more: [x]',
      'removed spec.old: 1',
      'removed metadata.labels["a/b"]: x',
    ]);
  });

  test('an element more in a list is one difference, wherever it stands', () => {
    expect(brief([allow(1), allow(2)], [{ action: 'Deny' }, allow(1), allow(2)])).toEqual([
      'added [0]: {action: Deny}',
    ]);
    expect(brief(['a', 'b', 'c'], ['a', 'c'])).toEqual(['removed [1]: b']);
  });

  test('an element that changed a little is shown by what changed in it', () => {
    expect(brief([allow(80), { action: 'Deny' }], [{ action: 'Log' }, allow(81), { action: 'Deny' }])).toEqual([
      'added [0]: {action: Log}',
      'changed [1].destination.ports[0]: 80 → 81',
    ]);
  });

  test('elements with a name are matched by it', () => {
    expect(
      brief(
        [
          { name: 'a', x: 1 },
          { name: 'b', x: 1 },
        ],
        [{ name: 'b', x: 2 }],
      ),
    ).toEqual(['removed [0]: {name: a, x: 1}', 'changed [0].x: 1 → 2']);
  });

  test('finds nothing exactly where nothing differs, and everything it needs to lead from one to the other', () => {
    fc.assert(
      fc.property(fc.jsonValue({ maxDepth: 3 }), fc.jsonValue({ maxDepth: 3 }), (a, b) => {
        const [before, after] = [JSON.parse(JSON.stringify(a)) as unknown, JSON.parse(JSON.stringify(b)) as unknown];
        expect(differencesBetween(before, before)).toEqual([]);
        expect(differencesBetween(before, after).length === 0).toBe(
          JSON.stringify(before) === JSON.stringify(after) || sortedText(before) === sortedText(after),
        );
      }),
    );
    fc.assert(
      fc.property(fc.array(fc.nat(5)), fc.array(fc.nat(5)), (before, after) => {
        const differences = differencesBetween(before, after);
        const paths = (type: string) => new Set(differences.flatMap((each) => (each.type === type ? [each.path] : [])));
        const [gone, come, changed] = [paths('removed'), paths('added'), paths('changed')];
        const kept = before.filter((_, i) => !gone.has(`[${i}]`));
        const newer = after.filter((_, i) => !come.has(`[${i}]`));
        expect(kept.length).toBe(newer.length);
        expect(kept.filter((element, i) => element !== newer[i])).toHaveLength(changed.size);
      }),
    );
  });
});

/** Fields in one order. */
function sortedText(value: unknown): string {
  return JSON.stringify(value, (_, field: unknown) =>
    typeof field === 'object' && field !== null && !Array.isArray(field)
      ? Object.fromEntries(Object.entries(field).toSorted(([a], [b]) => (a < b ? -1 : 1)))
      : field,
  );
}
