import { isPublicKind, publicKinds } from '../../api/registry.js';
import { type Outline, outlineOf } from '../../api/schema-outline.js';
import { compileTemplate } from '../go-template/go-template.js';
import { isList, isMap, templateProblem, type Value } from '../go-template/go-template-values.js';

/** A template over resources. */
export interface ResourceTemplate {
  /** It asks for settings of the cluster: `config "asnumber"`. */
  readonly usesConfig: boolean;
  /** @param asNumber of nodes that have none of their own */
  execute(objects: readonly object[], asNumber: string): string;
}

/** Names that Go's structures have and documents have not. */
const EMBEDDED: Readonly<Record<string, string>> = { ObjectMeta: 'metadata', ListMeta: 'metadata', TypeMeta: '' };

/** Fractions by nature: Go writes them as such even when they are whole. */
const FLOAT_FIELDS: ReadonlySet<string> = new Set(['order']);

const METADATA: Outline = {
  form: 'fields',
  facts: {},
  fields: [
    ...['name', 'namespace', 'uid', 'resourceVersion', 'creationTimestamp'].map((name) => textField(name)),
    ...['labels', 'annotations'].map((name) => ({
      name,
      isRequired: false,
      outline: { form: 'map' as const, facts: {} },
    })),
  ],
};

function textField(name: string) {
  return { name, isRequired: false, outline: { form: 'text' as const, facts: {} } };
}

/** What a field holds that nobody gave: text is empty then, truth is false, lists are empty. */
function absent({ form }: Outline): Value {
  switch (form) {
    case 'text':
      return '';
    case 'truth':
      return false;
    case 'list':
      return [];
    case 'map':
      return new Map();
    default:
      return null;
  }
}

function mapValue(object: object, outline: Outline | undefined): Value {
  const fields = outline?.fields ?? [];
  const value = new Map<string, Value>();
  for (const [name, held] of Object.entries(object)) {
    const below = outline?.form === 'map' ? outline.item : fields.find((field) => field.name === name)?.outline;
    const isFloat = FLOAT_FIELDS.has(name) && typeof held === 'number';
    value.set(name, isFloat ? held : valueOf(held, below));
  }
  for (const field of fields) if (!value.has(field.name)) value.set(field.name, absent(field.outline));
  return value;
}

function valueOf(held: unknown, outline?: Outline): Value {
  if (held === undefined || held === null) return held;
  if (typeof held === 'number') return Number.isInteger(held) ? BigInt(held) : held;
  if (Array.isArray(held)) return held.map((item: unknown) => valueOf(item, outline?.item));
  return typeof held === 'object' ? mapValue(held, outline) : (held as Value);
}

const outlines = new Map<string, Outline>();

function outlineOfKind(kind: unknown): Outline | undefined {
  if (typeof kind !== 'string' || !isPublicKind(kind)) return undefined;
  const outline = outlines.get(kind) ?? {
    form: 'fields',
    facts: {},
    fields: [
      { name: 'metadata', isRequired: true, outline: METADATA },
      { name: 'spec', isRequired: true, outline: outlineOf(publicKinds[kind].spec) },
    ],
  };
  outlines.set(kind, outline);
  return outline;
}

function objectValue(object: object): Value {
  if (!('items' in object) || !Array.isArray(object.items)) {
    return mapValue(object, outlineOfKind('kind' in object ? object.kind : undefined));
  }
  const { items, ...list } = object;
  const value = valueOf(list);
  return isMap(value) ? new Map([...value, ['items', items.map((item) => objectValue(item as object))]]) : value;
}

/** By its name in documents, in any case, or by the name that Go's structures have for it. */
function lookUp(holder: ReadonlyMap<string, Value>, name: string): Value {
  if (holder.has(name)) return holder.get(name);
  const embedded = EMBEDDED[name];
  if (embedded !== undefined) return embedded === '' ? holder : holder.get(embedded);
  const lower = name.toLowerCase();
  for (const [key, value] of holder) if (key.toLowerCase() === lower) return value;
  const metadata = holder.get('metadata');
  // The fields of ObjectMeta are those of the object itself.
  return metadata !== undefined && isMap(metadata) ? lookUp(metadata, name) : undefined;
}

function fieldOf(holder: Value, name: string): { readonly value: Value } | undefined {
  if (isMap(holder)) return { value: lookUp(holder, name) };
  // One object alone may be meant by the list of all that were found.
  const [first, ...others] = isList(holder) ? holder : [];
  return first !== undefined && others.length === 0 ? fieldOf(first, name) : undefined;
}

/**
 * Reads a template over the list of what was found: objects, or one list of a kind with its `items`.
 *
 * @throws {CalicoError} `ERR_CALI_CLI_TEMPLATE` with line and column
 */
export function parseResourceTemplate(text: string): ResourceTemplate {
  let asNumberNow = '';
  const config = (name: Value): Value => {
    if (typeof name === 'string' && name.toLowerCase() === 'asnumber') return asNumberNow;
    throw templateProblem(`it knows "asnumber" only`);
  };
  const functions = new Map([['config', { minimum: 1, maximum: 1, call: ([name]: readonly Value[]) => config(name) }]]);
  const template = compileTemplate(text, { functions, fieldOf });
  return {
    usesConfig: /\bconfig\b/.test(text),
    execute(objects, asNumber) {
      asNumberNow = asNumber;
      return template.execute(objects.map(objectValue));
    },
  };
}
