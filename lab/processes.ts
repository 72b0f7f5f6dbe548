import { spawn } from 'node:child_process';
import type { ChildProcess, SpawnOptions } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { CalicoError } from '../src/base/errors.js';

/** A process by more than its number, which the kernel hands out again. */
export interface ProcessIdentity {
  readonly pid: number;
  /** Clock ticks since boot, field 22 of /proc/PID/stat (proc(5)). */
  readonly startTime: number;
}

export interface Finished {
  /** Exit status; 128 + the signal's number where a signal ended it, as shells say. */
  readonly status: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Where the sources and `dist/` are, from a source file as from a built one. */
export function repositoryRoot(): string {
  let folder = dirname(fileURLToPath(import.meta.url));
  while (!existsSync(join(folder, 'package.json'))) folder = dirname(folder);
  return folder;
}

/** The environment of everything the lab starts: our executables first in PATH, nothing that slows Node down. */
export function labEnvironment(extra: Readonly<Record<string, string>> = {}): NodeJS.ProcessEnv {
  return {
    HOME: '/root',
    LANG: 'C.UTF-8',
    PATH: `${repositoryRoot()}/dist/bin:${dirname(process.execPath)}:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin`,
    // Our pipes are sockets: the outermost bash would take itself for one started over the network, and read somebody's .bashrc.
    SHLVL: '1',
    TERM: process.env['TERM'] ?? 'dumb',
    ...extra,
  };
}

/** @returns undefined when there is no such process (a zombie counts as gone) */
export function identify(pid: number): ProcessIdentity | undefined {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, 'utf8');
    // The name in brackets may hold anything; what follows the last bracket is numbered from field 3.
    const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
    return fields[0] === 'Z' || fields[0] === 'X' ? undefined : { pid, startTime: Number(fields[19]) };
  } catch {
    return undefined;
  }
}

export function isAlive(identity: ProcessIdentity): boolean {
  return identify(identity.pid)?.startTime === identity.startTime;
}

/** Ends a process, if it is still the one that was meant, and waits until it is gone. */
export async function end(identity: ProcessIdentity, signal: NodeJS.Signals = 'SIGKILL'): Promise<void> {
  if (!isAlive(identity)) return;
  try {
    process.kill(identity.pid, signal);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
  await until(`process ${identity.pid} gone`, () => !isAlive(identity), { deadlineMs: 10_000, everyMs: 2 });
}

/** Children of a process's main thread. */
export function childrenOf(pid: number): number[] {
  try {
    const text = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8');
    return text
      .split(' ')
      .filter((word) => word.trim() !== '')
      .map(Number);
  } catch {
    return [];
  }
}

/**
 * Asks until the answer is true.
 *
 * @throws {CalicoError} at the deadline, naming what was waited for and the last answer or failure
 */
export async function until(
  what: string,
  answer: () => boolean | Promise<boolean>,
  { deadlineMs = 10_000, everyMs = 10 }: { deadlineMs?: number; everyMs?: number } = {},
): Promise<void> {
  const deadline = performance.now() + deadlineMs;
  let last: unknown = 'no';
  for (;;) {
    try {
      if (await answer()) return;
      last = 'no';
    } catch (error) {
      last = error instanceof Error ? error.message : error;
    }
    if (performance.now() >= deadline) {
      throw new CalicoError(
        'ERR_CALI_LAB_TIMEOUT',
        `waited ${deadlineMs} ms for: ${what}; the last answer: ${String(last)}`,
      );
    }
    await wait(everyMs);
  }
}

/** Runs a program to its end. Never throws for an exit status; `command[0]` missing is status 127. */
export function run(
  command: readonly string[],
  options: { input?: string; timeoutMs?: number; env?: NodeJS.ProcessEnv } = {},
): Promise<Finished> {
  const [program = '', ...args] = command;
  const settings: SpawnOptions = { stdio: ['pipe', 'pipe', 'pipe'], env: options.env ?? labEnvironment() };
  if (options.timeoutMs !== undefined) Object.assign(settings, { timeout: options.timeoutMs, killSignal: 'SIGKILL' });
  const child = spawn(program, args, settings);
  child.stdin?.on('error', () => child.stdin?.destroy());
  child.stdin?.end(options.input ?? '');
  return finished(child);
}

/** Collects what a child writes and waits for its end. */
export function finished(child: ChildProcess): Promise<Finished> {
  const stdout: Buffer[] = [];
  const stderr: Buffer[] = [];
  child.stdout?.on('data', (data: Buffer) => stdout.push(data));
  child.stderr?.on('data', (data: Buffer) => stderr.push(data));
  return new Promise((resolve) => {
    child.once('error', (error) => resolve({ status: 127, stdout: '', stderr: error.message }));
    child.once('close', (code, signal) =>
      resolve({
        status: code ?? (signal === null ? 1 : 128 + signalNumber(signal)),
        stdout: Buffer.concat(stdout).toString(),
        stderr: Buffer.concat(stderr).toString(),
      }),
    );
  });
}

function signalNumber(signal: NodeJS.Signals): number {
  const numbers: Partial<Record<NodeJS.Signals, number>> = { SIGINT: 2, SIGKILL: 9, SIGTERM: 15 };
  return numbers[signal] ?? 0;
}

/** Like `run()`, for what must succeed. */
export async function must(command: readonly string[], options: Parameters<typeof run>[1] = {}): Promise<string> {
  const result = await run(command, options);
  if (result.status !== 0) throw failure(command, result);
  return result.stdout;
}

export function failure(command: readonly string[], result: Finished): CalicoError {
  const said = (result.stderr.trim() === '' ? result.stdout : result.stderr).trim();
  return new CalicoError('ERR_CALI_LAB_COMMAND', `"${command.join(' ')}" ended with ${result.status}: ${said}`);
}
