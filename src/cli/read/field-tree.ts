import { suggestion } from '../../api/issues.js';
import { kindMeanings, meaningOf } from '../../api/meanings.js';
import { type PublicKind, publicKinds } from '../../api/registry.js';
import { fieldPaths, type Outline, outlineOf } from '../../api/schema-outline.js';
import { CalicoError } from '../../base/errors.js';
import type { ResourcePath } from './resource-path.js';

/** One field of a kind with all that is known of it. */
export interface FieldNode {
  /** As people write it: `spec.ingress.source.nets`. Empty for the kind itself. */
  readonly path: string;
  readonly name: string;
  readonly isRequired: boolean;
  readonly outline: Outline;
  readonly meaning: string;
  /** What holds where it is not given. */
  readonly initial?: string;
}

function text(words: string): Outline {
  return { form: 'text', facts: { words } };
}

const MAP_OF_TEXT: Outline = { form: 'map', facts: {}, item: { form: 'text', facts: {} } };

type MetadataField = readonly [name: string, outline: Outline, meaning: string];

const METADATA: readonly MetadataField[] = [
  ['name', text('a name'), 'who it is among those of its kind and namespace'],
  ['namespace', text('a name'), 'the namespace it lives in; default unless given'],
  ['labels', MAP_OF_TEXT, 'what selectors look at'],
  ['annotations', MAP_OF_TEXT, 'notes of tools and people'],
  ['uid', text('a UUID'), 'given when it is created: two of one name in a row differ in it'],
  ['creationTimestamp', text('a time'), 'when it was created'],
  ['resourceVersion', text('a revision'), 'sent back with replace: then nobody else has changed it since'],
];

function node(path: string, outline: Outline, meaning: string, isRequired = false): FieldNode {
  return { path, name: path.split('.').at(-1) ?? '', isRequired, outline, meaning };
}

const FIELDS: Outline = { form: 'fields', facts: {} };

/** Every field of a kind, those of `metadata` and `spec`; parents before their children. */
export function fieldTree(kind: PublicKind): readonly FieldNode[] {
  const { spec, namespaced } = publicKinds[kind];
  const below = fieldPaths(outlineOf(spec)).map(({ path, name, isRequired, outline }): FieldNode => {
    const { meaning = '', initial } = meaningOf(kind, path) ?? {};
    const plain = `spec.${path.replaceAll(/\[\]|\.\*/g, '')}`;
    return { path: plain, name, isRequired, outline, meaning, ...(initial === undefined ? {} : { initial }) };
  });
  const metadata = METADATA.filter(([name]) => name !== 'namespace' || namespaced);
  return [
    node('metadata', FIELDS, 'who it is, and its labels', true),
    ...metadata.map(([name, outline, meaning]) => node(`metadata.${name}`, outline, meaning, name === 'name')),
    node('spec', FIELDS, 'what is wanted', true),
    ...below,
  ];
}

/** The fields directly below a path; those of the kind itself below ''. */
export function fieldsBelow(tree: readonly FieldNode[], path: string): readonly FieldNode[] {
  const depth = path === '' ? 1 : path.split('.').length + 1;
  return tree.filter(
    (field) => field.path.split('.').length === depth && (path === '' || field.path.startsWith(`${path}.`)),
  );
}

function noSuchField(kind: PublicKind, tree: readonly FieldNode[], steps: readonly string[]): CalicoError {
  for (let length = steps.length - 1; length >= 0; length -= 1) {
    const parent = steps.slice(0, length).join('.');
    const names = fieldsBelow(tree, parent).map(({ name }) => name);
    const isField = tree.some(({ path }) => path.toLowerCase() === parent.toLowerCase());
    if (isField && names.length === 0) break;
    if (names.length > 0) {
      const where = parent === '' ? kind : `${kind} ${parent}`;
      const { hint = `it has: ${names.join(', ')}` } = suggestion(steps[length] ?? '', names);
      return new CalicoError('ERR_CALI_CLI_USAGE', `there is no field "${steps[length]}" in ${where}`, { hint });
    }
  }
  return new CalicoError('ERR_CALI_CLI_USAGE', `${kind} ${steps.slice(0, -1).join('.')} has no fields`);
}

/**
 * Finds a field by its path: `spec.cidr`, `cidr`, `spec.ingress[0].action`; in any case. The kind itself for ''.
 *
 * @throws {CalicoError} there is none; the hint names one that is near
 */
export function findField(kind: PublicKind, typed: string): FieldNode {
  const tree = fieldTree(kind);
  const plain = typed.replaceAll(/\[\w*\]|\.\*/g, '').replace(/^\./, '');
  if (plain === '') return node('', FIELDS, kindMeanings[kind].about);
  const wanted = plain.toLowerCase();
  for (const path of [wanted, `spec.${wanted}`]) {
    const found = tree.find((field) => field.path.toLowerCase() === path);
    if (found !== undefined) return found;
  }
  const steps = plain.split('.');
  const isWhole = /^(spec|metadata|status)$/i.test(steps[0] ?? '');
  throw noSuchField(kind, tree, isWhole ? steps : ['spec', ...steps]);
}

/** Where any path may lead. */
const FREE: ReadonlySet<string> = new Set(['metadata', 'status', 'kind', 'apiVersion']);

function notBelowSpec(kind: PublicKind, path: ResourcePath): CalicoError {
  const first = String(path[0]);
  const tree = fieldTree(kind);
  if (!tree.some((field) => field.path === `spec.${first}`)) return noSuchField(kind, tree, [first]);
  const hint = `write .${['spec', ...path].join('.')}`;
  return new CalicoError('ERR_CALI_CLI_USAGE', `there is no field "${first}" in ${kind}`, { hint });
}

/**
 * Refuses a path that leads to no field of the kind; paths of `metadata` and `status` lead anywhere.
 *
 * @throws {CalicoError} the hint names a field that is near
 */
export function refuseUnknownPath(kind: PublicKind, path: ResourcePath): void {
  const [first, ...steps] = path;
  if (FREE.has(String(first))) return;
  if (first !== 'spec') throw notBelowSpec(kind, path);
  let outline: Outline | undefined = outlineOf(publicKinds[kind].spec);
  const passed = ['spec'];
  for (const step of steps) {
    if (outline === undefined || outline.form === 'map' || outline.form === 'anything') return;
    if (typeof step === 'number' && outline.form === 'list') outline = outline.item;
    else {
      passed.push(String(step));
      outline = outline.fields?.find(({ name }) => name === step)?.outline;
      if (outline === undefined) throw noSuchField(kind, fieldTree(kind), passed);
    }
  }
}
