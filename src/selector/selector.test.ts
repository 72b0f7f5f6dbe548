import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { CalicoError } from '../base/errors.js';
import { membership, negate, type Selector } from './ast.js';
import { canonicalId, formatSelector } from './canonical.js';
import { compileSelector } from './evaluate.js';
import { indexHints } from './index-hints.js';
import { parseSelector } from './parser.js';

const canonical = (text: string): string => formatSelector(parseSelector(text));

function messageOf(text: string): string {
  try {
    parseSelector(text);
  } catch (error) {
    return error instanceof CalicoError ? error.message : `not ours: ${String(error)}`;
  }
  return 'accepted';
}

const labels = fc.constantFrom<string[]>('a', 'b', 'c/d', 'in', 'not', 'has', 'constructor', '__proto__');
const values = fc.constantFrom('', 'x', 'y', 'xy', 'it"s', 'a b');

const comparisons: fc.Arbitrary<Selector> = fc.oneof(
  fc.constantFrom<Selector>({ type: 'all' }, { type: 'global' }),
  labels.map((label): Selector => ({ type: 'has', label })),
  fc
    .tuple(fc.constantFrom('equal' as const, 'not-equal' as const), labels, values)
    .map(([type, label, value]): Selector => ({ type, label, value })),
  fc
    .tuple(fc.constantFrom('in' as const, 'not-in' as const), labels, fc.array(values, { maxLength: 3 }))
    .map(([type, label, members]) => membership(type, label, members)),
  fc
    .tuple(fc.constantFrom('contains' as const, 'starts with' as const, 'ends with' as const), labels, values)
    .map(([operator, label, value]): Selector => ({ type: 'text', operator, label, value })),
);

const selectors = fc.letrec<{ any: Selector; one: Selector }>((tie) => ({
  one: comparisons,
  any: fc.oneof(
    { maxDepth: 4 },
    tie('one'),
    tie('any').map(negate),
    fc
      .tuple(fc.constantFrom('and' as const, 'or' as const), fc.array(tie('any'), { minLength: 2, maxLength: 3 }))
      .map(([type, operands]): Selector => ({ type, operands })),
  ),
})).any;

const labelSets = fc.array(fc.tuple(labels, values), { maxLength: 5 }).map((entries) => new Map(entries));

/** What each operator means, word for word, with nothing clever. */
function naiveComparison(selector: Extract<Selector, { label: string }>, value: string | undefined): boolean {
  if (selector.type === 'not-equal') return value === undefined || value !== selector.value;
  if (selector.type === 'not-in') return value === undefined || !selector.values.includes(value);
  if (value === undefined) return false;
  if (selector.type === 'has') return true;
  if (selector.type === 'equal') return value === selector.value;
  if (selector.type === 'in') return selector.values.includes(value);
  if (selector.operator === 'contains') return value.includes(selector.value);
  return selector.operator === 'starts with' ? value.startsWith(selector.value) : value.endsWith(selector.value);
}

function naive(selector: Selector, set: ReadonlyMap<string, string>): boolean {
  if (selector.type === 'all' || selector.type === 'global') return true;
  if (selector.type === 'not') return !naive(selector.operand, set);
  if (selector.type === 'and') return selector.operands.every((operand) => naive(operand, set));
  if (selector.type === 'or') return selector.operands.some((operand) => naive(operand, set));
  return naiveComparison(selector, set.get(selector.label));
}

