import { spawn } from 'node:child_process';
import { closeSync, existsSync, openSync } from 'node:fs';
import { chmod, mkdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { delimiter, join } from 'node:path';
import { type Clock, sleep, systemClock } from '../../base/clock.js';
import { CalicoError, UnavailableError } from '../../base/errors.js';
import { EtcdDatastore } from './etcd-datastore.js';

/** Where this host's own etcd answers, when no other is configured. Only root may connect. */
export const EMBEDDED_ETCD_SOCKET = '/run/calico/etcd.sock';
export const EMBEDDED_ETCD_ENDPOINT = `unix://${EMBEDDED_ETCD_SOCKET}`;

export interface EmbeddedEtcdOptions {
  /** Sockets and pid file; default `/run/calico`. */
  readonly runDirectory?: string;
  /** Default `/var/lib/calico/etcd`. */
  readonly dataDirectory?: string;
  /** Default `/var/log/calico`. */
  readonly logDirectory?: string;
  /** Default: `etcd` on PATH. */
  readonly binary?: string;
  readonly clock?: Clock;
  /** Default 20 s. */
  readonly startTimeoutMs?: number;
  /** Ends the wait for its first answer; the etcd that was started stays. */
  readonly signal?: AbortSignal;
}

export interface EmbeddedEtcd {
  /** For `EtcdConfig.endpoints`. */
  readonly endpoint: string;
  readonly pid: number;
  /** True when it ran already. */
  readonly isAdopted: boolean;
  /** False when it has ended, and when another process has its number now. */
  isRunning(): Promise<boolean>;
  /** Ends etcd. Nothing else does: it outlives the process that started it. */
  stop(): Promise<void>;
}

interface Paths {
  readonly run: string;
  readonly data: string;
  readonly log: string;
  readonly pidFile: string;
  /** The stable name: a link to the socket that etcd makes. */
  readonly socket: string;
}

// etcd 3.4 takes no path in a unix URL: it makes a socket of this name in its working directory.
const CLIENT_NAME = 'localhost:12379';
const PEER_NAME = 'localhost:12380';
const POLL_MS = 25;
/** How long an etcd that was killed may take to let go of its sockets. */
const DYING_MS = 2_000;

function pathsOf(options: EmbeddedEtcdOptions): Paths {
  const run = options.runDirectory ?? '/run/calico';
  return {
    run,
    data: options.dataDirectory ?? '/var/lib/calico/etcd',
    log: join(options.logDirectory ?? '/var/log/calico', 'etcd.log'),
    pidFile: join(run, 'etcd.pid'),
    socket: join(run, 'etcd.sock'),
  };
}

function findBinary(given: string | undefined): string {
  const directories = [...(process.env['PATH'] ?? '').split(delimiter), '/usr/local/bin', '/usr/bin'];
  const candidates = given === undefined ? directories.map((directory) => join(directory, 'etcd')) : [given];
  const found = candidates.find((candidate) => existsSync(candidate));
  if (found !== undefined) return found;
  throw new CalicoError('ERR_CALI_ETCD_MISSING', 'etcd is not installed, and no other datastore is configured', {
    hint: 'install etcd-server, or name a shared etcd in ETCD_ENDPOINTS',
  });
}

/** The pid in the file, if that process is the etcd of our data directory: pids are used again. */
async function runningPid(paths: Paths): Promise<number | undefined> {
  try {
    const pid = Number(await readFile(paths.pidFile, 'utf8'));
    return Number.isInteger(pid) && pid > 1 && (await isOurEtcd(pid, paths)) ? pid : undefined;
  } catch {
    // No file: nothing runs.
    return undefined;
  }
}

async function isOurEtcd(pid: number, paths: Paths): Promise<boolean> {
  try {
    const commandLine = await readFile(`/proc/${pid}/cmdline`, 'utf8');
    return commandLine.split('\0').includes(`--data-dir=${paths.data}`);
  } catch {
    // No such process.
    return false;
  }
}

function argumentsFor(paths: Paths): string[] {
  const client = `unix://${CLIENT_NAME}`;
  const peer = `unix://${PEER_NAME}`;
  return [
    '--name=calico',
    `--data-dir=${paths.data}`,
    `--listen-client-urls=${client}`,
    `--advertise-client-urls=${client}`,
    `--listen-peer-urls=${peer}`,
    `--initial-advertise-peer-urls=${peer}`,
    `--initial-cluster=calico=${peer}`,
    '--auto-compaction-mode=periodic',
    '--auto-compaction-retention=1h',
    '--logger=zap',
    '--log-level=warn',
  ];
}

/** etcd 3.4 starts on other machines than x86-64 only when told so. */
export function unsupportedArchitecture(): Readonly<Record<string, string>> {
  return process.arch === 'x64' ? {} : { ETCD_UNSUPPORTED_ARCH: process.arch };
}

function launch(binary: string, paths: Paths): number {
  const log = openSync(paths.log, 'a', 0o600);
  // The sockets are born closed to others; etcd itself knows no mode for them.
  const umask = process.umask(0o077);
  try {
    const child = spawn(binary, argumentsFor(paths), {
      cwd: paths.run,
      // A session of its own: signals to this process's group do not reach it.
      detached: true,
      stdio: ['ignore', log, log],
      // Not our environment: etcd takes ETCD_… variables, which here mean the client's.
      env: { PATH: '/usr/sbin:/usr/bin:/sbin:/bin', ...unsupportedArchitecture() },
    });
    child.once('error', () => {
      // It shows as a missing pid or as an etcd that never answers, both reported by the caller.
    });
    child.unref();
    if (child.pid === undefined) {
      throw new CalicoError('ERR_CALI_ETCD_START', `cannot start "${binary}"`, { hint: 'install etcd-server' });
    }
    return child.pid;
  } finally {
    process.umask(umask);
    closeSync(log);
  }
}

async function linkSocket(paths: Paths): Promise<void> {
  await rm(paths.socket, { force: true });
  await symlink(CLIENT_NAME, paths.socket);
}

/**
 * An etcd that was killed leaves its sockets, and the next one would not start for them. While it dies it has no name any more, and its
 * sockets answer still.
 *
 * @throws {CalicoError} somebody goes on answering: an etcd whose pid file is lost, or one of another data directory
 */
async function removeStaleSockets(paths: Paths, { clock = systemClock, signal }: EmbeddedEtcdOptions): Promise<void> {
  const deadlineMs = clock.monotonicMs() + DYING_MS;
  for (const name of [CLIENT_NAME, PEER_NAME]) {
    const socket = join(paths.run, name);
    while (await isAnswered(socket)) {
      if (clock.monotonicMs() >= deadlineMs) {
        throw new CalicoError('ERR_CALI_ETCD_START', `cannot start etcd: another process answers at "${socket}"`, {
          hint: `end it: see ss -xlp src '*${name}'`,
        });
      }
      await sleep(clock, POLL_MS, signal);
    }
    await rm(socket, { force: true });
  }
}

function isAnswered(socketPath: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(socketPath);
    const end = (answered: boolean): void => {
      socket.destroy();
      resolve(answered);
    };
    socket.once('connect', () => end(true));
    // ENOENT, ECONNREFUSED: nobody listens.
    socket.once('error', () => end(false));
  });
}

