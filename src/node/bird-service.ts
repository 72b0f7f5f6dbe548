import { birdConfig } from '../bgp/bird-config.js';
import { BirdProcess } from '../bgp/bird-process.js';
import { peerStatus } from '../bgp/peer-status.js';
import type { Clock } from '../base/clock.js';
import type { Conditions } from '../base/conditions.js';
import { CalicoError, formatError } from '../base/errors.js';
import type { Log } from '../base/log.js';
import type { BgpPlan } from '../plan/host-plan.js';
import type { BgpService } from './bgp-service.js';
import { BGP_DOWN } from './conditions.js';

const LOG_FILE = '/var/log/calico/bird.log';

export interface BirdServiceOptions {
  readonly log: Log;
  readonly conditions: Conditions;
  readonly clock: Clock;
}

/** BIRD as the host's BGP speaker. */
export class BirdService implements BgpService {
  readonly #log: Log;
  readonly #conditions: Conditions;
  readonly #bird: BirdProcess;
  #plan: BgpPlan | undefined;

  constructor({ log, conditions, clock }: BirdServiceOptions) {
    this.#log = log.part('bgp');
    this.#conditions = conditions;
    this.#bird = new BirdProcess({ clock, logFile: LOG_FILE, onProblem: (problem) => this.#hear(problem) });
  }

  apply(plan: BgpPlan | undefined): void {
    this.#plan = plan;
    const done = plan === undefined ? this.#bird.stop() : this.#bird.apply(birdConfig(plan, { logFile: LOG_FILE }));
    void done.catch((error: unknown) => this.#hear(error));
  }

  async peers() {
    const { control } = this.#bird;
    if (control === undefined) return { isRunning: false, peers: [] };
    try {
      const protocols = await control.protocols();
      const peers = protocols.map((protocol) => peerStatus(protocol, this.#plan));
      return { isRunning: true, peers: peers.filter((peer) => peer !== undefined) };
    } catch (error) {
      if (!(error instanceof CalicoError)) throw error;
      this.#log.warn('BIRD does not say how its peers are', { error });
      return { isRunning: false, peers: [] };
    }
  }

  close(): Promise<void> {
    return this.#bird.close();
  }

  #hear(problem: unknown): void {
    if (problem === undefined) {
      this.#conditions.clear(BGP_DOWN);
      return;
    }
    this.#conditions.raise(BGP_DOWN, { reason: formatError(problem).replace('\n  hint: ', '; ') });
  }
}
