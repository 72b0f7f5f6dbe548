import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { CalicoError } from '../../base/errors.js';
import { applyJsonPatch } from './json-patch.js';

const add = (path: string, value: unknown) => ({ op: 'add', path, value });

describe('applyJsonPatch()', () => {
  // RFC 6902, appendix A.
  test.each([
    ['adds a field', { foo: 'bar' }, [add('/baz', 'qux')], { baz: 'qux', foo: 'bar' }],
    ['adds into a list', { foo: ['bar', 'baz'] }, [add('/foo/1', 'qux')], { foo: ['bar', 'qux', 'baz'] }],
    ['adds to the end of a list', { foo: ['bar'] }, [add('/foo/-', ['x'])], { foo: ['bar', ['x']] }],
    ['replaces what is there', { foo: null }, [add('/foo', 1)], { foo: 1 }],
    ['removes a field', { baz: 1, foo: 2 }, [{ op: 'remove', path: '/baz' }], { foo: 2 }],
    ['removes from a list', { foo: [1, 2, 3] }, [{ op: 'remove', path: '/foo/1' }], { foo: [1, 3] }],
    ['replaces a value', { baz: 1 }, [{ op: 'replace', path: '/baz', value: 2 }], { baz: 2 }],
    [
      'moves a value',
      { foo: { bar: 'baz', waldo: 'fred' }, qux: { corge: 'grault' } },
      [{ op: 'move', from: '/foo/waldo', path: '/qux/thud' }],
      { foo: { bar: 'baz' }, qux: { corge: 'grault', thud: 'fred' } },
    ],
    [
      'moves within a list',
      { foo: ['all', 'grass', 'cows', 'eat'] },
      [{ op: 'move', from: '/foo/1', path: '/foo/3' }],
      { foo: ['all', 'cows', 'eat', 'grass'] },
    ],
    ['copies a value', { a: { b: 1 } }, [{ op: 'copy', from: '/a', path: '/c' }], { a: { b: 1 }, c: { b: 1 } }],
    [
      'goes on after a test that holds',
      { baz: 'qux' },
      [{ op: 'test', path: '/baz', value: 'qux' }, add('/a', 1)],
      { baz: 'qux', a: 1 },
    ],
    ['reads escapes', { 'a/b': 1, 'c~d': 2 }, [{ op: 'remove', path: '/a~1b' }, add('/c~0d', 3)], { 'c~d': 3 }],
    ['replaces the whole', { a: 1 }, [{ op: 'replace', path: '', value: { b: 2 } }], { b: 2 }],
  ])('%s', (_, document, patch, result) => {
    const before = structuredClone(document);
    expect(applyJsonPatch(document, patch)).toEqual(result);
    expect(document).toEqual(before);
  });

  test.each([
    [[{ op: 'remove', path: '/nope/x' }], 'patch[0]: there is no /nope'],
    [[add('/a', 1), { op: 'replace', path: '/b', value: 1 }], 'patch[1]: there is no /b'],
    [[add('/list/3', 1)], 'patch[0]: there is no place 3 in a list of 2'],
    [[add('/list/01', 1)], 'patch[0]: "01" is not a place in a list'],
    [[{ op: 'test', path: '/list', value: [1] }], 'patch[0]: the test of /list failed: it is [1,2]'],
    [[{ op: 'move', from: '/list', path: '/list/0' }], 'patch[0]: it moves a value into itself'],
    [[{ op: 'copy', path: '/a' }], 'patch[0]: "from" is missing: it is a pointer such as /spec/order'],
    [[{ op: 'add', path: '/a' }], 'patch[0]: "value" is missing'],
    [[add('a', 1)], 'patch[0]: "a" is not a pointer: it begins with no /'],
    [[add('/__proto__/x', 1)], 'patch[0]: "/__proto__/x": "__proto__" cannot be a key here'],
    [[{ op: 'constructor', path: '/a' }], 'patch[0]: "op" is not one of add, remove, replace, move, copy, test'],
    [[add('/text/x', 1)], 'patch[0]: /text is neither a list nor a set of fields'],
    [{ op: 'add' }, 'a JSON patch is a list of operations'],
  ])('refuses %j', (patch, message) => {
    expect(() => applyJsonPatch({ list: [1, 2], text: 'x' }, patch)).toThrow(message);
  });

  test('applies any patch wholly, or throws what can be acted on', () => {
    const pointer = fc.array(fc.constantFrom('a', 'b', '0', '1', '-', '~1', ''), { maxLength: 3 });
    const operation = fc.record(
      {
        op: fc.constantFrom('add', 'remove', 'replace', 'move', 'copy', 'test'),
        path: pointer.map((path) => path.map((step) => `/${step}`).join('')),
        from: pointer.map((path) => path.map((step) => `/${step}`).join('')),
        value: fc.jsonValue({ maxDepth: 2 }),
      },
      { requiredKeys: ['op', 'path'] },
    );
    const document = { a: [1, { b: 2 }], b: { a: { '0': [] } } };
    fc.assert(
      fc.property(fc.array(operation, { maxLength: 4 }), (patch) => {
        try {
          applyJsonPatch(document, patch);
        } catch (error) {
          expect(error).toBeInstanceOf(CalicoError);
        }
        expect(document).toEqual({ a: [1, { b: 2 }], b: { a: { '0': [] } } });
      }),
    );
  });
});
