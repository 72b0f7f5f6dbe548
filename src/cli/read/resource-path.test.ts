import { describe, expect, test } from 'vitest';
import { compareAt, parsePath, valueAt } from './resource-path.js';

const object = {
  metadata: { name: 'a', labels: { 'app.kubernetes.io/name': 'web' } },
  spec: { order: 7, nets: ['x', 'y'] },
};

describe('parsePath()', () => {
  test.each([
    ['.spec.order', 7],
    ['spec.order', 7],
    ['{.spec.order}', 7],
    ['.spec.nets[1]', 'y'],
    ["{.metadata.labels['app.kubernetes.io/name']}", 'web'],
    ['.metadata.labels["app.kubernetes.io/name"]', 'web'],
    ['.spec.constructor.name', undefined],
    ['.metadata.name.length', undefined],
    ['.spec.nets.length', undefined],
    ['.spec.nothing.at.all', undefined],
  ])('%s leads to %j', (text, value) => {
    expect(valueAt(object, parsePath(text))).toBe(value);
  });

  test.each(['', '{}', '.', 'a..b', 'a[', 'a[x]', 'a b', '.items[*]'])('refuses %j', (text) => {
    expect(() => parsePath(text)).toThrow(`"${text}" is not a path to a field`);
  });
});

describe('compareAt()', () => {
  test('takes numbers as numbers, text as text, and puts last what is not there', () => {
    const sorted = (values: readonly unknown[]) =>
      values
        .map((order) => (order === undefined ? {} : { order }))
        .toSorted((a, b) => compareAt(['order'], a, b))
        .map(({ order }) => order);
    expect(sorted([10, undefined, 9, 1e6])).toEqual([9, 10, 1e6, undefined]);
    expect(sorted(['10', '9', 'a'])).toEqual(['10', '9', 'a']);
  });
});
