import { spawn } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import { constants } from 'node:os';
import { CalicoError } from '../base/errors.js';

/** How a program ended, and what it said. */
export interface ProgramResult {
  /** The exit status; 128 and the signal's number where a signal ended it. */
  readonly status: number;
  readonly stdout: string;
  readonly stderr: string;
}

export interface ProgramOptions {
  readonly input?: string;
  readonly environment?: Readonly<Record<string, string | undefined>>;
  readonly signal?: AbortSignal;
  /** How long it may take. */
  readonly timeoutMs?: number;
  /** The program speaks with the person itself: an editor. Nothing is collected then. */
  readonly isInteractive?: boolean;
}

const KILLED = 128;

/** Whether a program could not be started because there is none of that name. */
export function isNotInstalled({ cause }: CalicoError): boolean {
  return cause instanceof Error && 'code' in cause && cause.code === 'ENOENT';
}

/** In words: either somebody had enough, or it took too long. */
function whyNot(cause: NodeJS.ErrnoException, { signal, timeoutMs = 0 }: ProgramOptions): string {
  if (cause.code === 'ENOENT') return 'it is not installed';
  if (cause.name !== 'AbortError') return cause.message;
  return signal?.aborted === true ? 'interrupted' : `it takes longer than ${timeoutMs / 1000} s`;
}

/** Aborted by either. */
function endOf({ signal, timeoutMs }: ProgramOptions): AbortSignal | undefined {
  if (timeoutMs === undefined) return signal;
  const limit = AbortSignal.timeout(timeoutMs);
  return signal === undefined ? limit : AbortSignal.any([signal, limit]);
}

/**
 * Runs a program to its end; never through a shell.
 *
 * @throws {CalicoError} `ERR_CALI_CLI_PROGRAM` it cannot be started; whatever it ends with is a result
 */
export async function runProgram(
  file: string,
  words: readonly string[],
  options: ProgramOptions = {},
): Promise<ProgramResult> {
  return new Promise((resolve, reject) => {
    const stdio = options.isInteractive === true ? 'inherit' : 'pipe';
    const child = spawn(file, words, { stdio, env: options.environment, signal: endOf(options) });
    const heard = { stdout: [] as Buffer[], stderr: [] as Buffer[] };
    child.stdout?.on('data', (chunk: Buffer) => heard.stdout.push(chunk));
    child.stderr?.on('data', (chunk: Buffer) => heard.stderr.push(chunk));
    child.once('error', (cause: NodeJS.ErrnoException) => {
      // One that does not heed its end is not waited for.
      child.unref();
      child.stdout?.destroy();
      child.stderr?.destroy();
      const why = whyNot(cause, options);
      reject(new CalicoError('ERR_CALI_CLI_PROGRAM', `cannot run "${file}": ${why}`, { cause }));
    });
    child.once('close', (status, ending) => {
      const text = (chunks: readonly Buffer[]) => Buffer.concat(chunks).toString('utf8');
      const killed = KILLED + (ending === null ? 0 : constants.signals[ending]);
      resolve({ status: status ?? killed, stdout: text(heard.stdout), stderr: text(heard.stderr) });
    });
    // Who does not read its input to the end is not to end us.
    child.stdin?.on('error', () => undefined);
    child.stdin?.end(options.input ?? '');
  });
}

/**
 * Starts a program that lives on when this one has ended, in a session of its own; what it says goes to a file.
 *
 * @returns its process id
 * @throws {CalicoError} `ERR_CALI_CLI_PROGRAM` it cannot be started
 */
export function startProgram(
  file: string,
  words: readonly string[],
  options: { readonly environment: Readonly<Record<string, string | undefined>>; readonly logFile: string },
): number {
  const log = openSync(options.logFile, 'a', 0o640);
  try {
    const child = spawn(file, words, {
      detached: true,
      stdio: ['ignore', log, log],
      env: options.environment,
      cwd: '/',
    });
    // It shows as a missing process id.
    child.on('error', () => undefined);
    child.unref();
    if (child.pid === undefined) throw new CalicoError('ERR_CALI_CLI_PROGRAM', `cannot run "${file}"`);
    return child.pid;
  } finally {
    closeSync(log);
  }
}
