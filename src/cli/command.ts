import type { Client } from '../client/client.js';
import type { Datastore } from '../datastore/datastore.js';
import type { Block, Result } from './result.js';

export interface OptionSpec {
  /** As help shows it: `-f, --filename <file>`. */
  readonly flags: string;
  readonly help: string;
  /** May be given several times. */
  readonly isList?: boolean;
  /** Taken, and not shown in help: another spelling. */
  readonly isHidden?: boolean;
  /** All it may be, for shells that complete it. */
  readonly values?: readonly string[];
}

/** What was typed. */
export interface Call {
  readonly arguments: readonly string[];
  /** By the long flag's name in camel case. */
  readonly options: Readonly<Record<string, unknown>>;
}

/** The world, so that tests can stand in for it. */
export interface Surroundings {
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly readFile: (path: string) => Promise<string>;
  readonly readStdin: () => Promise<string>;
  readonly stdout: (text: string) => void;
  readonly stderr: (text: string) => void;
  /** The name we were called by, such as `kubectl-calico`. Without it: `calicoctl`. */
  readonly program?: string;
  /** In place of the datastore that configuration names. */
  readonly datastore?: Datastore;
  /** Which of the outputs a person looks at. Without it: none. */
  readonly terminals?: { readonly stdout: boolean; readonly stderr: boolean };
  /** Aborted when the person has had enough (Ctrl-C). */
  readonly signal?: AbortSignal;
}

export interface Context extends Surroundings {
  /**
   * Connects to the datastore on first use, and checks that it is there and of our version. Closed when the command ends.
   *
   * @throws {UnavailableError}
   */
  connect(): Promise<Client>;
  /** The same, but the version is checked while the command reads, before anything is printed. Not for those who write. */
  connectToRead(): Promise<Client>;
  /** The same without the check of the version. */
  connectUnchecked(): Promise<Client>;
  /** To stdout at once: for commands that go on, such as a watch. Others return their output. */
  print(block: Block): void;
  /** A line to stderr at once: progress, notices, warnings. */
  tell(text: string): void;
  /** Whether to colour what goes to stdout. */
  readonly colours: boolean;
  readonly signal: AbortSignal;
}

/** One command. Its file holds no more than this: what it does is loaded when it runs. */
export interface Command {
  /** `get`, `ipam show`. */
  readonly name: string;
  /** One sentence. */
  readonly help: string;
  /** In the parser's form: `<cidrs...>`, `[kind]`. */
  readonly arguments?: readonly string[];
  readonly options: readonly OptionSpec[];
  /** What may stand after its name, a line each, where `arguments` cannot say it. */
  readonly usage?: readonly string[];
  /** Lines that help ends with. */
  readonly details?: string;
  /** Whether it talks to the datastore, and so takes `--config`. */
  readonly usesDatastore: boolean;
  /** Reads its words itself: options among them arrive as typed, in `arguments`. Give it `['[words...]']` as arguments. */
  readonly hasOwnGrammar?: boolean;
  /** For help and its page: words after `calicoctl`, and what they do. */
  readonly examples?: readonly (readonly [words: string, does: string])[];
  /** Works, and stands in no help: what programs call. */
  readonly isHidden?: boolean;
  /** The exit status when the handler throws; 1 unless given. */
  readonly failureStatus?: number;
  handler(call: Call, context: Context): Promise<Result>;
}

export function textOption(call: Call, name: string): string | undefined {
  const value = call.options[name];
  return typeof value === 'string' ? value : undefined;
}

export function flag(call: Call, name: string): boolean {
  return call.options[name] === true;
}

/** Options of all commands that take a file. */
export const FILE_OPTIONS: readonly OptionSpec[] = [
  { flags: '-f, --filename <file>', help: 'file or directory with resources; - reads standard input', isList: true },
  { flags: '-R, --recursive', help: 'look into the subdirectories of a directory too' },
  { flags: '--skip-empty', help: 'a file without resources is no error' },
];

/** Of commands that write to the datastore. What they write then goes nowhere, see `dry-run.ts`: nothing else is asked of them. */
export const DRY_RUN_OPTION: OptionSpec = {
  flags: '--dry-run',
  help: 'judge it against what is stored and say what would be done; write nothing',
};

export const NAMESPACE_OPTION: OptionSpec = {
  flags: '-n, --namespace <namespace>',
  help: 'namespace of namespaced resources that name none (default: default)',
};

export const LOG_LEVELS: readonly string[] = ['panic', 'fatal', 'error', 'warn', 'info', 'debug'];

/** Of all commands that talk to the datastore. */
export const CONFIG_OPTION: OptionSpec = {
  flags: '-c, --config <file>',
  help: 'where the datastore is (default: /etc/calico/calicoctl.cfg)',
};

/** What every command takes, before its name or after it. */
export const GLOBAL_OPTIONS: readonly OptionSpec[] = [
  { flags: '--allow-version-mismatch', help: 'go on although the cluster is of another version' },
  { flags: '--context <name>', help: 'context of the kubeconfig' },
  {
    flags: '-l, --log-level <level>',
    help: `what to log to stderr: ${LOG_LEVELS.join(', ')} (default: panic)`,
    values: LOG_LEVELS,
  },
];
