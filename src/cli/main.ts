import { Command as Parser, CommanderError, Option } from 'commander';
import { CalicoError, formatError, UnavailableError } from '../base/errors.js';
import { systemClock } from '../base/clock.js';
import type { Log } from '../base/log.js';
import type { Client } from '../client/client.js';
import type { Datastore } from '../datastore/datastore.js';
import {
  type Call,
  type Command,
  CONFIG_OPTION,
  type Context,
  GLOBAL_OPTIONS,
  LOG_LEVELS,
  type Surroundings,
  textOption,
} from './command.js';
import { commandsAskedFor } from './asked-commands.js';
import { COMMANDS, GROUPS } from './command-list.js';
import { INTERRUPTED_STATUS, InterruptibleDatastore, Interruption } from './interruption.js';
import { formatBlock, formatForTerminal } from './printer.js';
import type { DryRun } from './dry-run.js';
import { type Block, line, type Result } from './result.js';
import { explainMismatch } from './version.js';

const DATASTORE_HINT = 'see that etcd runs there, or set ETCD_ENDPOINTS, or etcdEndpoints in /etc/calico/calicoctl.cfg';

interface GlobalOptions {
  readonly config?: string;
  readonly allowVersionMismatch?: boolean;
  readonly context?: string;
  readonly logLevel?: string;
  /** Only of commands that declare it. */
  readonly dryRun?: boolean;
}

/** Connects when first asked, and closes what it opened. */
class Session {
  #opening: Promise<Client> | undefined;
  #checking: Promise<void> | undefined;
  #opened: Datastore | undefined;
  #dryRun: DryRun | undefined;
  readonly #surroundings: Surroundings;
  readonly #options: GlobalOptions;
  readonly #signal: AbortSignal;

  constructor(surroundings: Surroundings, options: GlobalOptions, signal: AbortSignal) {
    this.#surroundings = surroundings;
    this.#options = options;
    this.#signal = signal;
  }

  async connectUnchecked(): Promise<Client> {
    this.#opening ??= this.#open();
    return this.#opening;
  }

  async connectToRead(): Promise<Client> {
    const client = await this.connectUnchecked();
    if (this.#options.allowVersionMismatch !== true && this.#checking === undefined) {
      this.#checking = refuseOtherVersion(client);
      // Whoever waits for the check hears of its failure; nobody may be waiting yet.
      this.#checking.catch(() => undefined);
    }
    return client;
  }

  async connect(): Promise<Client> {
    const client = await this.connectToRead();
    await this.checked();
    return client;
  }

  /** Throws what the check of the version found. */
  async checked(): Promise<void> {
    await this.#checking;
  }

