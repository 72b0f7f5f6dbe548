import type { GenericSchema } from 'valibot';
import { CalicoError } from '../base/errors.js';
import { isFields } from './plain-fields.js';
import { partsOf, type SchemaParts } from './schema-parts.js';

/**
 * Compiles a schema to a check of structure alone, for what is read back: types and names of values must be right or the
 * consumers would trip; bounds, patterns and unknown fields do not matter, since another version may have written them. Normalising
 * steps of the schema (`"80"` → 80) are kept. Several times faster than full parsing: the value is checked in place.
 */
export type StructureReader = (value: unknown) => unknown;

/** Answer of a reader that refused; {@link lastMismatch} then says where. */
export const MISMATCH = Symbol('mismatch');

let mismatch = { path: '', expected: '' };

/** Where the last refusing reader found what. Valid until the next call of a reader. */
export function lastMismatch(): { readonly path: string; readonly expected: string } {
  return mismatch;
}

function refuse(expected: string): typeof MISMATCH {
  mismatch = { path: '', expected };
  return MISMATCH;
}

function within(segment: string): typeof MISMATCH {
  const separator = mismatch.path === '' || mismatch.path.startsWith('[') ? '' : '.';
  mismatch = { path: `${segment}${separator}${mismatch.path}`, expected: mismatch.expected };
  return MISMATCH;
}

function objectReader(entries: Readonly<Record<string, SchemaParts>>): StructureReader {
  const readers = new Map(Object.entries(entries).map(([name, schema]) => [name, compile(schema)]));
  const required = Object.keys(entries).filter((name) => entries[name]?.type !== 'exact_optional');
  return (value) => {
    if (!isFields(value)) return refuse('an object');
    for (const name of required) value[name] ??= null;
    // Few of the fields that a kind has are there: going by those present is what makes lists fast.
    for (const name in value) {
      const read = readers.get(name);
      if (read === undefined) continue;
      const seen = value[name];
      // Go's encoder writes an absent pointer, list or time as null.
      if (seen === null && !required.includes(name)) {
        delete value[name];
        continue;
      }
      const result = read(seen);
      if (result === MISMATCH) return within(name);
      if (result !== seen) value[name] = result;
    }
    return value;
  };
}

function arrayReader(item: SchemaParts): StructureReader {
  const read = compile(item);
  return (value) => {
    if (value === null) return [];
    if (!Array.isArray(value)) return refuse('a list');
    const list: unknown[] = value;
    for (let index = 0; index < list.length; index += 1) {
      const result = read(list[index]);
      if (result === MISMATCH) return within(`[${index}]`);
      if (result !== list[index]) list[index] = result;
    }
    return list;
  };
}

function recordReader(item: SchemaParts): StructureReader {
  const read = compile(item);
  return (value) => {
    if (value === null) return {};
    if (!isFields(value)) return refuse('an object');
    for (const name in value) {
      const result = read(value[name]);
      if (result === MISMATCH) return within(`["${name}"]`);
    }
    return value;
  };
}

function picklistReader(options: readonly unknown[]): StructureReader {
  const allowed = new Set(options);
  return (value) => (allowed.has(value) ? value : refuse(`one of ${options.map(String).join(', ')}`));
}

function unionReader(options: readonly SchemaParts[]): StructureReader {
  const readers = options.map(compile);
  return (value) => {
    for (const read of readers) {
      const result = read(value);
      if (result !== MISMATCH) return result;
    }
    return MISMATCH;
  };
}

function typeReader(type: string): StructureReader {
  return (value) => (typeof value === type ? value : refuse(`a ${type}`));
}

const UNKNOWN: SchemaParts = { type: 'unknown' };

function nullableReader(wrapped: SchemaParts): StructureReader {
  const read = compile(wrapped);
  return (value) => (value === null ? null : read(value));
}

/** One entry for each type of schema that kinds use. */
const READERS: Readonly<Record<string, (schema: SchemaParts) => StructureReader>> = {
  string: () => typeReader('string'),
  number: () => typeReader('number'),
  boolean: () => typeReader('boolean'),
  bigint: () => typeReader('bigint'),
  unknown: () => (value) => value,
  picklist: (schema) => picklistReader(schema.options ?? []),
  union: (schema) => unionReader((schema.options ?? []) as readonly SchemaParts[]),
  nullable: (schema) => nullableReader(schema.wrapped ?? UNKNOWN),
  exact_optional: (schema) => compile(schema.wrapped ?? UNKNOWN),
  array: (schema) => arrayReader(schema.item ?? UNKNOWN),
  record: (schema) => recordReader(schema.value ?? UNKNOWN),
  strict_object: (schema) => objectReader(schema.entries ?? {}),
  loose_object: (schema) => objectReader(schema.entries ?? {}),
};

function baseReader(schema: SchemaParts): StructureReader {
  const make = READERS[schema.type];
  if (make === undefined) {
    throw new CalicoError('ERR_CALI_API_SCHEMA', `no structural reader for schemas of type "${schema.type}"`);
  }
  return make(schema);
}

function compile(schema: SchemaParts): StructureReader {
  const read = baseReader(schema);
  const steps = (schema.pipe ?? []).flatMap((step) =>
    step.type === 'transform' && step.operation !== undefined ? [step.operation] : [],
  );
  if (steps.length === 0) return read;
  return (value) => {
    const result = read(value);
    return result === MISMATCH ? MISMATCH : steps.reduce((current, step) => step(current), result);
  };
}

export function structureReader(schema: GenericSchema<unknown, unknown>): StructureReader {
  return compile(partsOf(schema));
}
