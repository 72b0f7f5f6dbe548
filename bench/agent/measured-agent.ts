import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { performance } from 'node:perf_hooks';
import { fileURLToPath } from 'node:url';
import { monitorNftables } from '../../src/netlink/monitor.js';
import { decodeNftEvent } from '../../src/nftables/events.js';
import type { AgentMessage } from './agent-process.js';

const PROGRAM = fileURLToPath(new URL('agent-process.js', import.meta.url));

type Usage = Extract<AgentMessage, { type: 'usage' }>;

/** A network namespace held open by a sleeping process, in which agents come and go. */
export class Namespace {
  readonly #holder: ChildProcess;

  private constructor(holder: ChildProcess) {
    this.#holder = holder;
  }

  static async create(): Promise<Namespace> {
    const holder = spawn('unshare', ['--net', '--', 'sh', '-c', 'ip link set lo up; echo ready; exec sleep 100000'], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    if (holder.stdout !== null) await once(holder.stdout, 'data');
    return new Namespace(holder);
  }

  get pid(): number {
    const { pid } = this.#holder;
    if (pid === undefined) throw new Error('unshare did not start');
    return pid;
  }

  async close(): Promise<void> {
    this.#holder.kill('SIGKILL');
    await once(this.#holder, 'exit');
  }
}

/** The agent in a process of its own, inside a namespace, and a listener for what it commits there. */
export class MeasuredAgent {
  readonly #child: ChildProcess;
  readonly #startedMs = performance.now();
  readonly #monitor: { close(): void };
  #onCommit: (() => void) | undefined;
  #onUsage: ((usage: Usage) => void) | undefined;
  /** Settles with the first time that the kernel is in line: writes and milliseconds since the spawn. */
  readonly inLine: Promise<{ readonly kernelWrites: number; readonly tookMs: number }>;

  constructor(namespace: Namespace, endpoint: string) {
    this.#monitor = monitorNftables({
      namespace: namespace.pid,
      listener: (events) => {
        if (events.some((e) => e.kind === 'message' && decodeNftEvent(e.message)?.kind === 'commit'))
          this.#onCommit?.();
      },
    });
    this.#child = spawn('nsenter', ['-t', String(namespace.pid), '-n', '--', process.execPath, PROGRAM, endpoint], {
      stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    });
    this.inLine = new Promise((resolve, reject) => {
      this.#child.on('message', (message: AgentMessage) => {
        if (message.type === 'failed') reject(new Error(message.message));
        else if (message.type === 'usage') this.#onUsage?.(message);
        else resolve({ kernelWrites: message.kernelWrites, tookMs: performance.now() - this.#startedMs });
      });
      this.#child.once('exit', (code) => reject(new Error(`the agent ended with ${code}`)));
    });
  }

  /** The time at which the kernel takes the next change. */
  nextCommit(): Promise<number> {
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => reject(new Error('no change reached the kernel within 10 s')), 10_000);
      this.#onCommit = () => {
        clearTimeout(timer);
        resolve(performance.now());
      };
    });
  }

  /** Since the last time it was asked, but for the memory. */
  usage(): Promise<Usage> {
    return new Promise((resolve) => {
      this.#onUsage = resolve;
      this.#child.send('usage');
    });
  }

  async stop(): Promise<void> {
    this.#monitor.close();
    this.#child.kill('SIGKILL');
    await once(this.#child, 'exit');
  }
}