  /** What a dry run would have done; empty for all others. */
  async summary(): Promise<readonly string[]> {
    return (await this.#dryRun?.summary()) ?? [];
  }

  async close(): Promise<void> {
    await this.#opened?.[Symbol.asyncDispose]();
  }

  async #open(): Promise<Client> {
    const { Client: ClientClass } = await import('../client/client.js');
    const log = await logTo(this.#surroundings, this.#options.logLevel);
    const store = await logged(this.#surroundings.datastore ?? (await this.#openConfigured(log)), log);
    const datastore = new InterruptibleDatastore(store, this.#signal);
    const notify = (notice: string) => this.#surroundings.stderr(`${notice}\n`);
    if (this.#options.dryRun !== true) return new ClientClass(datastore, { notify });
    const { DryRun: DryRunClass } = await import('./dry-run.js');
    this.#dryRun = new DryRunClass(datastore, (notice) => notify(`dry run: ${notice}`));
    return this.#dryRun.client;
  }

  async #openConfigured(log: Log | undefined): Promise<Datastore> {
    const { readSettings } = await import('./config.js');
    const { openDatastore } = await import('./connection.js');
    const { source, settings } = await readSettings(this.#options.config, this.#surroundings);
    const { context } = this.#options;
    this.#opened = await openDatastore(
      context === undefined ? settings : { ...settings, K8S_CURRENT_CONTEXT: context },
    );
    const { favourShortRuns } = await import('./short-runs.js');
    favourShortRuns(this.#surroundings.environment);
    log?.info('datastore', { is: this.#opened.description, accordingTo: source });
    return this.#opened;
  }
}

async function logged(datastore: Datastore, log: Log | undefined): Promise<Datastore> {
  if (log === undefined) return datastore;
  const { LoggedDatastore } = await import('./logged-datastore.js');
  return new LoggedDatastore(datastore, log, systemClock);
}

/** A log of what goes on, for those who asked for one; nothing here is so bad as to be logged at `panic` or `fatal`. */
async function logTo({ stderr }: Surroundings, level: string | undefined): Promise<Log | undefined> {
  if (level !== 'error' && level !== 'warn' && level !== 'info' && level !== 'debug') return undefined;
  const { createLog } = await import('../base/log.js');
  return createLog({ level, write: stderr });
}

/** What keeps us from asking the datastore anything at all. */
const SETUP_CODES = ['ERR_CALI_CLI_DATASTORE', 'ERR_CALI_DATASTORE_CONFIG'];

function isSetupFailure(error: unknown): boolean {
  if (!(error instanceof CalicoError)) return false;
  return SETUP_CODES.includes(error.code) || /: authentication failed/.test(error.message);
}

class VersionMismatch extends Error {}

async function refuseOtherVersion(client: Client): Promise<void> {
  try {
    const { value } = await client.get({ kind: 'ClusterInformation', name: 'default' });
    const mismatch = explainMismatch(value.spec.calicoVersion);
    if (mismatch !== undefined) throw new VersionMismatch(mismatch);
  } catch (error) {
    if (error instanceof VersionMismatch || error instanceof UnavailableError || isSetupFailure(error)) throw error;
    // A cluster that names no version, or none that can be read, fits any.
  }
}

function formatterFor(surroundings: Surroundings): (block: Block) => string {
  return wantsColours(surroundings) ? formatForTerminal : formatBlock;
}

function print(result: Result, surroundings: Surroundings): number {
  const { stdout, stderr } = surroundings;
  const format = formatterFor(surroundings);
  for (const block of result.output ?? []) stdout(format(block));
  for (const error of result.errors ?? []) stderr(`${error}\n`);
  return result.status ?? ((result.errors ?? []).length === 0 ? 0 : 1);
}

/** Colours are for people at a terminal who did not decline them. */
function wantsColours({ environment, terminals }: Surroundings): boolean {
  return terminals?.stdout === true && (environment['NO_COLOR'] ?? '') === '' && environment['TERM'] !== 'dumb';
}

/** What comes before the words of a failure. */
function leadOf(error: unknown, command: Command): string {
  if (error instanceof Interruption) return '';
  if (isSetupFailure(error)) return 'Failed to create Calico API client: ';
  return command.name === 'get' && error instanceof UnavailableError ? 'failed to get resources: ' : '';
}

/** Ctrl-C that kept a command from its end says so to whoever called it. */
async function perform(command: Command, call: Call, surroundings: Surroundings): Promise<number> {
  const status = await performToEnd(command, call, surroundings);
  return status !== 0 && surroundings.signal?.aborted === true ? INTERRUPTED_STATUS : status;
}

function hintOf(error: unknown): string {
  if (!(error instanceof UnavailableError) || error instanceof Interruption) return '';
  return error.hint === undefined ? `\n  hint: ${DATASTORE_HINT}` : '';
}

async function performToEnd(command: Command, call: Call, surroundings: Surroundings): Promise<number> {
  const level = textOption(call, 'logLevel');
  if (level !== undefined && !LOG_LEVELS.includes(level)) {
    surroundings.stderr(`Unknown log level: ${level}, expected one of: ${LOG_LEVELS.join(', ')}\n`);
    return 1;
  }
  const signal = surroundings.signal ?? new AbortController().signal;
  const session = new Session(surroundings, call.options, signal);
  const context: Context = {
    ...surroundings,
    connect: () => session.connect(),
    connectToRead: () => session.connectToRead(),
    connectUnchecked: () => session.connectUnchecked(),
    print: (block) => surroundings.stdout(formatterFor(surroundings)(block)),
    tell: (text) => surroundings.stderr(`${text}\n`),
    colours: wantsColours(surroundings),
    signal,
  };
  try {
    const result = await command.handler(call, context);
    await session.checked();
    const summary = await session.summary();
    return print({ ...result, output: [...summary.map(line), ...(result.output ?? [])] }, surroundings);
  } catch (error) {
    surroundings.stderr(`${leadOf(error, command)}${formatError(error)}${hintOf(error)}\n`);
    return command.failureStatus ?? 1;
  } finally {
    await session.close();
  }
}

/** What every command takes, before its name or after it. */
function addGlobalOptions(parser: Parser, hasOwnL: boolean): void {
  for (const { flags, help } of GLOBAL_OPTIONS) parser.option(hasOwnL ? flags.replace('-l, ', '') : flags, help);
}

/**
 * Where `-l` is a command's own, a log level after it is still one: scripts of before the command had it say so, and no selector is a
 * bare word.
 */
function withLogLevel(options: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> {
  const { selector, ...rest } = options;
  const isLevel = typeof selector === 'string' && LOG_LEVELS.includes(selector);
  return isLevel ? { ...rest, logLevel: selector } : options;
}

function addOptions(parser: Parser, command: Command): void {
  for (const { flags, help, isList, isHidden } of command.options) {
    const option = new Option(flags, help).hideHelp(isHidden === true);
    if (isList === true)
      option.argParser((value: string, before: readonly string[] | undefined) => [...(before ?? []), value]);
    parser.addOption(option);
  }
  if (command.usesDatastore) parser.option(CONFIG_OPTION.flags, CONFIG_OPTION.help);
  addGlobalOptions(
    parser,
    command.options.some(({ flags }) => flags.startsWith('-l')),
  );
}

function examplesText(program: string, { examples = [] }: Command): string {
  if (examples.length === 0) return '';
  return ['\nExamples:', ...examples.flatMap(([words, does]) => [`  # ${does}`, `  ${program} ${words}`])].join('\n');
}

/** The parser of a command or of a group of them, made when first asked for: `bgp peer` of `bgp peer add` too. */
function parserFor(parsers: Map<string, Parser>, { name, isHidden }: Pick<Command, 'name' | 'isHidden'>): Parser {
  const known = parsers.get(name);
  if (known !== undefined) return known;
  const words = name.split(' ');
  const parent = parserFor(parsers, { name: words.slice(0, -1).join(' ') });
  const parser = parent.command(words.at(-1) ?? '', { hidden: isHidden === true }).description(GROUPS[name] ?? '');
  parsers.set(name, parser);
  return parser;
}

/** `help node status` asks as `node status --help` does, and never does what its words say. */
function withoutHelpCommand(words: readonly string[], parsers: ReadonlyMap<string, Parser>): readonly string[] {
  const [first, ...topic] = words;
  if (first !== 'help' || topic.length === 0) return words;
  const known = topic.findLastIndex((_, index) => parsers.has(topic.slice(0, index + 1).join(' ')));
  return known < 0 ? topic.slice(0, 1) : [...topic.slice(0, known + 1), '--help'];
}

function rootParser({ program, stdout, stderr }: Surroundings): Parser {
  const name = program === 'kubectl-calico' ? 'kubectl calico' : 'calicoctl';
  const root = new Parser(name).description('Declares networks and policy, and shows what became of them.');
  root.configureOutput({ writeOut: stdout, writeErr: stderr, outputError: () => undefined });
  root.exitOverride().showSuggestionAfterError(true).enablePositionalOptions();
  root.option(CONFIG_OPTION.flags, CONFIG_OPTION.help);
  addGlobalOptions(root, false);
  return root;
}

/**
 * Runs calicoctl.
 *
 * @param words the arguments, without program and script
 * @returns the exit status: 0, or 1 for every failure; `diff` has 2 for a failure; 130 where Ctrl-C kept a command from its end
 */
export async function run(words: readonly string[], surroundings: Surroundings): Promise<number> {
  let status = 0;
  /** The exit status of words that the parser refuses. */
  let misuse = 1;
  // kubectl has a program of its own for completions, which is given no command.
  const isCompletion = surroundings.program === 'kubectl_complete-calico';
  const asked = isCompletion ? ['__complete', '--', ...words] : words;
  const root = rootParser(surroundings);
  const parsers = new Map([['', root]]);
  for (const command of commandsAskedFor(asked, COMMANDS)) {
    const parser = parserFor(parsers, command).description(command.help);
    parser.addHelpText('after', () => examplesText(root.name(), command));
    for (const argument of command.arguments ?? []) parser.argument(argument);
    addOptions(parser, command);
    parser.exitOverride((error) => {
      misuse = command.failureStatus ?? 1;
      throw error;
    });
    if (command.usage !== undefined) {
      parser.usage(command.usage.join(`\n       calicoctl ${command.name} `));
    }
    if (command.details !== undefined) parser.addHelpText('after', `\n${command.details}`);
    if (command.hasOwnGrammar === true) parser.allowUnknownOption().passThroughOptions();
    parser.action(async () => {
      const typed = parser.processedArgs.flat() as readonly (string | undefined)[];
      const call = {
        arguments: typed.filter((word) => word !== undefined),
        options: withLogLevel({ ...root.opts(), ...parser.opts() }),
      };
      status = await perform(command, call, surroundings);
    });
  }
  try {
    await root.parseAsync([...withoutHelpCommand(asked, parsers)], { from: 'user' });
    return status;
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    // Asking for help is no failure; and help that nobody asked for says enough.
    if (error.exitCode === 0 || error.code === 'commander.help') return error.exitCode === 0 ? 0 : misuse;
    const { describeMisuse } = await import('./misuse.js');
    surroundings.stderr(`${describeMisuse(root, error)}\n`);
    return misuse;
  }
}
