import * as v from 'valibot';
import type { Issue } from '../base/errors.js';
import { describeSchemaIssue, joinPath, ruleIssue, unknownField } from './issues.js';
import { isFields } from './plain-fields.js';
import { partsOf, type SchemaParts } from './schema-parts.js';

/** A deep copy without null fields: in YAML and in Go's JSON they mean "not set". */
export function withoutNulls(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutNulls);
  if (!isFields(value)) return value;
  const fields = Object.entries(value).filter(([, field]) => field !== null && field !== undefined);
  return Object.fromEntries(fields.map(([name, field]) => [name, withoutNulls(field)]));
}

/** Keys that valibot drops from a map without a word: a label would silently not be there. */
const DROPPED_KEYS: readonly string[] = ['__proto__', 'prototype', 'constructor'];

/** What YAML 1.1 took for true and false, and Go's reader takes to this day: `natOutgoing: yes` stands in many a manifest. */
const TRUE_WORD = /^(?:y|Y|yes|Yes|YES|on|On|ON)$/;
const FALSE_WORD = /^(?:n|N|no|No|NO|off|Off|OFF)$/;

/** The value with these words as what they mean, where true or false is asked for and nowhere else: `no` may be a name. */
function withTruth(schema: SchemaParts, value: unknown): unknown {
  if (schema.wrapped !== undefined) return withTruth(schema.wrapped, value);
  const { type, item, entries } = schema;
  if (type === 'boolean' && typeof value === 'string') {
    return TRUE_WORD.test(value) ? true : FALSE_WORD.test(value) ? false : value;
  }
  if (item !== undefined && Array.isArray(value)) return value.map((element: unknown) => withTruth(item, element));
  if (entries === undefined || !isFields(value)) return value;
  const read = Object.entries(value).map(([name, field]): [string, unknown] => {
    const known = Object.hasOwn(entries, name) ? entries[name] : undefined;
    return [name, known === undefined ? field : withTruth(known, field)];
  });
  return Object.fromEntries(read);
}

/** What valibot lets pass or stops at the first of: all unknown fields, numbers that nothing can store. */
function strictIssues(schema: SchemaParts, value: unknown, path: string): Issue[] {
  if (schema.wrapped !== undefined) return strictIssues(schema.wrapped, value, path);
  const { item, entries } = schema;
  if (schema.type === 'number' && schema.pipe === undefined && Math.abs(Number(value)) === Infinity) {
    return [{ code: 'type', path, message: 'it is infinite: no such number can be stored' }];
  }
  if (item !== undefined && Array.isArray(value)) {
    return value.flatMap((element: unknown, index) => strictIssues(item, element, joinPath(path, index)));
  }
  // valibot takes a list for an object.
  if (Array.isArray(value) && (entries !== undefined || schema.type === 'record')) {
    return [{ code: 'type', path, message: 'a list is not a set of fields' }];
  }
  if (!isFields(value)) return [];
  if (schema.type === 'record') {
    const dropped = Object.keys(value).filter((name) => DROPPED_KEYS.includes(name));
    return dropped.map((name) => ruleIssue(joinPath(path, name), `"${name}" cannot be a key here`));
  }
  if (entries === undefined) return [];
  return Object.entries(value).flatMap(([name, field]) => {
    const known = Object.hasOwn(entries, name) ? entries[name] : undefined;
    if (known !== undefined) return strictIssues(known, field, joinPath(path, name));
    return schema.type === 'strict_object' ? [unknownField(joinPath(path, name), name, Object.keys(entries))] : [];
  });
}

function pathOf(issue: v.BaseIssue<unknown>, root: string): string {
  return (issue.path ?? []).reduce((path, item) => {
    const { key } = item;
    return typeof key === 'string' || typeof key === 'number' ? joinPath(path, key) : path;
  }, root);
}

/**
 * A typed value read by a schema: unknown fields are refused, and every issue is found at once.
 *
 * @param root path of the value: `spec`
 * @returns the value only where the schema took it; issues may stand beside it
 */
export function readPart<T>(
  schema: v.GenericSchema<unknown, T>,
  value: unknown,
  root: string,
): { value?: T; issues: Issue[] } {
  const parts = partsOf(schema);
  const issues = strictIssues(parts, value, root);
  const result = v.safeParse(schema, withTruth(parts, value));
  if (result.success) return { value: result.output, issues };
  const found = result.issues
    .filter((issue) => issue.expected !== 'never')
    .map((issue) => describeSchemaIssue(issue, pathOf(issue, root)));
  return { issues: [...issues, ...found] };
}
