import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { arbitraryResource } from '../arbitrary-resource.fake.js';
import { formatKeyPath, parseKeyPath } from '../keys.js';
import { isPublicKind, isTieredKind, publicKinds } from '../registry.js';
import type { ResourceKey } from '../resource-update.js';
import { fieldPaths, outlineOf } from '../schema-outline.js';
import { decodeStored, encodeStored, TIER_LABEL } from '../stored-form.js';
import { parseResource, validate } from '../validate.js';

const kinds = Object.keys(publicKinds).filter(isPublicKind);

const BATCH = 20;
const BATCHES = 100;

/** What a rule forbids there, whatever stands beside it. */
const NEVER = /^ingress\[\]\.destination\.services|^egress\[\]\.(source\.services|http)/;

/** Paths of all that is there, as outlines write them. */
function pathsIn(value: unknown, path = ''): readonly string[] {
  if (Array.isArray(value)) return [path, ...value.flatMap((item) => pathsIn(item, `${path}[]`))];
  if (typeof value !== 'object' || value === null) return [path];
  return [
    path,
    ...Object.entries(value).flatMap(([name, field]) => pathsIn(field, path === '' ? name : `${path}.${name}`)),
  ];
}

describe.each(kinds)('%s', (kind) => {
  const resources = arbitraryResource(kind);

  test('is the same after being printed and parsed, typed or stored', () => {
    fc.assert(
      fc.property(resources, (resource) => {
        expect(validate(resource)).toEqual([]);
        expect(parseResource(JSON.parse(JSON.stringify(resource)))).toEqual(resource);

        const { name, namespace, labels } = resource.metadata;
        const key: ResourceKey<typeof kind> = { kind, name, ...(namespace === undefined ? {} : { namespace }) };
        expect(parseKeyPath(formatKeyPath(key))).toEqual(key);
        const stored = decodeStored(key, encodeStored(kind, resource));
        const { tier } = resource.spec as { readonly tier?: string };
        const metadata = {
          ...resource.metadata,
          ...(isTieredKind(kind) ? { labels: { ...labels, [TIER_LABEL]: tier } } : {}),
        };
        const isBare = publicKinds[kind].bareSpec !== undefined;
        expect(stored).toEqual({ ...resource, metadata: isBare ? { name } : metadata });
      }),
      { numRuns: 30 },
    );
  });

  // What the generator never makes would never be tested.
  test('is made with all of its fields', () => {
    const all = fieldPaths(outlineOf(publicKinds[kind].spec)).map(({ path }) => path);
    const wanted = new Set(all.filter((path) => !NEVER.test(path)));
    for (let seed = 1; seed <= BATCHES && wanted.size > 0; seed += 1) {
      for (const { spec } of fc.sample(resources, { numRuns: BATCH, seed })) {
        for (const path of pathsIn(spec)) wanted.delete(path);
      }
    }
    expect([...wanted]).toEqual([]);
  });
});
