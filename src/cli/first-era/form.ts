import { nearest } from '../../api/issues.js';
import { CalicoError, visibleText } from '../../base/errors.js';

/** One way to write a command. */
export interface Form {
  /**
   * The words after the command's name, as usage shows them: `<container> ip add <address> [--interface=<name>]`. `<x>` stands for a word,
   * `(a|b)` for one of these, `[a|b]` and `[<x>]` for one that may be left out, `<x>...` and `[<x>...]` for all that are left.
   */
  readonly pattern: string;
  /** One sentence. */
  readonly help: string;
  /** The command that does the same today; `<x>` is replaced by the word typed for it. */
  readonly today: string;
}

/** Forms of one command by a short name. */
export type Forms = Readonly<Record<string, Form>>;

type Part =
  | { readonly type: 'literal'; readonly text: string }
  | { readonly type: 'choice'; readonly words: readonly string[]; readonly isOptional: boolean }
  | { readonly type: 'word'; readonly name: string; readonly isOptional: boolean }
  | { readonly type: 'rest'; readonly name: string; readonly isOptional: boolean };

function parsePart(text: string): Part {
  const isOptional = text.startsWith('[');
  const [, rest] = /^\[?<([^>]+)>\.\.\.\]?$/.exec(text) ?? [];
  if (rest !== undefined) return { type: 'rest', name: rest, isOptional };
  const [, name] = /^\[?<([^>]+)>\]?$/.exec(text) ?? [];
  if (name !== undefined) return { type: 'word', name, isOptional };
  const [, words] = /^[([](.+)[)\]]$/.exec(text) ?? [];
  if (words !== undefined) return { type: 'choice', words: words.split('|'), isOptional };
  return { type: 'literal', text };
}

interface Pattern {
  readonly parts: readonly Part[];
  /** `--at`, with whether it must be there. */
  readonly options: ReadonlyMap<string, { readonly isRequired: boolean }>;
}

