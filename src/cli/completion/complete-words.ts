import { isNamespaced, isPublicKind, type PublicKind, publicKinds } from '../../api/registry.js';
import { headingsOf } from '../read/columns.js';
import type { Command, OptionSpec } from '../command.js';
import { COMPLETION_SCRIPTS } from './completion-scripts.js';
import { fieldsBelow, fieldTree } from '../read/field-tree.js';
import { nextWords } from '../first-era/form.js';
import { kindWords } from '../kind-names.js';

/** What may stand where the cursor is. */
export interface Candidate {
  readonly value: string;
  readonly help?: string;
}

/** Names of files are the shell's own business. */
export const FILES: Candidate = { value: ':files' };

/** What only the datastore knows. */
export interface LiveNames {
  names(kind: PublicKind, namespace: string | undefined): Promise<readonly string[]>;
  namespaces(): Promise<readonly string[]>;
}

export interface Vocabulary {
  readonly commands: readonly Command[];
  readonly groups: Readonly<Record<string, string>>;
  /** What every command takes. */
  readonly globalOptions: readonly OptionSpec[];
}

interface Flag {
  readonly spec: OptionSpec;
  readonly names: readonly string[];
  /** What help calls its value; undefined where it has none. */
  readonly placeholder: string | undefined;
}

function flagOf(spec: OptionSpec): Flag {
  const names = spec.flags.split(/[ ,]+/).filter((word) => word.startsWith('-'));
  return { spec, names, placeholder: /<([^>]+)>/.exec(spec.flags)?.[1] };
}

/** A line that is being typed, taken apart. */
interface Line {
  readonly command: Command | undefined;
  /** The words that lead to the command or the group. */
  readonly path: string;
  readonly flags: readonly Flag[];
  readonly positional: readonly string[];
  readonly given: ReadonlyMap<string, string>;
  /** The flag whose value is being typed. */
  readonly pending: Flag | undefined;
}

/** The command that the words begin with, and how many of them name it. */
function findCommand(words: readonly string[], { commands }: Vocabulary): { path: string; command?: Command } {
  let path = '';
  let command: Command | undefined;
  for (const word of words) {
    const longer = path === '' ? word : `${path} ${word}`;
    const exact = commands.find(({ name }) => name === longer);
    if (exact === undefined && !commands.some(({ name }) => name.startsWith(`${longer} `))) break;
    path = longer;
    command = exact;
  }
  return command === undefined ? { path } : { path, command };
}

/** Flags and their values taken from among the words; of two flags of one name the later counts. */
function sort(words: readonly string[], flags: readonly Flag[]) {
  const known = new Map(flags.flatMap((flag) => flag.names.map((name) => [name, flag] as const)));
  const plain: string[] = [];
  const given = new Map<string, string>();
  let pending: Flag | undefined;
  for (const word of words) {
    const [, name, value] = /^(--?[^=]+)(?:=(.*))?$/s.exec(word) ?? [];
    const flag = known.get(name ?? '');
    if (pending !== undefined) {
      given.set(pending.names.at(-1) ?? '', word);
      pending = undefined;
    } else if (name === undefined) plain.push(word);
    else {
      given.set(flag?.names.at(-1) ?? name, value ?? '');
      if (flag?.placeholder !== undefined && value === undefined) pending = flag;
    }
  }
  return { plain, given, pending };
}

function takeApart(words: readonly string[], vocabulary: Vocabulary): Line {
  const globals = vocabulary.globalOptions.map(flagOf);
  const all = vocabulary.commands.flatMap(({ options }) => options.map(flagOf));
  // Which flags take a value is known once the command is; until then those of any command do.
  const { command, path } = findCommand(sort(words, [...all, ...globals]).plain, vocabulary);
  const own = (command?.options ?? []).map(flagOf);
  const { plain, given, pending } = sort(words, [...globals, ...own]);
  const positional = path === '' ? plain : plain.slice(path.split(' ').length);
  const flags = [...own, ...globals].filter(({ spec }) => spec.isHidden !== true);
  return { command, path, positional, given, pending, flags };
}

function kindOf(word: string | undefined): PublicKind | undefined {
  return word === undefined ? undefined : kindWords().get(word.toLowerCase());
}

function kindCandidates(current: string): readonly Candidate[] {
  const kinds = Object.keys(publicKinds)
    .filter(isPublicKind)
    .map((kind) => ({ value: kind.toLowerCase() }));
  const others = [...kindWords()].map(([value, kind]) => ({ value, help: kind }));
  // Other words for a kind only where one was begun: there are eighty.
  return current === '' || kinds.some(({ value }) => value.startsWith(current.toLowerCase())) ? kinds : others;
}

function fieldCandidates(current: string): readonly Candidate[] {
  const dot = current.indexOf('.');
  if (dot < 0) return kindCandidates(current);
  const kind = kindOf(current.slice(0, dot));
  if (kind === undefined) return [];
  const parent = current.slice(dot + 1, Math.max(current.lastIndexOf('.'), dot + 1));
  const lead = current.slice(0, current.lastIndexOf('.') + 1);
  const tree = fieldTree(kind);
  return fieldsBelow(tree, parent).map(({ name, meaning }) => ({ value: `${lead}${name}`, help: meaning }));
}

