import { stringify } from 'yaml';
import { kindMeanings, meaningOf } from '../src/api/meanings.js';
import { CEL_RULES, type CelRule, LIMITS, TEXT_FORMS } from './crd-rules.js';
import { isPublicKind, type PublicKind, publicKinds } from '../src/api/registry.js';
import { type Outline, outlineOf } from '../src/api/schema-outline.js';

/**
 * `deploy/crds/`: the kinds as Kubernetes stores them, group crd.projectcalico.org/v1, with structural schemas (Kubernetes:
 * "Extend the API with CustomResourceDefinitions", "Specifying a structural schema").
 */

type JsonSchema = Readonly<Record<string, unknown>>;

/** Kept as they are, whatever stands in them. */
const OPEN: JsonSchema = { type: 'object', 'x-kubernetes-preserve-unknown-fields': true };

function choiceSchema(choices: readonly (string | number)[]): JsonSchema {
  return { type: typeof choices[0] === 'number' ? 'integer' : 'string', enum: choices };
}

function numberSchema({ minimum, maximum }: Outline['facts']): JsonSchema {
  if (minimum === undefined || maximum === undefined) return { type: 'number' };
  return { type: 'integer', ...(maximum > 2147483647 ? { format: 'int64' } : {}), minimum, maximum };
}

function textSchema({ words, pattern, maxLength }: Outline['facts']): JsonSchema {
  return {
    type: 'string',
    ...(words === undefined ? {} : TEXT_FORMS[words]),
    ...(pattern === undefined ? {} : { pattern }),
    ...(maxLength === undefined ? {} : { maxLength }),
  };
}

interface Place {
  readonly kind: PublicKind;
  readonly path: string;
}

function fieldsSchema({ fields = [] }: Outline, { kind, path }: Place): JsonSchema {
  const required = fields.filter(({ isRequired }) => isRequired).map(({ name }) => name);
  const properties = fields.map(({ name, outline }) => {
    const below = path === '' ? name : `${path}.${name}`;
    const description = meaningOf(kind, below)?.meaning;
    const schema = schemaOf(outline, { kind, path: below });
    return [name, description === undefined ? schema : { description, ...schema }] as const;
  });
  return {
    type: 'object',
    ...(required.length === 0 ? {} : { required }),
    properties: Object.fromEntries(properties),
  };
}

/** With what rules and limits say of this place. */
function schemaOf(outline: Outline, place: Place): JsonSchema {
  const rules = CEL_RULES[place.kind]?.[place.path];
  return {
    ...formSchema(outline, place),
    ...LIMITS[place.kind]?.[place.path],
    ...(rules === undefined ? {} : { 'x-kubernetes-validations': rules }),
  };
}

function formSchema(outline: Outline, place: Place): JsonSchema {
  const { form, facts, choices, item } = outline;
  if (choices !== undefined) return choiceSchema(choices);
  switch (form) {
    case 'fields':
      return fieldsSchema(outline, place);
    case 'list':
      return {
        type: 'array',
        ...(facts.maxItems === undefined ? {} : { maxItems: facts.maxItems }),
        items: item === undefined ? OPEN : schemaOf(item, { ...place, path: `${place.path}[]` }),
      };
    case 'map':
      return { type: 'object', additionalProperties: item === undefined ? OPEN : schemaOf(item, place) };
    case 'text':
      return textSchema(facts);
    case 'number':
      return numberSchema(facts);
    case 'truth':
      return { type: 'boolean' };
    case 'number or text':
      return { 'x-kubernetes-int-or-string': true };
    case 'anything':
      return { 'x-kubernetes-preserve-unknown-fields': true };
  }
}

interface Definition {
  readonly kind: string;
  readonly plural: string;
  readonly isNamespaced: boolean;
  readonly description: string;
  readonly spec: JsonSchema;
  /** Over the whole object. */
  readonly rules?: readonly CelRule[];
}

