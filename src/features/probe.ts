import { KernelError, UnsupportedError } from '../base/errors.js';
import { NetlinkSocket } from '../netlink/socket.js';
import { NETLINK_NETFILTER, NETLINK_ROUTE } from '../sys/constants.js';
import { NetworkNamespace } from '../sys/namespace.js';

/** Could not tell: e.g. not permitted, or an error that the probe does not know. */
export type Outcome = 'yes' | 'no' | 'unknown';

/** An empty network namespace to try things in; it goes with all that was made in it. */
export interface Scratch {
  /** Opens on first use. @throws {KernelError} */
  route(): NetlinkSocket;
  netfilter(): NetlinkSocket;
}

/** A kernel feature: something a kernel may have been built without. */
export interface Feature {
  /** Short and stable, e.g. `ipip`: for conditions, skips and metrics. */
  readonly name: string;
  /** As people call it: `IPIP tunnels`. */
  readonly title: string;
  /** The first kernel that could have it. */
  readonly since: string;
  /** What a host without it does not do. Continues "… is not in this kernel: ". */
  readonly lost: string;
  /** What somebody can do about it. */
  readonly hint?: string;
  /**
   * Tries it. Returning is yes; an error with one of the errnos in `absentErrnos` is no; any other error is unknown.
   * Returning false is no.
   */
  readonly attempt: (scratch: Scratch) => Promise<boolean>;
  readonly absentErrnos: readonly number[];
}

export interface FeatureReport {
  readonly feature: Feature;
  readonly outcome: Outcome;
  /** Why it could not be told. */
  readonly reason?: string;
}

/** Answers by feature name; only yes and no are kept: what could not be told is tried again. */
export class FeatureProbe {
  readonly #known = new Map<string, FeatureReport>();

  async check(feature: Feature): Promise<FeatureReport> {
    const known = this.#known.get(feature.name);
    if (known !== undefined) return known;
    const report = await tryFeature(feature);
    if (report.outcome !== 'unknown') this.#known.set(feature.name, report);
    return report;
  }

  /** @throws {UnsupportedError} when the answer is no; what could not be told passes, the use of it will tell */
  async require(feature: Feature): Promise<void> {
    const { outcome } = await this.check(feature);
    if (outcome === 'no') throw unsupported(feature);
  }
}

/** `IPIP tunnels: not in this kernel (since 2.2): pools with ipipMode get no tunnel on this host`. */
export function unsupported(feature: Feature): UnsupportedError {
  return new UnsupportedError(
    `ERR_CALI_FEATURE_${feature.name.toUpperCase().replaceAll('-', '_')}`,
    feature.name,
    `${feature.title} not in this kernel (Linux has it since ${feature.since}): ${feature.lost}`,
    feature.hint === undefined ? {} : { hint: feature.hint },
  );
}

async function tryFeature(feature: Feature): Promise<FeatureReport> {
  const sockets: NetlinkSocket[] = [];
  let namespace: NetworkNamespace | undefined;
  const open = (protocol: number): NetlinkSocket => {
    namespace ??= NetworkNamespace.create();
    const socket = NetlinkSocket.open(protocol, { namespace });
    sockets.push(socket);
    return socket;
  };
  try {
    const present = await feature.attempt({
      route: () => open(NETLINK_ROUTE),
      netfilter: () => open(NETLINK_NETFILTER),
    });
    return { feature, outcome: present ? 'yes' : 'no' };
  } catch (error) {
    if (!(error instanceof KernelError)) throw error;
    if (feature.absentErrnos.includes(error.errno)) return { feature, outcome: 'no' };
    return { feature, outcome: 'unknown', reason: error.message };
  } finally {
    for (const socket of sockets) socket.close();
    namespace?.close();
  }
}
