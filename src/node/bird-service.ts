import { birdConfig } from '../bgp/bird-config.js';
import { BirdProcess } from '../bgp/bird-process.js';
import type { BirdProtocol } from '../bgp/bird-replies.js';
import type { Clock } from '../base/clock.js';
import type { Conditions } from '../base/conditions.js';
import { CalicoError, formatError } from '../base/errors.js';
import type { Log } from '../base/log.js';
import type { BgpPeerStatus } from '../localapi/protocol.js';
import type { BgpPlan } from '../plan/host-plan.js';
import type { BgpService } from './bgp-service.js';
import { BGP_DOWN } from './conditions.js';

const LOG_FILE = '/var/log/calico/bird.log';

const PEER_TYPES: Readonly<Record<string, string>> = {
  Mesh: 'node-to-node mesh',
  Node: 'node specific',
  Global: 'global',
};

/** What the names in BIRD's configuration say of a peer: `Mesh_192_0_2_2`. Others' protocols are no peers. */
export function peerStatus(protocol: BirdProtocol, plan: BgpPlan | undefined): BgpPeerStatus | undefined {
  const [, kind = '', rest = ''] = /^(Mesh|Node|Global)_(.+)$/.exec(protocol.name) ?? [];
  const type = PEER_TYPES[kind];
  if (type === undefined) return undefined;
  // Four parts are IPv4; the name itself does not say.
  const isIpv4 = rest.split('_').length === 4 && /^[\d_]+$/.test(rest);
  const planned = plan?.peers.find(({ name }) => name === protocol.name)?.address;
  const address = planned ?? rest.replaceAll('_', isIpv4 ? '.' : ':');
  return {
    address,
    family: address.includes(':') ? 6 : 4,
    type,
    state: protocol.state,
    since: protocol.since,
    info: protocol.info,
  };
}

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
