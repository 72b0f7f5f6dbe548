import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { matchesSelector } from '../selector/evaluate.js';
import { parseSelector } from '../selector/parser.js';
import { LabelIndex, type LabelRecord } from './label-index.js';

/** An index whose listener keeps the pairs that match, and refuses a start or stop that is out of turn. */
function watchedIndex() {
  const matches = new Set<string>();
  const index = new LabelIndex<string, string>({
    started: (selector, item) => {
      const pair = `${selector} ~ ${item}`;
      if (matches.has(pair)) throw new Error(`started twice: ${pair}`);
      matches.add(pair);
    },
    stopped: (selector, item) => {
      if (!matches.delete(`${selector} ~ ${item}`)) throw new Error(`stopped twice: ${selector} ~ ${item}`);
    },
    changed: (selector, before, after) => {
      if (!matches.delete(`${selector} ~ ${before}`)) throw new Error(`changed, not started: ${selector} ~ ${before}`);
      matches.add(`${selector} ~ ${after}`);
    },
  });
  const removeSelector = (selector: string): void => {
    index.removeSelector(selector);
    for (const pair of matches) if (pair.startsWith(`${selector} ~ `)) matches.delete(pair);
  };
  return { index, matches, removeSelector };
}

describe('LabelIndex', () => {
  test('says when matches start, change and stop', () => {
    const { index, matches } = watchedIndex();
    index.addSelector("a == 'x'", parseSelector("a == 'x'"), "a == 'x'");
    index.setItem('1', { a: 'x' }, [], 'one');
    expect([...matches]).toEqual(["a == 'x' ~ one"]);
    index.setItem('1', { a: 'x' }, [], 'uno');
    expect([...matches]).toEqual(["a == 'x' ~ uno"]);
    index.setItem('1', { a: 'y' }, [], 'uno');
    expect([...matches]).toEqual([]);
  });

  test('takes no name of Object.prototype for a label', () => {
    const { index, matches } = watchedIndex();
    for (const text of ['has(constructor)', 'has(__proto__)', 'has(toString)']) {
      index.addSelector(text, parseSelector(text), text);
    }
    index.setItem('1', {}, ['p'], 'one');
    index.setItem('2', { constructor: 'x' }, [], 'two');
    expect([...matches]).toEqual(['has(constructor) ~ two']);
  });

  test('looks only at the items of the narrowest label a selector asks for', () => {
    const { index, matches } = watchedIndex();
    for (let i = 0; i < 100; i += 1) index.setItem(String(i), { app: 'web', name: `n${i}` }, ['p'], String(i));
    index.setParent('p', { pool: 'x' });
    const selector = "pool == 'x' && app == 'web' && name in {'n7', 'n8'}";
    index.addSelector('s', parseSelector(selector), 's');
    expect(index.advance(Infinity)).toBe(2);
    expect(matches).toEqual(new Set(['s ~ 7', 's ~ 8']));
  });

  test('holds what a naive look at everything finds, whatever the history', () => {
    const labels: fc.Arbitrary<LabelRecord> = fc.dictionary(fc.constantFrom('a', 'b'), fc.constantFrom('x', 'y'), {
      maxKeys: 2,
    });
    const parentIds = fc.uniqueArray(fc.constantFrom('p', 'q'), { maxLength: 2 });
    const id = fc.constantFrom('1', '2', '3');
    const selector = fc.constantFrom(
      'all()',
      "a == 'x'",
      "a == 'x' && b == 'y'",
      "a in {'x', 'y'}",
      '!has(a)',
      "b == 'x' || a == 'x'",
      'has(b)',
    );
    const step = fc.oneof(
      fc.record({ do: fc.constant('set' as const), id, labels, parentIds, payload: fc.constantFrom('', "'") }),
      fc.record({ do: fc.constant('remove' as const), id }),
      fc.record({
        do: fc.constant('parent' as const),
        id: fc.constantFrom('p', 'q'),
        labels: fc.option(labels, { nil: undefined }),
      }),
      fc.record({ do: fc.constant('select' as const), selector }),
      fc.record({ do: fc.constant('unselect' as const), selector }),
    );
    fc.assert(
      fc.property(fc.array(step, { maxLength: 25 }), (history) => {
        const { index, matches, removeSelector } = watchedIndex();
        const items = new Map<string, { labels: LabelRecord; parentIds: readonly string[]; payload: string }>();
        const parents = new Map<string, LabelRecord>();
        const selectors = new Set<string>();
        for (const each of history) {
          if (each.do === 'set') {
            items.set(each.id, { ...each, payload: each.id + each.payload });
            index.setItem(each.id, each.labels, each.parentIds, each.id + each.payload);
          } else if (each.do === 'remove') {
            items.delete(each.id);
            index.removeItem(each.id);
          } else if (each.do === 'parent') {
            parents.set(each.id, each.labels ?? {});
            index.setParent(each.id, each.labels);
          } else if (each.do === 'unselect') {
            if (selectors.delete(each.selector)) removeSelector(each.selector);
          } else if (!selectors.has(each.selector)) {
            selectors.add(each.selector);
            index.addSelector(each.selector, parseSelector(each.selector), each.selector);
          }
        }
        index.advance(Infinity);
        const expected = new Set<string>();
        for (const text of selectors) {
          for (const item of items.values()) {
            const inherited = item.parentIds.toReversed().map((parent) => parents.get(parent) ?? {});
            const all = new Map(Object.entries(Object.assign({}, ...inherited, item.labels) as LabelRecord));
            if (matchesSelector(parseSelector(text), all)) expected.add(`${text} ~ ${item.payload}`);
          }
        }
        expect(matches).toEqual(expected);
      }),
      { numRuns: 500 },
    );
  });
});
