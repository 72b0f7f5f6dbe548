import { spawn } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { CalicoError } from '../src/base/errors.js';
import { countKernelWrites } from './kernel-writes.js';
import type { KernelWrites } from './kernel-writes.js';
import { inside } from './namespaces.js';
import { childrenOf, end, failure, finished, identify, isAlive, labEnvironment, run, until } from './processes.js';
import type { Finished, ProcessIdentity } from './processes.js';
import type { HostAddresses } from './topology.js';

export interface ExecOptions {
  readonly input?: string;
  readonly timeoutMs?: number;
  readonly env?: Readonly<Record<string, string>>;
  /** False: an exit status other than 0 is an answer, not a failure. */
  readonly check?: boolean;
}

/** A process that runs inside a host. */
export interface HostProcess {
  /** As numbered outside. */
  readonly identity: ProcessIdentity;
  /** Resolves when it ended, with what it wrote (nothing, when it writes to a log file). */
  readonly ended: Promise<Finished>;
  /** Sends the signal; with SIGKILL (the default) returns when it is gone. Its children live on. */
  kill(signal?: NodeJS.Signals): Promise<void>;
}

/** A host of a lab: a set of namespaces held by an init. */
export class LabHost {
  readonly name: string;
  readonly addresses: HostAddresses;
  readonly init: ProcessIdentity;
  /** What every program started in it finds in its environment: how to reach the lab's etcd, where there is one. */
  readonly environment: Readonly<Record<string, string>>;

  constructor(
    name: string,
    addresses: HostAddresses,
    init: ProcessIdentity,
    environment: Readonly<Record<string, string>> = {},
  ) {
    this.name = name;
    this.addresses = addresses;
    this.init = init;
    this.environment = environment;
  }

  /** The file of the host's network namespace, for sockets opened from outside. */
  get netns(): string {
    return `/proc/${this.init.pid}/ns/net`;
  }

  /** A path inside the host as seen from outside, also through its private mounts; valid while the host lives. */
  path(inner: string): string {
    return join(`/proc/${this.init.pid}/root`, inner);
  }

  /** The command that runs another one inside this host. */
  command(command: readonly string[]): string[] {
    return inside(this.init.pid, command);
  }

  /**
   * Runs a command inside the host, to its end, without a shell.
   *
   * @throws {CalicoError} it ended with another status than 0 and `check` is not false
   */
  async exec(command: readonly string[], options: ExecOptions = {}): Promise<Finished> {
    const { check = true, env, ...rest } = options;
    const result = await run(this.command(command), { ...rest, env: labEnvironment({ ...this.environment, ...env }) });
    if (check && result.status !== 0) throw failure([`${this.name}:`, ...command], result);
    return result;
  }

  /** Starts a command inside the host and returns when it runs. `log`: a path inside the host that gets all it writes. */
  async spawn(
    command: readonly string[],
    options: { env?: Readonly<Record<string, string>>; log?: string } = {},
  ): Promise<HostProcess> {
    const redirected =
      options.log === undefined
        ? command
        : ['bash', '-c', 'log=$1; shift; exec "$@" >>"$log" 2>&1', 'log', options.log, ...command];
    const [program = '', ...args] = this.command(redirected);
    const child = spawn(program, args, {
      stdio: options.log === undefined ? ['ignore', 'pipe', 'pipe'] : 'ignore',
      env: labEnvironment({ ...this.environment, ...options.env }),
      detached: true,
    });
    // What writes to a log is left alone from here on: it does not keep us running.
    if (options.log !== undefined) child.unref();
    const ended = finished(child);
    // nsenter enters the pid namespace by a fork and waits: the program is its child.
    let identity: ProcessIdentity | undefined;
    await until(
      `"${command.join(' ')}" started on ${this.name}`,
      () => {
        identity = identify(childrenOf(child.pid ?? 0)[0] ?? 0);
        return identity !== undefined || child.exitCode !== null || child.pid === undefined;
      },
      { everyMs: 1 },
    );
    if (identity === undefined) {
      const result = await ended;
      const said = options.log === undefined ? result : { ...result, stderr: this.readFile(options.log).slice(-500) };
      throw failure([`${this.name}:`, ...command], said);
    }
    const found = identity;
    return {
      identity: found,
      ended,
      kill: async (signal = 'SIGKILL') => {
        if (signal === 'SIGKILL') await end(found);
        else if (isAlive(found)) process.kill(found.pid, signal);
      },
    };
  }

  readFile(inner: string): string {
    return readFileSync(this.path(inner), 'utf8');
  }

  writeFile(inner: string, text: string): void {
    mkdirSync(dirname(this.path(inner)), { recursive: true });
    writeFileSync(this.path(inner), text);
  }

  /** Processes of this host, as numbered outside, whose program is called so. */
  async pidsOf(program: string): Promise<ProcessIdentity[]> {
    const { stdout } = await run(['pgrep', '--ns', String(this.init.pid), '--nslist', 'pid', '-x', program]);
    return stdout
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => identify(Number(line)))
      .filter((identity) => identity !== undefined);
  }

  /** Counts what is written to this host's kernel state (nf_tables, routes, links, addresses, rules) while `during` runs. */
  countKernelWrites(during: () => Promise<void>): Promise<KernelWrites> {
    return countKernelWrites(this.init.pid, during);
  }

  assertAlive(): void {
    if (!isAlive(this.init)) throw new CalicoError('ERR_CALI_LAB_HOST', `host "${this.name}" is gone`);
  }
}
