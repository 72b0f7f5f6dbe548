import type { NeighbourPlan } from '../plan/host-plan.js';
import { tryParsePrefix } from '../net/prefix.js';
import { formatAddress } from '../net/address.js';
import { Claims } from './claims.js';

/** An endpoint of this host, as far as routing is concerned. */
export interface LocalWorkload {
  readonly id: string;
  readonly interfaceName: string;
  readonly mac: string | undefined;
  /** Canonical /32 and /128 prefixes. */
  readonly addresses: readonly string[];
}

/** Where an address of this host leads. */
export interface WorkloadHop {
  readonly device: string;
  readonly neighbour: NeighbourPlan | undefined;
}

/**
 * Which interface each address of this host's endpoints leads to.
 *
 * Hears: local endpoints. Emits: the destinations whose hop may have changed. Keeps: claims to interfaces, and of those who have theirs,
 * claims to addresses; the lowest id wins both. Cost: that of the endpoint's own addresses.
 */
export class WorkloadRoutes {
  readonly #touch: (destination: string) => void;
  readonly #endpoints = new Map<string, LocalWorkload>();
  readonly #interfaces = new Claims<LocalWorkload>();
  readonly #addresses = new Claims<LocalWorkload>();

  /** @param touch hears of every destination whose hop may have changed */
  constructor(touch: (destination: string) => void) {
    this.#touch = touch;
  }

  set(endpoint: LocalWorkload): void {
    const { id, interfaceName } = endpoint;
    this.remove(id);
    this.#endpoints.set(id, endpoint);
    this.#change(interfaceName, () => this.#interfaces.set(interfaceName, id, endpoint));
  }

  remove(id: string): void {
    const before = this.#endpoints.get(id);
    if (before === undefined) return;
    this.#endpoints.delete(id);
    this.#change(before.interfaceName, () => this.#interfaces.delete(before.interfaceName, id));
  }

  /** @param destination a canonical prefix */
  hop(destination: string): WorkloadHop | undefined {
    const endpoint = this.#addresses.winner(destination);
    if (endpoint === undefined) return undefined;
    const { interfaceName: device, mac } = endpoint;
    const address = tryParsePrefix(destination)?.address;
    // The workload answers neighbour solicitations by itself, and may change its link-layer address there: IPv4 only.
    const isPinned = mac !== undefined && address?.family === 4;
    return { device, neighbour: isPinned ? { address: formatAddress(address), device, mac } : undefined };
  }

  #change(interfaceName: string, change: () => void): void {
    const before = this.#interfaces.winner(interfaceName);
    change();
    const after = this.#interfaces.winner(interfaceName);
    if (before === after) return;
    for (const address of before?.addresses ?? []) {
      this.#addresses.delete(address, before?.id ?? '');
      this.#touch(address);
    }
    for (const address of after?.addresses ?? []) {
      if (after !== undefined) this.#addresses.set(address, after.id, after);
      this.#touch(address);
    }
  }
}