function customResourceDefinition(definition: Definition): string {
  const { kind, plural, isNamespaced, description, spec, rules } = definition;
  const text = { type: 'string' };
  const schema = {
    description,
    type: 'object',
    properties: { apiVersion: text, kind: text, metadata: { type: 'object' }, spec, status: OPEN },
    ...(rules === undefined ? {} : { 'x-kubernetes-validations': rules }),
  };
  return stringify(
    {
      apiVersion: 'apiextensions.k8s.io/v1',
      kind: 'CustomResourceDefinition',
      metadata: { name: `${plural}.crd.projectcalico.org` },
      spec: {
        group: 'crd.projectcalico.org',
        names: { kind, listKind: `${kind}List`, plural, singular: kind.toLowerCase() },
        scope: isNamespaced ? 'Namespaced' : 'Cluster',
        preserveUnknownFields: false,
        versions: [{ name: 'v1', served: true, storage: true, schema: { openAPIV3Schema: schema } }],
      },
    },
    { aliasDuplicateObjects: false, lineWidth: 0, singleQuote: true },
  );
}

/** Kubernetes has these of its own: Node, Pod, Namespace and ServiceAccount stand for them. */
const NATIVE: readonly PublicKind[] = ['Node', 'WorkloadEndpoint', 'Profile'];

/** Where Kubernetes has it under IPAM's own name. */
const RENAMED: Readonly<Partial<Record<PublicKind, { readonly kind: string; readonly plural: string }>>> = {
  IPAMConfiguration: { kind: 'IPAMConfig', plural: 'ipamconfigs' },
};

function publicDefinition(kind: PublicKind): Definition {
  const { spec, namespaced, plural } = publicKinds[kind];
  const rules = CEL_RULES[kind]?.['.'];
  return {
    kind,
    plural,
    ...RENAMED[kind],
    isNamespaced: namespaced,
    description: kindMeanings[kind].about,
    spec: schemaOf(outlineOf(spec), { kind, path: '' }),
    ...(rules === undefined ? {} : { rules }),
  };
}

const text = { type: 'string' };
const textMap = { type: 'object', additionalProperties: text };
const count = { type: 'integer', format: 'int64' };

/** IPAM's own records, whose fields etcd spells otherwise. */
const INTERNAL: readonly Definition[] = [
  {
    kind: 'IPAMBlock',
    plural: 'ipamblocks',
    isNamespaced: false,
    description: 'A block of addresses and who holds each.',
    spec: {
      type: 'object',
      required: ['allocations', 'attributes', 'cidr', 'deleted', 'unallocated'],
      properties: {
        cidr: text,
        affinity: text,
        affinityClaimTime: { type: 'string', format: 'date-time' },
        allocations: { type: 'array', items: { type: 'integer', nullable: true } },
        unallocated: { type: 'array', items: { type: 'integer' } },
        attributes: {
          type: 'array',
          items: {
            type: 'object',
            properties: {
              handle_id: text,
              secondary: textMap,
              alternateOwnerAttrs: textMap,
              releasedAt: { type: 'string', format: 'date-time' },
            },
          },
        },
        sequenceNumber: { ...count, default: 0 },
        sequenceNumberForAllocation: { type: 'object', additionalProperties: count },
        deleted: { type: 'boolean' },
        strictAffinity: { type: 'boolean' },
      },
    },
  },
  {
    kind: 'IPAMHandle',
    plural: 'ipamhandles',
    isNamespaced: false,
    description: 'How many addresses a holder has in which block.',
    spec: {
      type: 'object',
      required: ['block', 'handleID'],
      properties: {
        handleID: text,
        block: { type: 'object', additionalProperties: { type: 'integer' } },
        deleted: { type: 'boolean' },
      },
    },
  },
  {
    kind: 'BlockAffinity',
    plural: 'blockaffinities',
    isNamespaced: false,
    description: 'Which host claims a block.',
    spec: {
      type: 'object',
      required: ['cidr', 'deleted', 'node', 'state'],
      properties: { cidr: text, deleted: text, node: text, state: text, type: text },
    },
  },
];

/** File → text. */
export function customResourceDefinitions(): ReadonlyMap<string, string> {
  const kinds = Object.keys(publicKinds).filter((kind) => isPublicKind(kind) && !NATIVE.includes(kind));
  const definitions = [...kinds.filter(isPublicKind).map(publicDefinition), ...INTERNAL];
  return new Map(
    definitions.map((definition) => [
      `deploy/crds/crd.projectcalico.org_${definition.plural}.yaml`,
      `# Made by scripts/generate.ts.\n${customResourceDefinition(definition)}`,
    ]),
  );
}
