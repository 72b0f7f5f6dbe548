import type { FieldFacts } from './fields.js';
import type { SpecSchema } from './meta.js';
import { partsOf, type PipeStep, type SchemaParts } from './schema-parts.js';

/** What a value may be, as the reference pages, CRDs and `explain` need it: the structure of a schema without its code. */
export interface Outline {
  readonly form: 'fields' | 'list' | 'map' | 'text' | 'number' | 'truth' | 'number or text' | 'anything';
  /** All there are, where the value is one of few. */
  readonly choices?: readonly (string | number)[];
  readonly facts: Partial<FieldFacts>;
  readonly fields?: readonly OutlinedField[];
  /** Of a list and of a map. */
  readonly item?: Outline;
}

export interface OutlinedField {
  readonly name: string;
  readonly isRequired: boolean;
  readonly outline: Outline;
}

/** A pipe may begin with another one. */
function factsOf(schema: PipeStep): Partial<FieldFacts> {
  let facts: Partial<FieldFacts> = {};
  for (const step of schema.pipe ?? []) {
    const found = step.pipe !== undefined && step !== schema ? factsOf(step) : step.metadata;
    facts = { ...facts, ...found };
  }
  return facts;
}

function choicesOf(options: readonly unknown[]): readonly (string | number)[] {
  return options.filter((option) => typeof option === 'string' || typeof option === 'number');
}

const SIMPLE: Readonly<Record<string, Outline['form']>> = {
  string: 'text',
  number: 'number',
  boolean: 'truth',
  union: 'number or text',
};

function outline(schema: SchemaParts): Outline {
  const facts = factsOf(schema);
  const { type, entries, item, wrapped, value, options = [] } = schema;
  if (wrapped !== undefined) return outline(wrapped);
  if (entries !== undefined) {
    const fields = Object.entries(entries).map(([name, entry]) => ({
      name,
      isRequired: entry.type !== 'exact_optional',
      outline: outline(entry),
    }));
    return { form: 'fields', facts, fields };
  }
  if (item !== undefined) return { form: 'list', facts, item: outline(item) };
  if (type === 'record' && value !== undefined) return { form: 'map', facts, item: outline(value) };
  if (type === 'picklist') {
    const choices = choicesOf(options);
    return { form: typeof choices[0] === 'number' ? 'number' : 'text', facts, choices };
  }
  return { form: SIMPLE[type] ?? 'anything', facts };
}

export function outlineOf(schema: SpecSchema): Outline {
  return outline(partsOf(schema));
}

/** Every field below, with its path: `ingress[].source.nets`; that of a map's values ends in `.*`. */
export function fieldPaths(
  { fields = [], item, form }: Outline,
  path = '',
): readonly (OutlinedField & { readonly path: string })[] {
  if (item !== undefined) {
    const step = form === 'list' ? '[]' : '.*';
    return fieldPaths(item, `${path}${step}`);
  }
  return fields.flatMap((field) => {
    const below = path === '' ? field.name : `${path}.${field.name}`;
    return [{ ...field, path: below }, ...fieldPaths(field.outline, below)];
  });
}