async function lastLogLine(paths: Paths): Promise<string> {
  try {
    return (await readFile(paths.log, 'utf8')).trimEnd().split('\n').at(-1) ?? '';
  } catch (error) {
    return `no log: ${error instanceof Error ? error.message : String(error)}`;
  }
}

async function waitUntilHealthy(pid: number, paths: Paths, options: EmbeddedEtcdOptions): Promise<void> {
  const { clock = systemClock, startTimeoutMs = 20_000, signal } = options;
  const deadlineMs = clock.monotonicMs() + startTimeoutMs;
  await using store = new EtcdDatastore({ endpoints: [`unix://${paths.socket}`] });
  for (;;) {
    signal?.throwIfAborted();
    try {
      if (existsSync(paths.socket)) {
        await store.status();
        return;
      }
    } catch (error) {
      if (!(error instanceof UnavailableError)) throw error;
    }
    const hasEnded = !(await isOurEtcd(pid, paths));
    if (hasEnded || clock.monotonicMs() > deadlineMs) {
      const what = hasEnded ? 'ended at once' : `does not answer after ${startTimeoutMs / 1_000} s`;
      throw new CalicoError('ERR_CALI_ETCD_START', `etcd ${what}: ${await lastLogLine(paths)}`, {
        hint: `read ${paths.log}`,
      });
    }
    await sleep(clock, POLL_MS, signal);
  }
}

async function stopEtcd(paths: Paths, clock: Clock): Promise<void> {
  const pid = await runningPid(paths);
  if (pid !== undefined) {
    process.kill(pid, 'SIGTERM');
    const deadlineMs = clock.monotonicMs() + 10_000;
    while ((await runningPid(paths)) !== undefined) {
      if (clock.monotonicMs() > deadlineMs) process.kill(pid, 'SIGKILL');
      await sleep(clock, POLL_MS);
    }
  }
  await rm(paths.pidFile, { force: true });
  await rm(paths.socket, { force: true });
}

/**
 * This host's own etcd: adopts the one that runs, or starts Debian's. It listens on two unix sockets that only root can use and on
 * nothing else, belongs to no process group of ours and lives on when this process ends.
 *
 * @throws {CalicoError} `ERR_CALI_ETCD_MISSING` no etcd is installed; `ERR_CALI_ETCD_START` with its last words
 */
export async function startEmbeddedEtcd(options: EmbeddedEtcdOptions = {}): Promise<EmbeddedEtcd> {
  const { clock = systemClock } = options;
  const paths = pathsOf(options);
  const running = await runningPid(paths);
  let pid = running;
  if (pid === undefined) {
    const binary = findBinary(options.binary);
    await mkdir(paths.run, { recursive: true, mode: 0o755 });
    await mkdir(paths.data, { recursive: true, mode: 0o700 });
    await mkdir(options.logDirectory ?? '/var/log/calico', { recursive: true });
    await removeStaleSockets(paths, options);
    await linkSocket(paths);
    pid = launch(binary, paths);
    await writeFile(paths.pidFile, `${pid}\n`, { mode: 0o600 });
  }
  await waitUntilHealthy(pid, paths, options);
  await chmod(join(paths.run, CLIENT_NAME), 0o600);
  await chmod(join(paths.run, PEER_NAME), 0o600);
  return {
    endpoint: `unix://${paths.socket}`,
    pid,
    isAdopted: running !== undefined,
    isRunning: () => isOurEtcd(pid, paths),
    stop: () => stopEtcd(paths, clock),
  };
}
