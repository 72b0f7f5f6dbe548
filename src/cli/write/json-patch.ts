import { isDeepStrictEqual } from 'node:util';
import { type Fields, isFields } from '../../api/plain-fields.js';
import { CalicoError } from '../../base/errors.js';

/** JSON Patch (RFC 6902) with JSON Pointers (RFC 6901). */

function bad(operation: number, why: string, hint?: string): CalicoError {
  return new CalicoError('ERR_CALI_CLI_PATCH', `patch[${operation}]: ${why}`, hint === undefined ? {} : { hint });
}

/** One step of a patch at work: the document, and which step it is for messages. */
class Step {
  readonly #index: number;
  readonly #holder: { document: unknown };

  constructor(index: number, document: unknown) {
    this.#index = index;
    this.#holder = { document };
  }

  get document(): unknown {
    return this.#holder.document;
  }

  refuse(why: string, hint?: string): CalicoError {
    return bad(this.#index, why, hint);
  }

  segments(pointer: unknown, name: string): readonly string[] {
    if (typeof pointer !== 'string') throw this.refuse(`"${name}" is missing: it is a pointer such as /spec/order`);
    if (pointer !== '' && !pointer.startsWith('/')) {
      throw this.refuse(`"${pointer}" is not a pointer: it begins with no /`, `write /${pointer}`);
    }
    const segments = pointer.split('/').slice(1);
    if (segments.includes('__proto__')) throw this.refuse(`"${pointer}": "__proto__" cannot be a key here`);
    return segments.map((segment) => segment.replaceAll('~1', '/').replaceAll('~0', '~'));
  }

  read(segments: readonly string[]): unknown {
    let value = this.document;
    for (const [depth, segment] of segments.entries()) {
      const shown = `/${segments.slice(0, depth + 1).join('/')}`;
      if (Array.isArray(value)) value = value[this.#position(value, segment, value.length - 1)] as unknown;
      else if (isFields(value) && Object.hasOwn(value, segment)) value = value[segment];
      else throw this.refuse(`there is no ${shown}`);
    }
    return value;
  }

  add(segments: readonly string[], value: unknown): void {
    const last = segments.at(-1);
    if (last === undefined) {
      this.#holder.document = value;
      return;
    }
    const parent = this.read(segments.slice(0, -1));
    if (Array.isArray(parent)) {
      parent.splice(last === '-' ? parent.length : this.#position(parent, last, parent.length), 0, value);
    } else if (isFields(parent)) parent[last] = value;
    else throw this.refuse(`/${segments.slice(0, -1).join('/')} is neither a list nor a set of fields`);
  }

  remove(segments: readonly string[]): unknown {
    const value = this.read(segments);
    const last = segments.at(-1);
    if (last === undefined) throw this.refuse('the whole resource cannot be removed', 'use calicoctl delete');
    const parent = this.read(segments.slice(0, -1));
    if (Array.isArray(parent)) parent.splice(Number(last), 1);
    else delete (parent as Fields)[last];
    return value;
  }

  #position(list: readonly unknown[], segment: string, most: number): number {
    if (!/^(0|[1-9]\d*)$/.test(segment)) throw this.refuse(`"${segment}" is not a place in a list`);
    const position = Number(segment);
    if (position > most) throw this.refuse(`there is no place ${segment} in a list of ${list.length}`);
    return position;
  }
}

function wantedValue(step: Step, operation: Fields): unknown {
  if (!Object.hasOwn(operation, 'value')) throw step.refuse('"value" is missing');
  return structuredClone(operation['value']);
}

function isWithin(path: readonly string[], from: readonly string[]): boolean {
  return path.length > from.length && from.every((segment, depth) => path[depth] === segment);
}

const OPERATIONS: Readonly<Record<string, (step: Step, operation: Fields, path: readonly string[]) => void>> = {
  add: (step, operation, path) => step.add(path, wantedValue(step, operation)),
  remove: (step, _operation, path) => {
    step.remove(path);
  },
  replace: (step, operation, path) => {
    const value = wantedValue(step, operation);
    if (path.length > 0) step.remove(path);
    step.add(path, value);
  },
  move: (step, operation, path) => {
    const from = step.segments(operation['from'], 'from');
    if (isWithin(path, from)) throw step.refuse('it moves a value into itself');
    step.add(path, step.remove(from));
  },
  copy: (step, operation, path) => {
    step.add(path, structuredClone(step.read(step.segments(operation['from'], 'from'))));
  },
  test: (step, operation, path) => {
    const value = step.read(path);
    if (!isDeepStrictEqual(value, wantedValue(step, operation))) {
      throw step.refuse(`the test of /${path.join('/')} failed: it is ${JSON.stringify(value)}`);
    }
  },
};

/**
 * The document with a JSON Patch applied: all of it, or nothing and an error that names the step. The document itself stays as it is.
 *
 * @throws {CalicoError} `ERR_CALI_CLI_PATCH`
 * @see RFC 6902
 */
export function applyJsonPatch(document: unknown, patch: unknown): unknown {
  if (!Array.isArray(patch)) {
    const hint = 'write [{"op": "replace", "path": "/spec/order", "value": 1}], or leave --type json out';
    throw new CalicoError('ERR_CALI_CLI_PATCH', 'a JSON patch is a list of operations', { hint });
  }
  let patched = structuredClone(document);
  for (const [index, operation] of (patch as readonly unknown[]).entries()) {
    const step = new Step(index, patched);
    const name = isFields(operation) ? operation['op'] : undefined;
    const perform = typeof name === 'string' && Object.hasOwn(OPERATIONS, name) ? OPERATIONS[name] : undefined;
    if (!isFields(operation) || perform === undefined) {
      throw step.refuse(`"op" is not one of ${Object.keys(OPERATIONS).join(', ')}`);
    }
    perform(step, operation, step.segments(operation['path'], 'path'));
    patched = step.document;
  }
  return patched;
}
