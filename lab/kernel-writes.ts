import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { setTimeout as wait } from 'node:timers/promises';
import { insideNetwork } from './namespaces.js';
import { finished, labEnvironment, until } from './processes.js';

/** What somebody outside saw being written to a network namespace's kernel state. */
export interface KernelWrites {
  readonly count: number;
  /** The lines of `nft monitor` and `ip monitor`. */
  readonly lines: readonly string[];
}

/** How long the kernel's notifications may be on their way to the watchers. */
const settleMs = 150;

/** Whether a netlink socket of that process has joined a multicast group: /proc/net/netlink, columns Pid and Groups. */
function listens(pid: number): boolean {
  const rows = readFileSync(`/proc/${pid}/net/netlink`, 'utf8').split('\n').slice(1);
  return rows.some((row) => {
    const columns = row.trim().split(/\s+/);
    return Number(columns[2]) === pid && Number.parseInt(columns[3] ?? '0', 16) !== 0;
  });
}

async function watch(pid: number, command: readonly string[]): Promise<{ stop(): Promise<string[]> }> {
  const [program = '', ...args] = insideNetwork(pid, command);
  const child = spawn(program, args, { stdio: ['ignore', 'pipe', 'pipe'], env: labEnvironment() });
  const ended = finished(child);
  await until(`${command.join(' ')} listening`, () => listens(child.pid ?? 0), { everyMs: 2 });
  return {
    stop: async () => {
      child.kill('SIGTERM');
      const { stdout } = await ended;
      return stdout.split('\n').filter((line) => line.trim() !== '');
    },
  };
}

/**
 * Counts the writes to the kernel state of a process's network namespace while `during` runs, with the tools of the distribution and
 * from outside: nothing of ours has a say in it. Neighbour entries that the kernel learns are not counted, nor generation notices.
 */
export async function countKernelWrites(pid: number, during: () => Promise<void>): Promise<KernelWrites> {
  const watchers = await Promise.all([
    watch(pid, ['stdbuf', '-oL', 'nft', 'monitor']),
    watch(pid, ['stdbuf', '-oL', 'ip', 'monitor', 'link', 'address', 'route', 'rule']),
  ]);
  const stopAll = (): Promise<string[][]> => Promise.all(watchers.map((watcher) => watcher.stop()));
  try {
    await during();
    await wait(settleMs);
  } catch (error) {
    await stopAll();
    throw error;
  }
  const lines = (await stopAll()).flat().filter((line) => !line.startsWith('#') && !line.startsWith(' '));
  return { count: lines.length, lines };
}
