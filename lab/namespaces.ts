import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { join } from 'node:path';
import { CalicoError } from '../src/base/errors.js';
import { childrenOf, identify, labEnvironment, must, repositoryRoot } from './processes.js';
import type { ProcessIdentity } from './processes.js';

/** A host's init, while we hold its standard input. */
export interface Init {
  readonly identity: ProcessIdentity;
  /** From here on it lives until it is killed, not until we end. */
  stay(): Promise<void>;
  /** Stops holding it; a host that may not stay ends now. */
  release(): void;
}

/**
 * Starts the init of a host in namespaces of its own.
 *
 * @throws {CalicoError} the namespaces or their mounts could not be made
 */
export async function startInit(name: string): Promise<Init> {
  const script = join(repositoryRoot(), 'lab/host-init.sh');
  const child = spawn(
    'unshare',
    // prettier-ignore
    ['--net', '--mount', '--uts', '--ipc', '--pid', '--fork', '--kill-child', '--mount-proc', '--propagation', 'private', '--', 'bash', script, name],
    { stdio: ['pipe', 'pipe', 'pipe'], env: labEnvironment() },
  );
  const said = await readyOrDead(child);
  const identity = identify(childrenOf(child.pid ?? 0)[0] ?? 0);
  if (identity === undefined) {
    throw new CalicoError('ERR_CALI_LAB_HOST', `cannot start host "${name}": ${said.trim()}`, {
      hint: 'run as root, on a machine that lets root make namespaces',
    });
  }
  const release = (): void => {
    child.stdin.destroy();
    child.stdout.destroy();
    child.stderr.destroy();
    child.unref();
  };
  return {
    identity,
    release,
    stay: () =>
      new Promise((resolve, reject) => {
        child.stdin.write('stay\n', (error) => (error ? reject(error) : resolve()));
      }),
  };
}

function readyOrDead(child: ChildProcess): Promise<string> {
  return new Promise((resolve) => {
    let text = '';
    const hear = (data: Buffer): void => {
      text += data.toString();
      if (/^ready$/m.test(text)) resolve(text);
    };
    child.stdout?.on('data', hear);
    child.stderr?.on('data', hear);
    child.once('error', (error) => resolve(error.message));
    child.once('close', () => resolve(text));
  });
}

/** The command that runs another one inside a host: in all its namespaces. */
export function inside(pid: number, command: readonly string[]): string[] {
  return ['nsenter', '-t', String(pid), '--net', '--mount', '--uts', '--ipc', '--pid', '--', ...command];
}

/** The command that runs another one in the network namespace of a process, and otherwise here. */
export function insideNetwork(pid: number, command: readonly string[]): string[] {
  return ['nsenter', '-t', String(pid), '--net', '--', ...command];
}

/** Several `ip` commands in one process, in the network namespace of `pid`; all or an error that quotes the first refused line. */
export async function ipBatch(pid: number, lines: readonly string[]): Promise<void> {
  await must(insideNetwork(pid, ['ip', '-batch', '-']), { input: `${lines.join('\n')}\n` });
}

/** Sets sysctls by their path below /proc/sys, in the network namespace of `pid`. */
export async function setSysctls(pid: number, values: Readonly<Record<string, string>>): Promise<void> {
  const script = 'while read -r path value; do echo "$value" >"/proc/sys/$path" || exit 1; done';
  const input = Object.entries(values)
    .map(([path, value]) => `${path} ${value}\n`)
    .join('');
  await must(insideNetwork(pid, ['bash', '-c', script]), { input });
}
