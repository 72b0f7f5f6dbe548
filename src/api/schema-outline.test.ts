import * as v from 'valibot';
import { describe, expect, test } from 'vitest';
import { kindMeanings, meaningOf } from './meanings.js';
import { isPublicKind, publicKinds } from './registry.js';
import { fieldPaths, outlineOf } from './schema-outline.js';

describe('fieldPaths()', () => {
  test('goes through lists and maps', () => {
    const inner = v.strictObject({ a: v.string(), b: v.exactOptional(v.record(v.string(), v.number())) });
    const paths = fieldPaths(outlineOf(v.strictObject({ list: v.exactOptional(v.array(inner)), one: inner })));
    expect(paths.map(({ path, isRequired }) => `${path}${isRequired ? '!' : ''}`)).toEqual([
      'list',
      'list[].a!',
      'list[].b',
      'one!',
      'one.a!',
      'one.b',
    ]);
  });

  test.each(Object.values(publicKinds))('finds nothing of $kind without form', ({ spec }) => {
    expect(fieldPaths(outlineOf(spec)).filter(({ outline }) => outline.form === 'anything')).toEqual([]);
  });
});

describe('meaningOf()', () => {
  test.each(Object.values(publicKinds))('knows every field of $kind, and no other', ({ kind, spec }) => {
    if (!isPublicKind(kind)) throw new Error(kind);
    const paths = fieldPaths(outlineOf(spec)).map(({ path }) => path);
    expect(paths.filter((path) => meaningOf(kind, path) === undefined)).toEqual([]);
    const plain = paths.map((path) => `.${path.replaceAll('[]', '')}`);
    const stale = Object.keys(kindMeanings[kind].fields).filter(
      (key) => !plain.some((path) => path.endsWith(`.${key}`)),
    );
    expect(kind === 'FelixConfiguration' ? stale.filter((name) => /^[a-z]/.test(name)) : stale).toEqual([]);
  });
});
