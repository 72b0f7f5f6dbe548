import { outlineText } from '../../api/outline-text.js';
import { kindMeanings } from '../../api/meanings.js';
import { type PublicKind, publicKinds } from '../../api/registry.js';
import { type Call, flag } from '../command.js';
import { type FieldNode, fieldsBelow, fieldTree, findField } from './field-tree.js';
import { resolveKind } from '../kind-names.js';
import { line, type Result } from '../result.js';

const LABEL_WIDTH = 10;
const INDENT = '  ';

function labelled(label: string, text: string): string {
  return `${label.padEnd(LABEL_WIDTH)}${text}`;
}

/** What is written for the pages of `docs/`, without where its links lead. */
function withoutLinks(text: string): string {
  return text.replaceAll(/\[([^\]]+)\]\([^)]+\)/g, '$1');
}

function kindHead(kind: PublicKind): readonly string[] {
  const { plural, aliases, namespaced } = publicKinds[kind];
  const { about, isKeptOnly } = kindMeanings[kind];
  return [
    labelled('KIND', `${kind}, of projectcalico.org/v3`),
    labelled('NAMES', [kind.toLowerCase(), plural, ...aliases].join(', ')),
    labelled('SCOPE', namespaced ? 'a namespace' : 'the whole cluster'),
    labelled('MEANING', withoutLinks(about)),
    ...(isKeptOnly === true
      ? [labelled('NOTE', 'this version keeps it and checks it, and does not act on it yet')]
      : []),
  ];
}

function fieldHead(kind: PublicKind, { path, outline, isRequired, initial, meaning }: FieldNode): readonly string[] {
  return [
    labelled('FIELD', `${kind} ${path}`),
    labelled('VALUE', outlineText(outline)),
    labelled('REQUIRED', isRequired ? 'yes' : 'no'),
    ...(initial === undefined ? [] : [labelled('DEFAULT', initial)]),
    labelled('MEANING', meaning),
  ];
}

function fieldLines(tree: readonly FieldNode[], path: string, indent: string, isDeep: boolean): readonly string[] {
  return fieldsBelow(tree, path).flatMap((field) => {
    const notes = [
      `<${outlineText(field.outline)}>`,
      ...(field.isRequired ? ['required'] : []),
      ...(field.initial === undefined ? [] : [`default ${field.initial}`]),
    ];
    const own = `${indent}${field.name}  ${notes.join(', ')}`;
    if (isDeep) return [own, ...fieldLines(tree, field.path, `${indent}${INDENT}`, true)];
    return [own, `${indent}${INDENT}${INDENT}${field.meaning}`];
  });
}

/** explain KIND[.FIELD…] */
export function explain(call: Call): Result {
  const [typed = ''] = call.arguments;
  const [, word = '', path = ''] = /^([^.[]*)\.?(.*)$/s.exec(typed) ?? [];
  const kind = resolveKind(word);
  const field = findField(kind, path);
  const tree = fieldTree(kind);
  const isDeep = flag(call, 'recursive');
  // Below the kind itself there is little to say of metadata: what is wanted of it is the question.
  const below = field.path === '' && !isDeep ? fieldLines(tree, 'spec', INDENT, false) : undefined;
  const lines = below ?? fieldLines(tree, field.path, INDENT, isDeep);
  const heading = below === undefined ? 'FIELDS' : 'FIELDS OF spec';
  const head = field.path === '' ? kindHead(kind) : fieldHead(kind, field);
  return { output: [...head, ...(lines.length === 0 ? [] : ['', heading, ...lines])].map(line) };
}
