import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readlinkSync } from 'node:fs';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleepMs } from 'node:timers/promises';
import type { EtcdConfig } from '../../src/datastore/etcd/config.js';
import { unsupportedArchitecture } from '../../src/datastore/etcd/embedded.js';
import { EtcdDatastore } from '../../src/datastore/etcd/etcd-datastore.js';
import { freePort } from './free-port.js';

export interface TestEtcdOptions {
  /** `tcp`: 127.0.0.1 and a free port; default `unix`. */
  readonly listen?: 'unix' | 'tcp';
  /** Serves TLS and demands a client certificate of that CA. Only with `tcp`. */
  readonly tls?: { readonly caFile: string; readonly certFile: string; readonly keyFile: string };
  readonly moreArguments?: readonly string[];
}

/** Half the tests' etcds would otherwise outlive a test run that is killed. */
const SUPERVISOR = ['/usr/bin/setpriv', '--pdeathsig', 'KILL'] as const;

const HOME = existsSync('/dev/shm') ? '/dev/shm' : tmpdir();
/** Of this process-id namespace: of the folders of another one, a container that shares the memory, nobody here can tell whose they are. */
const PREFIX = `calico-test-etcd-${/\d+/.exec(readlinkSync('/proc/self/ns/pid'))?.[0] ?? ''}-`;

/** Takes away what test runs that were killed left behind: folders whose process is gone. */
async function sweep(): Promise<void> {
  for (const name of await readdir(HOME)) {
    const owner = name.startsWith(PREFIX) ? /^\d+(?=-)/.exec(name.slice(PREFIX.length))?.[0] : undefined;
    if (owner !== undefined && !existsSync(`/proc/${owner}`)) {
      await rm(join(HOME, name), { recursive: true, force: true });
    }
  }
}

/** A private etcd on a memory file system, for one test file; unix socket or loopback only. */
export class TestEtcd {
  readonly endpoint: string;
  readonly #directory: string;
  readonly #arguments: readonly string[];
  #child: ChildProcess | undefined;

  private constructor(directory: string, endpoint: string, etcdArguments: readonly string[]) {
    this.#directory = directory;
    this.endpoint = endpoint;
    this.#arguments = etcdArguments;
  }

  /** Starts one and waits until it answers; with `tls`, until its port is open. */
  static async start(options: TestEtcdOptions = {}): Promise<TestEtcd> {
    await sweep();
    const directory = await mkdtemp(join(HOME, `${PREFIX}${process.pid}-`));
    const isTcp = options.listen === 'tcp';
    const scheme = options.tls === undefined ? 'http' : 'https';
    const url = isTcp ? `${scheme}://127.0.0.1:${await freePort()}` : 'unix://localhost:12379';
    const { tls } = options;
    const tlsArguments =
      tls === undefined
        ? []
        : [
            `--cert-file=${tls.certFile}`,
            `--key-file=${tls.keyFile}`,
            `--trusted-ca-file=${tls.caFile}`,
            '--client-cert-auth',
          ];
    const etcd = new TestEtcd(directory, isTcp ? url : `unix://${directory}/localhost:12379`, [
      `--data-dir=${directory}/data`,
      `--listen-client-urls=${url}`,
      `--advertise-client-urls=${url}`,
      '--listen-peer-urls=unix://localhost:12380',
      '--initial-advertise-peer-urls=unix://localhost:12380',
      '--initial-cluster=default=unix://localhost:12380',
      '--logger=zap',
      '--log-level=error',
      ...tlsArguments,
      ...(options.moreArguments ?? []),
    ]);
    await etcd.startAgain({ wait: tls === undefined });
    return etcd;
  }

  /** For `new EtcdDatastore(...)`. */
  get config(): EtcdConfig {
    return { endpoints: [this.endpoint] };
  }

  get pid(): number {
    const pid = this.#child?.pid;
    if (pid === undefined) throw new Error('this etcd is not running');
    return pid;
  }

  /** Starts it with the data it had. */
  async startAgain({ wait = true }: { readonly wait?: boolean } = {}): Promise<void> {
    const [setpriv, ...setprivArguments] = SUPERVISOR;
    const command = ['etcd', ...this.#arguments];
    const child = existsSync(setpriv)
      ? spawn(setpriv, [...setprivArguments, ...command], this.#spawnOptions)
      : spawn('etcd', this.#arguments, this.#spawnOptions);
    this.#child = child;
    if (wait) await this.waitUntilServing();
  }

  async waitUntilServing(config: EtcdConfig = this.config): Promise<void> {
    const deadlineMs = Date.now() + 20_000;
    for (;;) {
      const store = new EtcdDatastore(config);
      try {
        await store.status();
        return;
      } catch (error) {
        if (Date.now() > deadlineMs || this.#child?.exitCode !== null) throw error;
        await sleepMs(20);
      } finally {
        await store[Symbol.asyncDispose]();
      }
    }
  }

  /** Kills it as a power failure would; the data stays. */
  async kill(): Promise<void> {
    const child = this.#child;
    this.#child = undefined;
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    const ended = once(child, 'exit');
    child.kill('SIGKILL');
    await ended;
  }

  /** It neither answers nor closes anything until {@link resume}. */
  pause(): void {
    process.kill(this.pid, 'SIGSTOP');
  }

  resume(): void {
    process.kill(this.pid, 'SIGCONT');
  }

  /** Throws its data away, as a restore of something else would. Only while it does not run. */
  async forgetEverything(): Promise<void> {
    await rm(join(this.#directory, 'data'), { recursive: true, force: true });
  }

  async stop(): Promise<void> {
    await this.kill();
    await rm(this.#directory, { recursive: true, force: true });
  }

  get #spawnOptions() {
    // etcd takes ETCD_… variables for its own.
    const env = { PATH: process.env['PATH'] ?? '', ...unsupportedArchitecture() };
    return { cwd: this.#directory, stdio: ['ignore', 'ignore', 'inherit'] as ['ignore', 'ignore', 'inherit'], env };
  }
}
