import { CalicoError, formatError } from '../../base/errors.js';
import { type Call, type Context, flag, type OptionSpec } from '../command.js';
import { type Result, withoutClaims } from '../result.js';
import { fitWords, type Forms, type Match, type TypedLine } from './form.js';
import { Refusal } from './refusal.js';
import { tellToday } from './today.js';

/** A command of the first era: its forms and the options that any of them takes. */
export interface Family<F extends Forms = Forms> {
  /** `profile`, `node bgp`. */
  readonly name: string;
  readonly help: string;
  readonly forms: F;
  readonly options: readonly OptionSpec[];
}

/** What was typed, read: words by their names in the form. */
export class TypedCall {
  readonly line: TypedLine;
  readonly #fitted: Match;
  readonly #options: Call['options'];

  constructor(line: TypedLine, fitted: Match, options: Call['options']) {
    this.line = line;
    this.#fitted = fitted;
    this.#options = options;
  }

  /** The word that stands for `<name>`, which the form demands. */
  word(name: string): string {
    const word = this.#fitted.words[name];
    if (word === undefined) throw new Error(`the form has no <${name}>`);
    return word;
  }

  /** The word that stands for `[<name>]`, or the value of the option `--name`. */
  find(name: string): string | undefined {
    const value = this.#fitted.words[name] ?? this.#options[name];
    return typeof value === 'string' ? value : undefined;
  }

  /** The words that stand for `<name>...`. */
  list(name: string): readonly string[] {
    return this.#fitted.lists[name] ?? [];
  }

  /** Whether this word was chosen of `(a|b)`, or this flag given. */
  has(word: string): boolean {
    return this.#fitted.choices.has(word) || this.#options[word] === true;
  }

  /** Whether `--no-<name>` was given. */
  isDeclined(name: string): boolean {
    return this.#options[name] === false;
  }

  /** Where in the typed words the rest begins that stands for `<name>...`. */
  startOf(name: string): number {
    return this.line.words.length - this.list(name).length;
  }
}

export type FormHandlers<F extends Forms> = Readonly<
  Record<keyof F, (call: TypedCall, context: Context) => Promise<Result> | Result>
>;

function camel(flag: string): string {
  return flag.replace(/^--/, '').replace(/-([a-z])/g, (_, letter: string) => letter.toUpperCase());
}

/** The long flags that were given. The parser turns `--no-check` into `check` being false. */
function givenFlags(options: readonly OptionSpec[], call: Call): ReadonlySet<string> {
  const flags = options.map((option) => /--[a-z0-9-]+/.exec(option.flags)?.[0] ?? '');
  return new Set(
    flags.filter((flag) =>
      flag.startsWith('--no-')
        ? call.options[camel(flag.replace('--no-', '--'))] === false
        : call.options[camel(flag)] !== undefined,
    ),
  );
}

/** Reads the words, says once what does the same today, and does it. @throws {CalicoError} `ERR_CALI_CLI_USAGE` */
export async function performForm<F extends Forms>(
  family: Family<F>,
  handlers: FormHandlers<F>,
  call: Call,
  context: Context,
): Promise<Result> {
  const line = { command: family.name, words: call.arguments };
  const fitted = fitWords(family.forms, line, givenFlags(family.options, call));
  const form = family.forms[fitted.form];
  if (form === undefined) throw new CalicoError('ERR_CALI_CLI_USAGE', `calicoctl ${family.name}: no such form`);
  tellToday(context, form.today, fitted.words);
  try {
    const result = await handlers[fitted.form](new TypedCall(line, fitted, call.options), context);
    return flag(call, 'dryRun') ? withoutClaims(result) : result;
  } catch (error) {
    if (error instanceof Refusal) return { errors: [formatError(error)] };
    throw error;
  }
}
