import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { text } from 'node:stream/consumers';

export interface CalicoctlOutcome {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

interface ProgramOptions {
  /** Beside `PATH`. */
  readonly environment?: Readonly<Record<string, string>>;
  readonly stdin?: string;
  readonly cwd?: string;
  /** Another program, say a shell; `calicoctl` stands in its `PATH`. */
  readonly program?: string;
}

/** calicoctl as it was built, or another program that calls it. */
export async function runProgram(words: readonly string[], options: ProgramOptions = {}): Promise<CalicoctlOutcome> {
  const { environment, stdin = '', cwd, program = `${process.cwd()}/dist/bin/calicoctl` } = options;
  const child = spawn(program, words, {
    env: { PATH: `${process.cwd()}/dist/bin:${process.env['PATH'] ?? ''}`, ...environment },
    ...(cwd === undefined ? {} : { cwd }),
  });
  // It may end without reading all of it.
  child.stdin.on('error', () => undefined);
  child.stdin.end(stdin);
  const exited = once(child, 'close') as Promise<[number | null]>;
  const [stdout, stderr] = await Promise.all([text(child.stdout), text(child.stderr)]);
  const [status] = await exited;
  return { status, stdout, stderr };
}
