import { spawn } from 'node:child_process';
import { finished, labEnvironment } from './processes.js';

export interface PingCount {
  readonly sent: number;
  readonly received: number;
  /** Echoes that never came; one still on its way when the meter stopped is not among them. */
  readonly lost: number;
}

/** A ping that runs until it is stopped, and then says what was lost. */
export class PingMeter {
  readonly #child;
  readonly #ended;

  /** `command`: what to put before `ping` to run it in the right place. */
  constructor(command: (inner: readonly string[]) => string[], address: string, intervalMs: number) {
    const [program = '', ...args] = command(['ping', '-n', '-i', String(intervalMs / 1000), address]);
    this.#child = spawn(program, args, { stdio: ['ignore', 'pipe', 'pipe'], env: labEnvironment() });
    this.#ended = finished(this.#child);
  }

  async stop(): Promise<PingCount> {
    this.#child.kill('SIGINT');
    const { stdout } = await this.#ended;
    const [, sent = 0, received = 0] = (/(\d+) packets transmitted, (\d+) received/.exec(stdout) ?? []).map(Number);
    const last = Math.max(0, ...[...stdout.matchAll(/icmp_seq=(\d+)/g)].map((found) => Number(found[1])));
    const onTheWay = sent === last + 1 ? 1 : 0;
    return { sent, received, lost: sent - received - onTheWay };
  }
}
