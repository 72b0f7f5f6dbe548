import type { BgpPlan } from '../plan/host-plan.js';
import type { BirdProtocol } from './bird-replies.js';

/** How a session is, in the terms of people. */
export interface PeerStatus {
  readonly address: string;
  readonly family: 4 | 6;
  /** `node-to-node mesh`, `node specific`, `global`. */
  readonly type: string;
  /** BIRD's word: `up`, `start`, `down`. */
  readonly state: string;
  readonly since: string;
  /** `Established`, `Connect`, … and what BIRD adds. */
  readonly info: string;
}

const PEER_TYPES: Readonly<Record<string, string>> = {
  Mesh: 'node-to-node mesh',
  Node: 'node specific',
  Global: 'global',
};

/** What the names in BIRD's configuration say of a peer: `Mesh_192_0_2_2`. Others' protocols are no peers. */
export function peerStatus(protocol: BirdProtocol, plan: BgpPlan | undefined): PeerStatus | undefined {
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
