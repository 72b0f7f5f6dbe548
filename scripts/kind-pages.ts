import { stringify } from 'yaml';
import type { KindDefinition } from '../src/api/meta.js';
import { kindMeanings, meaningOf } from '../src/api/meanings.js';
import { outlineText } from '../src/api/outline-text.js';
import { isPublicKind, type PublicKind, publicKinds } from '../src/api/registry.js';
import { fieldPaths, outlineOf } from '../src/api/schema-outline.js';
import { markdownTable } from './markdown-table.js';

/** `docs/reference/`: a page for each kind that people write, made from its definition. */

function fieldRows(kind: PublicKind, definition: KindDefinition): readonly (readonly string[])[] {
  return fieldPaths(outlineOf(definition.spec)).map(({ path, isRequired, outline }) => {
    const { meaning = '', initial = '' } = meaningOf(kind, path) ?? {};
    const value = `${outlineText(outline, (choice) => `\`${choice}\``)}${isRequired ? '; required' : ''}`;
    return [`\`${path}\``, value, initial, meaning];
  });
}

function manifest(
  { kind }: KindDefinition,
  { metadata, spec }: { readonly metadata: object; readonly spec: object },
): string {
  return stringify({ apiVersion: 'projectcalico.org/v3', kind, metadata, spec }, { lineWidth: 0 }).trimEnd();
}

function nameRule({ explainBadName, namespaced }: KindDefinition): string {
  const where = namespaced ? 'It lives in a namespace.' : 'It has no namespace.';
  // What is said of a name that no kind takes says which ones it does take.
  const [, verb, rule = ''] =
    /^" " is (not|neither) (.+)$/.exec(explainBadName?.(' ') ?? '" " is not a DNS name') ?? [];
  return `${where} Its name is ${verb === 'neither' ? `either ${rule.replace(' nor ', ' or ')}` : rule}.`;
}

function kindPage(kind: PublicKind): string {
  const definition = publicKinds[kind];
  const { about, isKeptOnly } = kindMeanings[kind];
  const { valid, wrong } = definition.examples;
  const words = [definition.plural, ...definition.aliases].map((word) => `\`${word}\``).join(', ');
  return [
    `# ${kind}\n`,
    `${about}\n`,
    ...(isKeptOnly === true ? ['**This version keeps it and checks it, and does not act on it yet.**\n'] : []),
    `${nameRule(definition)} \`calicoctl\` also calls it ${words}.\n`,
    '## Fields of `spec`\n',
    ...markdownTable(['field', 'value', 'when not given', 'meaning'], fieldRows(kind, definition)),
    '\n## Example\n',
    `\`\`\`yaml\n${manifest(definition, valid)}\n\`\`\`\n`,
    '## What is refused, for example\n',
    `\`\`\`text\n${wrong.message}\n\`\`\`\n`,
    'is said of\n',
    `\`\`\`text\n${manifest(definition, wrong)}\n\`\`\`\n`,
  ].join('\n');
}

const kinds: readonly PublicKind[] = Object.keys(publicKinds).filter(isPublicKind).toSorted();

const pageName = (kind: PublicKind) => `${kind.toLowerCase()}.md`;

function indexPage(): string {
  const rows = kinds.map((kind) => {
    const words = [publicKinds[kind].plural, ...publicKinds[kind].aliases].map((word) => `\`${word}\``).join(', ');
    return [`[${kind}](${pageName(kind)})`, kindMeanings[kind].about, words];
  });
  return [
    '# Kinds\n',
    'Made from `src/api/` by `scripts/generate.ts`: all that people write with `calicoctl`.\n',
    ...markdownTable(['kind', 'what it is', 'also called'], rows),
    '',
  ].join('\n');
}

/** File → text. */
export function kindPages(): ReadonlyMap<string, string> {
  return new Map([
    ['docs/reference/README.md', indexPage()],
    ...kinds.map((kind) => [`docs/reference/${pageName(kind)}`, kindPage(kind)] as const),
  ]);
}
