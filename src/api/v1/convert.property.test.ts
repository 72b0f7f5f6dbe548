import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { arbitraryOf } from '../arbitrary-fields.fake.js';
import { explainBadSubdomain } from '../names.js';
import { outlineOf } from '../schema-outline.js';
import { validate } from '../validate.js';
import { convertAllV1, convertV1, V1_KINDS } from './convert.js';
import { convertName, convertPolicyName } from './names.js';

/** Objects of a kind: their fields in the right form, mostly with values that fit. */
function objectsOf(kind: (typeof V1_KINDS)[number]): fc.Arbitrary<unknown> {
  const metadata = arbitraryOf(outlineOf(kind.metadata), 'metadata');
  const spec = arbitraryOf(outlineOf(kind.spec), 'spec');
  return fc.record({ apiVersion: fc.constant('v1'), kind: fc.constant(kind.kind), metadata, spec });
}

/** The same with a value somewhere replaced by anything at all. */
function damaged(object: unknown, path: readonly number[], value: unknown): unknown {
  const [step, ...rest] = path;
  if (typeof object !== 'object' || object === null || step === undefined) return value;
  const keys = Object.keys(object);
  const key = keys[step % Math.max(1, keys.length)];
  if (key === undefined) return value;
  const below: unknown = (object as Record<string, unknown>)[key];
  if (Array.isArray(object))
    return object.map((item: unknown, i) => (String(i) === key ? damaged(item, rest, value) : item));
  return { ...object, [key]: damaged(below, rest, value) };
}

describe.each([...V1_KINDS])('converting $kind', (kind) => {
  test('gives a resource that validates, or says why not', () => {
    let valid = 0;
    fc.assert(
      fc.property(objectsOf(kind), (object) => {
        const { resource, refusals, complaints } = convertV1(object);
        expect(resource === undefined).toBe(refusals.length > 0);
        if (resource === undefined) return;
        expect(resource.kind).toBe(kind.becomes);
        expect(validate(resource)).toEqual(complaints);
        if (complaints.length === 0) valid += 1;
      }),
      { numRuns: 300 },
    );
    // A generator that makes nothing of use would prove nothing.
    expect(valid).toBeGreaterThan(10);
  });

  test('never throws, whatever stands in the fields', () => {
    const anything = fc.oneof(
      fc.jsonValue(),
      fc.constantFrom('__proto__', 'constructor', '', '/', '\u0000', -1, Infinity),
    );
    fc.assert(
      fc.property(objectsOf(kind), fc.array(fc.nat(50), { maxLength: 6 }), anything, (object, path, value) => {
        const { resource, refusals, complaints } = convertV1(damaged(object, path, value));
        for (const { code, message } of [...refusals, ...complaints]) expect(code && message).not.toBe('');
        expect(resource === undefined).toBe(refusals.length > 0);
      }),
      { numRuns: 300 },
    );
  });
});

describe('convertAllV1()', () => {
  test('never throws on lists of anything', () => {
    fc.assert(
      fc.property(fc.array(fc.jsonValue()), (objects) => {
        expect(convertAllV1(objects)).toHaveLength(objects.length);
      }),
    );
  });
});

describe('names', () => {
  const odd = fc.oneof(
    fc.string({ minLength: 1 }),
    fc.stringMatching(/^[A-Za-z_./-]{1,40}$/),
    fc.string({ minLength: 250, maxLength: 300 }),
  );

  test('are valid whatever they were', () => {
    fc.assert(
      fc.property(odd, (name) => {
        expect(explainBadSubdomain(convertName(name))).toBeUndefined();
        expect(explainBadSubdomain(convertPolicyName(name))).toBeUndefined();
        expect(convertPolicyName(name)).not.toContain('.');
      }),
    );
  });

  test('stay as they are when they are valid, and two never become one', () => {
    fc.assert(
      fc.property(fc.uniqueArray(odd, { minLength: 2, maxLength: 8 }), (names) => {
        const converted = names.map(convertName);
        expect(new Set(converted).size).toBe(names.length);
        expect(converted.map(convertName)).toEqual(converted);
      }),
    );
  });
});
