import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { setTimeout as wait } from 'node:timers/promises';
import { insideNetwork } from './namespaces.js';
import { labEnvironment, until } from './processes.js';

/** What somebody outside saw being written to a network namespace's kernel state. */
export interface KernelWrites {
  readonly count: number;
  /** The lines of `nft monitor` and `ip monitor`. */
  readonly lines: readonly string[];
}

/** One line of a monitor, with the time at which it came (`performance.now()`). */
export interface SeenLine {
  readonly text: string;
  readonly at: number;
}

/** A monitor that runs. */
export interface Watch {
  readonly lines: readonly SeenLine[];
  stop(): Promise<void>;
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

async function watch(pid: number, command: readonly string[]): Promise<Watch> {
  const [program = '', ...args] = insideNetwork(pid, ['stdbuf', '-oL', ...command]);
  const child = spawn(program, args, { stdio: ['ignore', 'pipe', 'inherit'], env: labEnvironment() });
  const ended = new Promise((resolve) => child.once('close', resolve));
  const lines: SeenLine[] = [];
  let rest = '';
  child.stdout.on('data', (data: Buffer) => {
    const at = performance.now();
    const texts = (rest + data.toString()).split('\n');
    rest = texts.pop() ?? '';
    // Continuation lines of one object are indented; generation notices are comments.
    lines.push(...texts.filter((text) => text !== '' && !/^[\s#}]/.test(text)).map((text) => ({ text, at })));
  });
  await until(`${command.join(' ')} listening`, () => listens(child.pid ?? 0), { everyMs: 2 });
  return {
    lines,
    stop: async () => {
      child.kill('SIGTERM');
      await ended;
    },
  };
}

/** Watches what is written to the nf_tables of a process's network namespace. */
export function watchRuleset(pid: number): Promise<Watch> {
  return watch(pid, ['nft', 'monitor']);
}

/**
 * Counts the writes to the kernel state of a process's network namespace while `during` runs, with the tools of the distribution and
 * from outside: nothing of ours has a say in it. Neighbour entries that the kernel learns are not counted, nor generation notices.
 */
export async function countKernelWrites(pid: number, during: () => Promise<void>): Promise<KernelWrites> {
  const watches = await Promise.all([
    watchRuleset(pid),
    watch(pid, ['ip', 'monitor', 'link', 'address', 'route', 'rule']),
  ]);
  try {
    await during();
    await wait(settleMs);
  } finally {
    await Promise.all(watches.map((running) => running.stop()));
  }
  const lines = watches.flatMap((running) => running.lines.map(({ text }) => text));
  return { count: lines.length, lines };
}
