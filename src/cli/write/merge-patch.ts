import { type Fields, isFields } from '../../api/plain-fields.js';
import { CalicoError } from '../../base/errors.js';

function fieldsOf(value: unknown): Fields {
  return isFields(value) ? value : {};
}

/** Field by field, so that a field named `__proto__` is one like any other. */
function toFields(entries: Iterable<readonly [string, unknown]>): Fields {
  return Object.fromEntries(entries);
}

/**
 * The document with a merge patch applied: fields are merged, null takes a field away, lists and values are replaced.
 *
 * @see RFC 7386, section 2
 */
export function applyMergePatch(document: unknown, patch: unknown): unknown {
  if (!isFields(patch)) return patch;
  const merged = new Map(Object.entries(fieldsOf(document)));
  for (const [name, value] of Object.entries(patch)) {
    if (value === null) merged.delete(name);
    else merged.set(name, applyMergePatch(merged.get(name), value));
  }
  return toFields(merged);
}

const REMOVED = Symbol('removed');
const DELETE_FROM_LIST = '$deleteFromPrimitiveList/';

function bad(message: string, hint?: string): CalicoError {
  return new CalicoError('ERR_CALI_CLI_PATCH', message, hint === undefined ? {} : { hint });
}

function listOf(value: unknown, directive: string): readonly unknown[] {
  if (!Array.isArray(value)) throw bad(`"${directive}" is followed by a list`);
  return value;
}

function withoutDirective(patch: Fields): Fields {
  return toFields(Object.entries(patch).filter(([name]) => name !== '$patch'));
}

function mergeFields(document: Fields, patch: Fields): Fields {
  const merged = new Map(Object.entries(document));
  for (const [name, value] of Object.entries(patch)) {
    if (name === '$retainKeys') continue;
    if (name.startsWith(DELETE_FROM_LIST)) {
      const field = name.slice(DELETE_FROM_LIST.length);
      const gone = listOf(value, name);
      merged.set(
        field,
        listOf(merged.get(field) ?? [], name).filter((item) => !gone.includes(item)),
      );
    } else if (name.startsWith('$')) {
      throw bad(
        `"${name}" is not a directive of a strategic patch`,
        'use $patch, $retainKeys or $deleteFromPrimitiveList/FIELD',
      );
    } else {
      const result = value === null ? REMOVED : mergeStrategic(merged.get(name), value);
      if (result === REMOVED) merged.delete(name);
      else merged.set(name, result);
    }
  }
  const retained = patch['$retainKeys'];
  if (retained === undefined) return toFields(merged);
  const names = listOf(retained, '$retainKeys');
  return toFields([...merged].filter(([name]) => names.includes(name)));
}

function mergeStrategic(document: unknown, patch: unknown): unknown {
  if (!isFields(patch)) return patch;
  const directive = patch['$patch'];
  switch (directive) {
    case 'delete':
      return REMOVED;
    case 'replace':
      return mergeFields({}, withoutDirective(patch));
    case undefined:
    case 'merge':
      return mergeFields(fieldsOf(document), withoutDirective(patch));
    default:
      throw bad(`"$patch" is one of merge, replace, delete, not ${JSON.stringify(directive)}`);
  }
}

/**
 * The document with a strategic merge patch applied: fields are merged, null takes a field away, lists are replaced whole (no list of
 * these resources has a merge key). Directives: `$patch: merge | replace | delete` in a set of fields, `$retainKeys` beside the fields
 * that alone are to stay, `$deleteFromPrimitiveList/FIELD` beside a list of values.
 *
 * @throws {CalicoError} `ERR_CALI_CLI_PATCH`
 */
export function applyStrategicPatch(document: unknown, patch: unknown): unknown {
  if (!isFields(patch)) {
    throw bad(
      'a strategic patch is a set of fields',
      Array.isArray(patch) ? 'for a list of operations, say --type json' : undefined,
    );
  }
  const patched = mergeStrategic(document, patch);
  if (patched === REMOVED) throw bad('a patch cannot delete the resource', 'use calicoctl delete');
  return patched;
}