describe('parseSelector()', () => {
  test.each([
    ['', 'all()'],
    [' \t', 'all()'],
    ["a=='b'&&c in{'z','y'}", '(a == "b" && c in {"y", "z"})'],
    ["a == 'b' || c == 'd' && e == 'f'", '(a == "b" || (c == "d" && e == "f"))'],
    ['((has(a)))', 'has(a)'],
    ['has( a/b.c-d_E )', 'has(a/b.c-d_E)'],
    ['all( )', 'all()'],
    ['global()', 'global()'],
    ['!!has(a)', 'has(a)'],
    ['!!!has(a)', '!has(a)'],
    ['!(!has(a))', 'has(a)'],
    ['!a == "b"', '!a == "b"'],
    ['a == \'say "x"\'', 'a == \'say "x"\''],
    [
      "a startswith 'x' && a ends  with 'y' && a contains'z'",
      '(a starts with "x" && a ends with "y" && a contains "z")',
    ],
    ["a notin {'x', 'x',}", 'a not in {"x"}'],
    ['a not in {}', 'a not in {}'],
    ["in in {'in'}", 'in in {"in"}'],
    ["has == 'x'", 'has == "x"'],
    ["not not in {'x'}", 'not not in {"x"}'],
  ])('reads %j as %s', (text, expected) => {
    expect(canonical(text)).toBe(expected);
  });

  test.each([
    ['a', 'expected operator after label at character 2'],
    ["a == 'b", 'unterminated string at character 6'],
    ["a = 'b'", 'expected == at character 3'],
    ['has(a) & has(b)', 'expected && at character 8'],
    ['has(a) | has(b)', 'expected || at character 8'],
    ['a in "b"', 'expected set literal at character 6'],
    ["a in {'b' 'c'}", 'expected } at character 11'],
    ["a in {,'b'}", 'expected string at character 7'],
    ['has(a) has(b)', 'unexpected content at end of selector at character 8'],
    ["a == 'b'\n", 'expected identifier at character 9'],
    ['has (a)', 'expected operator after label at character 5'],
    ["'a' == a", 'expected identifier at character 1'],
    ['a == b', 'expected string at character 6'],
    ['(has(a)', 'expected ) at character 8'],
    ['&& has(a)', 'expected identifier at character 1'],
    ['has("a")', 'expected identifier at character 5'],
    [`${'x'.repeat(513)} == 'a'`, 'expected identifier of at most 512 characters at character 1'],
    ['('.repeat(100_000), 'brackets nested more than 200 deep at character 201'],
  ])('refuses %j', (text, expected) => {
    const shown = text.length > 80 ? `${text.slice(0, 77)}...` : text;
    expect(messageOf(text)).toBe(`invalid selector "${shown}": ${expected}`);
  });

  test('gives back what was printed', () => {
    fc.assert(
      fc.property(selectors, (selector) => {
        expect(parseSelector(formatSelector(selector))).toEqual(selector);
      }),
    );
  });

  test('throws nothing but CalicoError, and what it accepts prints stably', () => {
    const pieces = [
      'a',
      "'x'",
      '"y"',
      '==',
      '!=',
      '!',
      '&&',
      '||',
      '(',
      ')',
      '{',
      '}',
      ',',
      'in',
      'not',
      'has(',
      'all()',
    ];
    const texts = fc.oneof(
      fc.string({ unit: 'binary' }),
      fc.array(fc.constantFrom(...pieces), { maxLength: 12 }).map((list) => list.join(' ')),
    );
    fc.assert(
      fc.property(texts, (text) => {
        if (messageOf(text) === 'accepted') expect(canonical(canonical(text))).toBe(canonical(text));
        else expect(messageOf(text)).toMatch(/^invalid selector/);
      }),
      { numRuns: 500 },
    );
  });
});

describe('canonicalId()', () => {
  test('gives the identity of all()', () => {
    expect(canonicalId('s:', canonical(''))).toBe('s:5y5I3VdRZfDU01O--xXAPx2yxCQQqMf0M6IWug');
  });
});

describe('compileSelector()', () => {
  test('agrees with the definition of each operator', () => {
    fc.assert(
      fc.property(selectors, labelSets, (selector, set) => {
        expect(compileSelector(selector)(set)).toBe(naive(selector, set));
      }),
      { numRuns: 1_000 },
    );
  });
});

describe('indexHints()', () => {
  test.each([
    ["a == 'x'", [[{ label: 'a', value: 'x' }]]],
    ["has(b) && a == 'x'", [[{ label: 'a', value: 'x' }], [{ label: 'b' }]]],
    [
      "a == 'x' || b in {'y', 'z'}",
      [
        [
          { label: 'a', value: 'x' },
          { label: 'b', value: 'y' },
          { label: 'b', value: 'z' },
        ],
      ],
    ],
    ["!(a != 'x' || !has(b))", [[{ label: 'a', value: 'x' }], [{ label: 'b' }]]],
    ["a != 'x'", []],
    ["a == 'x' || !has(b)", []],
    ['!all()', [[]]],
    ['a in {}', [[]]],
  ])('for %s', (text, expected) => {
    expect(indexHints(parseSelector(text))).toEqual(expected);
  });

  test('never hide a match: it is in a bucket of every cover', () => {
    fc.assert(
      fc.property(selectors, labelSets, (selector, set) => {
        const covers = indexHints(selector);
        const isIn = covers.map((cover) =>
          cover.some(({ label, value }) => (value === undefined ? set.has(label) : set.get(label) === value)),
        );
        expect(!naive(selector, set) || isIn.every(Boolean)).toBe(true);
      }),
      { numRuns: 1_000 },
    );
  });
});