/** Every path of a kind that leads to a single value. */
function pathCandidates(kind: PublicKind | undefined): readonly Candidate[] {
  if (kind === undefined) return [{ value: '.metadata.name' }];
  return fieldTree(kind)
    .filter(({ outline }) => !['fields', 'list', 'map'].includes(outline.form))
    .map(({ path, meaning }) => ({ value: `.${path}`, help: meaning }));
}

function columnCandidates(kind: PublicKind | undefined, current: string): readonly Candidate[] {
  const lead = current.slice(0, Math.max(current.lastIndexOf(','), current.indexOf('=')) + 1);
  return kind === undefined ? [] : headingsOf(kind).map((heading) => ({ value: `${lead}${heading}` }));
}

async function valueCandidates(
  { spec, names, placeholder }: Flag,
  current: string,
  { positional }: Line,
  live: LiveNames,
): Promise<readonly Candidate[]> {
  const kind = kindOf(positional[0]);
  if (current.startsWith('custom-columns=')) return columnCandidates(kind, current);
  if (spec.values !== undefined) return spec.values.map((value) => ({ value }));
  if (placeholder === 'file' || placeholder === 'folder') return [FILES];
  if (names.includes('--namespace')) return (await live.namespaces()).map((value) => ({ value }));
  return names.includes('--sort-by') ? pathCandidates(kind) : [];
}

/** What the command calls the argument that comes next: `kind`, `names`; '' for none. */
function argumentName({ command, positional }: Line): string {
  const specs = command?.arguments ?? [];
  const spec = specs[Math.min(positional.length, specs.length - 1)] ?? '';
  const isPast = positional.length >= specs.length && !spec.includes('...');
  return isPast ? '' : (/\w+(\.\w+)*/.exec(spec)?.[0] ?? '');
}

/** Words of a command whose usage says which may follow which. */
async function usageCandidates(
  usage: readonly string[],
  positional: readonly string[],
  live: LiveNames,
): Promise<readonly Candidate[]> {
  const next = nextWords(usage, positional);
  const wantsProfile = next.some((word) => word === '<profile>' || word === '<profiles>');
  const profiles = wantsProfile ? await live.names('Profile', undefined) : [];
  return [...next.filter((word) => !word.startsWith('<')), ...profiles].map((value) => ({ value }));
}

async function positionalCandidates(line: Line, current: string, live: LiveNames): Promise<readonly Candidate[]> {
  const { command, positional, given } = line;
  if (command?.usage !== undefined) return usageCandidates(command.usage, positional, live);
  const word = argumentName(line);
  if (word === 'kind.field') return fieldCandidates(current);
  if (word === 'kind') return kindCandidates(current);
  if (word === 'shell') return [...COMPLETION_SCRIPTS.keys()].map((value) => ({ value }));
  const kind = kindOf(positional[0]);
  if ((word !== 'name' && word !== 'names') || kind === undefined) return [];
  const namespace = isNamespaced(kind) ? (given.get('--namespace') ?? 'default') : undefined;
  const found = await live.names(kind, namespace);
  return found.filter((value) => !positional.slice(1).includes(value)).map((value) => ({ value }));
}

function wordCandidates(path: string, { commands, groups }: Vocabulary): readonly Candidate[] {
  const lead = path === '' ? '' : `${path} `;
  const byWord = new Map<string, string>();
  for (const { name, help, isHidden } of commands) {
    if (isHidden === true || !name.startsWith(lead)) continue;
    const [word = '', ...more] = name.slice(lead.length).split(' ');
    const about = more.length === 0 ? help : (groups[`${lead}${word}`] ?? '');
    if (word !== '' && !byWord.has(word)) byWord.set(word, about);
  }
  return [...byWord].map(([value, help]) => ({ value, help }));
}

function flagCandidates({ flags, given }: Line): readonly Candidate[] {
  return flags
    .map(({ spec, names }) => ({ value: names.at(-1) ?? '', help: spec.help, isList: spec.isList === true }))
    .filter(({ value, isList }) => isList || !given.has(value));
}

async function candidates(line: Line, current: string, vocabulary: Vocabulary, live: LiveNames) {
  const { command, pending, path } = line;
  if (pending !== undefined) return valueCandidates(pending, current, line, live);
  const [, name, value] = /^(--[^=]+)=(.*)$/s.exec(current) ?? [];
  if (name !== undefined && value !== undefined) {
    const flag = line.flags.find(({ names }) => names.includes(name));
    const values = flag === undefined ? [] : await valueCandidates(flag, value, line, live);
    return values.map((each) => (each === FILES ? each : { ...each, value: `${name}=${each.value}` }));
  }
  if (current.startsWith('-')) return flagCandidates(line);
  const words = line.positional.length === 0 ? wordCandidates(path, vocabulary) : [];
  return command === undefined ? words : [...words, ...(await positionalCandidates(line, current, live))];
}

/** What a shell may put on its line without quotes. */
const SAFE = /^[\w.,:=/@+-]+$/;

/**
 * What may stand at the end of a line of calicoctl.
 *
 * @param words without the program; the last is what was typed of the word in question, often ''
 */
export async function completeWords(
  words: readonly string[],
  vocabulary: Vocabulary,
  live: LiveNames,
): Promise<readonly Candidate[]> {
  const current = words.at(-1) ?? '';
  const found = await candidates(takeApart(words.slice(0, -1), vocabulary), current, vocabulary, live);
  return found.filter((each) => each === FILES || (each.value.startsWith(current) && SAFE.test(each.value)));
}
