import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { customResourceDefinitions } from './crds.js';
import { kindPages } from './kind-pages.js';

type Schema = Readonly<Record<string, unknown>>;

function isSchema(value: unknown): value is Schema {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Kubernetes' rules for one node of a structural schema, as far as ours could break them. */
const RULES: readonly { readonly what: string; readonly isBroken: (schema: Schema) => boolean }[] = [
  {
    what: 'no type',
    isBroken: (schema) =>
      schema['type'] === undefined &&
      schema['x-kubernetes-int-or-string'] !== true &&
      schema['x-kubernetes-preserve-unknown-fields'] !== true,
  },
  {
    what: 'both kinds of properties',
    isBroken: ({ properties, additionalProperties }) => properties !== undefined && additionalProperties !== undefined,
  },
  { what: 'no items', isBroken: ({ type, items }) => type === 'array' && items === undefined },
  {
    what: 'pattern is not anchored',
    isBroken: ({ pattern }) => typeof pattern === 'string' && !/^(\(\?i\))?\^.*\$$/.test(pattern),
  },
  {
    what: 'what is required is not there',
    isBroken: ({ required, properties }) =>
      Array.isArray(required) &&
      required.some((name) => !isSchema(properties) || !Object.hasOwn(properties, String(name))),
  },
];

function flaws(schema: unknown, path: string): readonly string[] {
  if (!isSchema(schema)) return [`${path}: no schema`];
  const { properties, items, additionalProperties } = schema;
  const below = Object.entries(isSchema(properties) ? properties : {}).flatMap(([name, field]) =>
    flaws(field, `${path}.${name}`),
  );
  return [
    ...RULES.filter(({ isBroken }) => isBroken(schema)).map(({ what }) => `${path}: ${what}`),
    ...below,
    ...(items === undefined ? [] : flaws(items, `${path}[]`)),
    ...(additionalProperties === undefined ? [] : flaws(additionalProperties, `${path}.*`)),
  ];
}

function schemaOf(text: string): Schema {
  const { spec } = parse(text) as { spec: { versions: readonly [{ schema: { openAPIV3Schema: Schema } }] } };
  return spec.versions[0].schema.openAPIV3Schema;
}

describe('customResourceDefinitions()', () => {
  const all = customResourceDefinitions();

  test('has the kinds that Kubernetes has not, and those of IPAM', () => {
    const plurals = [...all.keys()].map((file) => file.replace(/^.*_|\.yaml$/g, '')).toSorted();
    expect(plurals).toEqual(
      (
        'bgpconfigurations bgpfilters bgppeers blockaffinities caliconodestatuses clusterinformations felixconfigurations ' +
        'globalnetworkpolicies globalnetworksets hostendpoints ipamblocks ipamconfigs ipamhandles ippools ipreservations ' +
        'kubecontrollersconfigurations networkpolicies networksets stagedglobalnetworkpolicies ' +
        'stagedkubernetesnetworkpolicies stagednetworkpolicies tiers'
      ).split(' '),
    );
  });

  test.each([...all])('%s is structural', (_file, text) => {
    expect(flaws(schemaOf(text), 'root')).toEqual([]);
  });

  test('carries bounds, choices, lengths and what must be there', () => {
    const pool = schemaOf(all.get('deploy/crds/crd.projectcalico.org_ippools.yaml') ?? '');
    expect(pool).toMatchObject({
      properties: {
        spec: {
          required: ['cidr'],
          properties: {
            blockSize: { type: 'integer', minimum: 20, maximum: 128 },
            ipipMode: { enum: ['Never', 'Always', 'CrossSubnet'] },
            nodeSelector: { maxLength: 1024 },
          },
        },
      },
    });
  });
});

describe('kindPages()', () => {
  test('has a page for each kind, with each field', () => {
    const pages = kindPages();
    expect(pages.get('docs/reference/README.md')).toContain('[BGPFilter](bgpfilter.md)');
    expect(pages.get('docs/reference/ippool.md')).toContain(
      '| `cidr` | a CIDR without bits past its prefix; required |',
    );
    expect(pages.get('docs/reference/networkpolicy.md')).toContain('| `ingress[].source.services.name` |');
  });
});
