import type { BgpPeerStatus } from '../localapi/protocol.js';
import type { BgpPlan } from '../plan/host-plan.js';

/** The BGP speaker of this host as the supervisor sees it. */
export interface BgpService {
  /** Makes it speak so; undefined: nothing to say any more. Tries again by itself what fails now. */
  apply(plan: BgpPlan | undefined): void;
  /** Asks it; nothing is thrown. */
  peers(): Promise<{ readonly isRunning: boolean; readonly peers: readonly BgpPeerStatus[] }>;
  /** Lets go of it: it goes on without us. */
  close(): Promise<void>;
}

/** For networking without BGP. */
export const noBgpService: BgpService = {
  apply: () => undefined,
  peers: () => Promise.resolve({ isRunning: false, peers: [] }),
  close: () => Promise.resolve(),
};