/** @param text of a {@link Form} */
export function parsePattern(text: string): Pattern {
  const parts: Part[] = [];
  const options = new Map<string, { readonly isRequired: boolean }>();
  for (const piece of text.split(' ')) {
    const [, flag] = /^\[?(--[a-z0-9-]+)/.exec(piece) ?? [];
    if (flag === undefined) parts.push(parsePart(piece));
    else options.set(flag, { isRequired: !piece.startsWith('[') });
  }
  return { parts, options };
}

/** What was typed: the command and the words after it, for messages that point at one. */
export interface TypedLine {
  /** `profile`, `node bgp`. */
  readonly command: string;
  readonly words: readonly string[];
}

/** Points at a word of what was typed; past the last one: at the end. */
export function wordError(line: TypedLine, at: number, message: string, hint?: string): CalicoError {
  const words = line.words.map(visibleText);
  const before = ['  calicoctl', line.command, ...words.slice(0, at), ''].join(' ');
  const pointer = ' '.repeat(before.length) + '^'.repeat(Math.max(words[at]?.length ?? 0, 1));
  const shown = `  calicoctl ${[line.command, ...words].join(' ')}`;
  return new CalicoError('ERR_CALI_CLI_USAGE', `${visibleText(message)}\n${shown}\n${pointer}`, {
    hint: hint ?? `see the forms with: calicoctl ${line.command} --help`,
  });
}

/** What was typed for the parts of a form. */
export interface Match {
  readonly words: Readonly<Record<string, string>>;
  readonly lists: Readonly<Record<string, readonly string[]>>;
  readonly choices: ReadonlySet<string>;
}

/** The first word that does not fit, and what would have. */
interface Miss {
  readonly at: number;
  readonly expected: readonly string[];
}

/** What a part makes of the words from `at` on: how many it takes, or what it would take. */
function take(part: Part, typed: readonly string[], at: number): number | readonly string[] {
  const word = typed[at];
  switch (part.type) {
    case 'literal':
      return word === part.text ? 1 : [part.text];
    case 'choice':
      if (word !== undefined && part.words.includes(word)) return 1;
      return part.isOptional ? 0 : part.words;
    case 'word':
      if (word !== undefined) return 1;
      return part.isOptional ? 0 : [`<${part.name}>`];
    case 'rest':
      return word !== undefined || part.isOptional ? typed.length - at : [`<${part.name}>`];
  }
}

function matchForm(parts: readonly Part[], typed: readonly string[]): Match | Miss {
  const words: Record<string, string> = {};
  const lists: Record<string, readonly string[]> = {};
  const choices = new Set<string>();
  let at = 0;
  const skipped: string[] = [];
  for (const part of parts) {
    const taken = take(part, typed, at);
    if (typeof taken !== 'number') return { at, expected: taken };
    const word = typed[at] ?? '';
    if (part.type === 'rest') lists[part.name] = typed.slice(at);
    else if (taken === 1 && part.type === 'word') words[part.name] = word;
    else if (taken === 1 && part.type === 'choice') choices.add(word);
    if (taken === 0 && part.type === 'choice') skipped.push(...part.words);
    at += taken;
  }
  return at === typed.length ? { words, lists, choices } : { at, expected: skipped };
}

function shownWords(part: Part): readonly string[] {
  switch (part.type) {
    case 'literal':
      return [part.text];
    case 'choice':
      return part.words;
    default:
      return [`<${part.name}>`];
  }
}

/** What may follow words that were typed: words as they are, `<name>` for what stands for one. For completion. */
export function nextWords(patterns: readonly string[], typed: readonly string[]): readonly string[] {
  const next = new Set<string>();
  for (const { parts } of patterns.map(parsePattern)) {
    let at = 0;
    for (const part of parts) {
      const isNext = at === typed.length || part.type === 'rest';
      const taken = isNext ? 0 : take(part, typed, at);
      if (isNext) for (const word of shownWords(part)) next.add(word);
      const mayGoOn = part.type !== 'literal' && part.isOptional && part.type !== 'rest';
      if (typeof taken !== 'number' || (isNext && !mayGoOn)) break;
      at += taken;
    }
  }
  return [...next];
}

function explainMisses(line: TypedLine, misses: readonly Miss[]): CalicoError {
  const at = Math.max(...misses.map((miss) => miss.at));
  const expected = [...new Set(misses.filter((miss) => miss.at === at).flatMap((miss) => miss.expected))];
  const word = line.words[at];
  const wanted = expected.length === 0 ? 'nothing more' : expected.join(' or ');
  if (word === undefined) return wordError(line, at, `a word is missing: write ${wanted}`);
  const meant = nearest(
    word,
    expected.filter((candidate) => !candidate.startsWith('<')),
  );
  const hint = meant === undefined ? undefined : `did you mean "${meant}"?`;
  return wordError(line, at, `"${word}" does not fit here: write ${wanted}`, hint);
}

/** Words that fit a form. */
export interface FittedWords<F extends Forms> extends Match {
  readonly form: keyof F & string;
}

/** @returns the first form that all of the words fit. @throws {CalicoError} `ERR_CALI_CLI_USAGE` points at the word that fits none */
export function fitWords<F extends Forms>(forms: F, line: TypedLine, given: ReadonlySet<string>): FittedWords<F> {
  const misses: Miss[] = [];
  const strangers: string[] = [];
  for (const [form, { pattern }] of Object.entries(forms)) {
    const { parts, options } = parsePattern(pattern);
    const found = matchForm(parts, line.words);
    if ('at' in found) {
      misses.push(found);
      continue;
    }
    const stranger = [...given].find((flag) => !options.has(flag));
    const missing = [...options].find(([flag, { isRequired }]) => isRequired && !given.has(flag));
    if (stranger === undefined && missing === undefined) return { ...found, form };
    strangers.push(stranger === undefined ? `${missing?.[0]} is missing` : `${stranger} does not go with these words`);
  }
  const [first] = strangers;
  if (first === undefined) throw explainMisses(line, misses);
  throw new CalicoError('ERR_CALI_CLI_USAGE', `calicoctl ${[line.command, ...line.words].join(' ')}: ${first}`, {
    hint: `see the forms with: calicoctl ${line.command} --help`,
  });
}
