import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { applyMergePatch, applyStrategicPatch } from './merge-patch.js';

describe('applyMergePatch()', () => {
  // RFC 7386, appendix A.
  test.each([
    [{ a: 'b' }, { a: 'c' }, { a: 'c' }],
    [{ a: 'b' }, { b: 'c' }, { a: 'b', b: 'c' }],
    [{ a: 'b' }, { a: null }, {}],
    [{ a: 'b', b: 'c' }, { a: null }, { b: 'c' }],
    [{ a: ['b'] }, { a: 'c' }, { a: 'c' }],
    [{ a: 'c' }, { a: ['b'] }, { a: ['b'] }],
    [{ a: { b: 'c' } }, { a: { b: 'd', c: null } }, { a: { b: 'd' } }],
    [{ a: [{ b: 'c' }] }, { a: [1] }, { a: [1] }],
    [
      ['a', 'b'],
      ['c', 'd'],
      ['c', 'd'],
    ],
    [{ a: 'b' }, ['c'], ['c']],
    [{ a: 'foo' }, null, null],
    [{ e: null }, { a: 1 }, { e: null, a: 1 }],
    [[1, 2], { a: 'b', c: null }, { a: 'b' }],
    [{}, { a: { bb: { ccc: null } } }, { a: { bb: {} } }],
  ])('%j with %j is %j', (document, patch, result) => {
    expect(applyMergePatch(document, patch)).toEqual(result);
  });
});

describe('applyStrategicPatch()', () => {
  test.each([
    ['merges fields and replaces lists', { a: { b: [1, 2], c: 1 } }, { a: { b: [3] } }, { a: { b: [3], c: 1 } }],
    ['takes away what is null', { a: { b: 1, c: 1 } }, { a: { b: null } }, { a: { c: 1 } }],
    ['replaces a set of fields', { a: { b: 1 } }, { a: { $patch: 'replace', c: 2 } }, { a: { c: 2 } }],
    ['deletes a set of fields', { a: { b: 1 }, d: 1 }, { a: { $patch: 'delete' } }, { d: 1 }],
    ['retains keys', { a: { b: 1, c: 2 } }, { a: { $retainKeys: ['c', 'd'], d: 3 } }, { a: { c: 2, d: 3 } }],
    ['deletes from a list', { a: [1, 2, 3] }, { '$deleteFromPrimitiveList/a': [1, 3] }, { a: [2] }],
  ])('%s', (_, document, patch, result) => {
    expect(applyStrategicPatch(document, patch)).toEqual(result);
  });

  test.each([
    [[{ op: 'add' }], 'a strategic patch is a set of fields'],
    [{ $patch: 'delete' }, 'a patch cannot delete the resource'],
    [{ a: { $patch: 'burn' } }, '"$patch" is one of merge, replace, delete, not "burn"'],
    [{ $setElementOrder: [] }, '"$setElementOrder" is not a directive of a strategic patch'],
    [{ $retainKeys: 1 }, '"$retainKeys" is followed by a list'],
  ])('refuses %j', (patch, message) => {
    expect(() => applyStrategicPatch({ a: {} }, patch)).toThrow(message);
  });

  test('is a merge patch where there is no directive', () => {
    const value = fc.jsonValue({ maxDepth: 3 });
    const patch = fc.dictionary(
      fc.string().filter((name) => !name.startsWith('$')),
      fc.constantFrom(null, 1, [1], { a: null, b: { c: 1 } }),
    );
    fc.assert(
      fc.property(fc.dictionary(fc.string(), value), patch, (document, change) => {
        expect(applyStrategicPatch(document, change)).toEqual(applyMergePatch(document, change));
      }),
    );
  });
});
