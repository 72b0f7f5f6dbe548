import { Command as Parser, CommanderError, Option } from 'commander';
import { formatError, NotFoundError, UnavailableError } from '../base/errors.js';
import type { Client } from '../client/client.js';
import type { Datastore } from '../datastore/datastore.js';
import type { Call, Command, Context, Surroundings } from './command.js';
import { apply } from './commands/apply.js';
import { create } from './commands/create.js';
import { remove } from './commands/delete.js';
import { get } from './commands/get.js';
import { ipamShow } from './commands/ipam-show.js';
import { nodeStatus } from './commands/node-status.js';
import { poolAdd } from './commands/pool-add.js';
import { poolRemove } from './commands/pool-remove.js';
import { poolShow } from './commands/pool-show.js';
import { replace } from './commands/replace.js';
import { version } from './commands/version.js';
import { formatBlock } from './printer.js';
import type { Result } from './result.js';
import { explainMismatch } from './version.js';

/** Every command, in the order of the help. */
export const COMMANDS: readonly Command[] = [
  create,
  replace,
  apply,
  remove,
  get,
  ipamShow,
  nodeStatus,
  poolAdd,
  poolRemove,
  poolShow,
  version,
];

/** What groups of commands are for. */
const GROUPS: Readonly<Record<string, string>> = {
  ipam: 'addresses: who holds which',
  node: 'this host',
  pool: 'address pools, in short',
};

const DATASTORE_HINT = 'see that etcd runs there, or set ETCD_ENDPOINTS, or etcdEndpoints in /etc/calico/calicoctl.cfg';

const LOG_LEVELS = ['panic', 'fatal', 'error', 'warn', 'info', 'debug'];

interface GlobalOptions {
  readonly config?: string;
  readonly allowVersionMismatch?: boolean;
}

/** Connects when first asked, and closes what it opened. */
class Session {
  #opening: Promise<Client> | undefined;
  #checking: Promise<void> | undefined;
  #opened: Datastore | undefined;
  readonly #surroundings: Surroundings;
  readonly #options: GlobalOptions;

  constructor(surroundings: Surroundings, options: GlobalOptions) {
    this.#surroundings = surroundings;
    this.#options = options;
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

  async close(): Promise<void> {
    await this.#opened?.[Symbol.asyncDispose]();
  }

  async #open(): Promise<Client> {
    const { Client: ClientClass } = await import('../client/client.js');
    const notify = (notice: string) => this.#surroundings.stderr(`${notice}\n`);
    if (this.#surroundings.datastore !== undefined) return new ClientClass(this.#surroundings.datastore, { notify });
    const { readSettings } = await import('./config.js');
    const { openDatastore } = await import('./connection.js');
    this.#opened = await openDatastore(await readSettings(this.#options.config, this.#surroundings));
    return new ClientClass(this.#opened, { notify });
  }
}

class VersionMismatch extends Error {}

async function refuseOtherVersion(client: Client): Promise<void> {
  try {
    const { value } = await client.get({ kind: 'ClusterInformation', name: 'default' });
    const mismatch = explainMismatch(value.spec.calicoVersion);
    if (mismatch !== undefined) throw new VersionMismatch(mismatch);
  } catch (error) {
    if (error instanceof VersionMismatch || error instanceof UnavailableError) throw error;
    // A cluster that names no version fits any.
    if (!(error instanceof NotFoundError)) return;
  }
}

function print(result: Result, { stdout, stderr }: Surroundings): number {
  for (const block of result.output ?? []) stdout(formatBlock(block));
  for (const error of result.errors ?? []) stderr(`${error}\n`);
  return (result.errors ?? []).length === 0 ? 0 : 1;
}

async function perform(command: Command, call: Call, surroundings: Surroundings): Promise<number> {
  const session = new Session(surroundings, call.options);
  const context: Context = {
    ...surroundings,
    connect: () => session.connect(),
    connectToRead: () => session.connectToRead(),
    connectUnchecked: () => session.connectUnchecked(),
  };
  try {
    const result = await command.handler(call, context);
    await session.checked();
    return print(result, surroundings);
  } catch (error) {
    const hint = error instanceof UnavailableError && error.hint === undefined ? `\n  hint: ${DATASTORE_HINT}` : '';
    const lead = command.name === 'get' && error instanceof UnavailableError ? 'failed to get resources: ' : '';
    surroundings.stderr(`${lead}${formatError(error)}${hint}\n`);
    return 1;
  } finally {
    await session.close();
  }
}

function addOptions(parser: Parser, command: Command): void {
  for (const { flags, help, isList } of command.options) {
    const option = new Option(flags, help);
    if (isList === true)
      option.argParser((value: string, before: readonly string[] | undefined) => [...(before ?? []), value]);
    parser.addOption(option);
  }
  if (command.usesDatastore)
    parser.option('-c, --config <file>', 'where the datastore is (default: /etc/calico/calicoctl.cfg)');
  parser.option('--allow-version-mismatch', 'go on although the cluster is of another version');
  parser.option('--context <name>', 'context of the kubeconfig');
  parser.addOption(new Option('-l, --log-level <level>', 'what to log to stderr').choices(LOG_LEVELS));
}

function parserFor(parents: Map<string, Parser>, root: Parser, name: string): Parser {
  const [group = '', verb] = name.split(' ');
  if (verb === undefined) return root.command(group);
  let parent = parents.get(group);
  if (parent === undefined) {
    parent = root.command(group).description(GROUPS[group] ?? '');
    parents.set(group, parent);
  }
  return parent.command(verb);
}

/**
 * Runs calicoctl.
 *
 * @param words the arguments, without program and script
 * @returns the exit status: 0, or 1 for every failure
 */
export async function run(words: readonly string[], surroundings: Surroundings): Promise<number> {
  let status = 0;
  const root = new Parser('calicoctl').description('Declares networks and policy, and shows what became of them.');
  root.configureOutput({ writeOut: surroundings.stdout, writeErr: surroundings.stderr });
  root.exitOverride().showSuggestionAfterError(true);
  const parents = new Map<string, Parser>();
  for (const command of COMMANDS) {
    const parser = parserFor(parents, root, command.name).description(command.help);
    for (const argument of command.arguments ?? []) parser.argument(argument);
    addOptions(parser, command);
    parser.action(async () => {
      const call = { arguments: parser.processedArgs.flat() as string[], options: parser.opts() };
      call.arguments = call.arguments.filter((word) => word !== undefined);
      status = await perform(command, call, surroundings);
    });
  }
  try {
    await root.parseAsync([...words], { from: 'user' });
    return status;
  } catch (error) {
    // The parser has said what is wrong; asking for help is no failure.
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 1;
    throw error;
  }
}
