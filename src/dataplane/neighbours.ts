import { CalicoError } from '../base/errors.js';
import { formatAddress, parseAddress } from '../net/address.js';
import type { MapDelta, NeighbourPlan } from '../plan/host-plan.js';
import type { HostKernel } from './host-kernel.js';
import type { Links } from './links.js';
import type { ProgramOutcome } from './routes.js';
import { type DataplaneSettings, isWorkloadInterface } from './settings.js';

// include/uapi/linux/neighbour.h
const NUD_PERMANENT = 0x80;

export interface NeighbourTableOptions {
  readonly kernel: HostKernel;
  readonly links: Links;
  readonly settings: DataplaneSettings;
}

/** Permanent ARP entries of workloads. Remembers what the kernel holds; {@link resync} reads it again. */
export class NeighbourTable {
  readonly #kernel: HostKernel;
  readonly #links: Links;
  readonly #settings: DataplaneSettings;
  #wanted: ReadonlyMap<string, NeighbourPlan> = new Map();
  /** By `<address> <device>`: the interface and MAC in the kernel. */
  readonly #live = new Map<string, { readonly index: number; readonly mac: string }>();
  readonly #dirty = new Set<string>();

  constructor({ kernel, links, settings }: NeighbourTableOptions) {
    this.#kernel = kernel;
    this.#links = links;
    this.#settings = settings;
  }

  /** The wanted entries, whole; with `delta` only those it names are looked at. */
  want(wanted: ReadonlyMap<string, NeighbourPlan>, delta?: MapDelta<NeighbourPlan>): void {
    const touched =
      delta === undefined ? [...this.#live.keys(), ...wanted.keys()] : [...delta.set.keys(), ...delta.removed];
    this.#wanted = wanted;
    for (const key of touched) this.#dirty.add(key);
  }

  /** The link came, went, or went up or down: with it go its entries. */
  linkChanged(name: string, index: number): void {
    for (const [key, live] of this.#live) {
      if (live.index !== index) continue;
      this.#live.delete(key);
      this.#dirty.add(key);
    }
    for (const [key, plan] of this.#wanted) if (plan.device === name) this.#dirty.add(key);
  }

  async resync(): Promise<void> {
    if (this.#wanted.size === 0 && this.#live.size === 0 && !this.#hasWorkloads()) return;
    const neighbours = await this.#kernel.listNeighbours();
    this.#live.clear();
    for (const { destination, interfaceIndex, mac, state, isProxy, isForwarding } of neighbours) {
      const name = this.#links.byIndex(interfaceIndex)?.name;
      const isEntry = destination?.family === 4 && (state & NUD_PERMANENT) !== 0 && !isProxy && !isForwarding;
      if (!isEntry || name === undefined || !isWorkloadInterface(this.#settings, name)) continue;
      const key = `${formatAddress(destination)} ${name}`;
      this.#live.set(key, { index: interfaceIndex, mac: mac ?? '' });
      this.#dirty.add(key);
    }
    for (const key of this.#wanted.keys()) this.#dirty.add(key);
  }

  /** Makes the kernel as wanted; what it refused is tried again at the next flush. */
  async flush(): Promise<ProgramOutcome> {
    const keys = [...this.#dirty];
    this.#dirty.clear();
    const failures: CalicoError[] = [];
    let writes = 0;
    for (const key of keys) {
      try {
        if (await this.#program(key)) writes += 1;
      } catch (error) {
        if (!(error instanceof CalicoError)) throw error;
        failures.push(error);
        this.#dirty.add(key);
      }
    }
    return { writes, failures };
  }

  async #program(key: string): Promise<boolean> {
    const plan = this.#wanted.get(key);
    const live = this.#live.get(key);
    if (plan === undefined) {
      if (live === undefined) return false;
      this.#live.delete(key);
      const [address = ''] = key.split(' ');
      return this.#kernel.deleteNeighbour({ interfaceIndex: live.index, destination: parseAddress(address) });
    }
    if (!isWorkloadInterface(this.#settings, plan.device)) return false;
    const link = this.#links.get(plan.device);
    if (link?.isUp !== true || (live?.index === link.index && live.mac === plan.mac)) return false;
    await this.#kernel.replaceNeighbour({
      interfaceIndex: link.index,
      destination: parseAddress(plan.address),
      mac: plan.mac,
    });
    this.#live.set(key, { index: link.index, mac: plan.mac });
    return true;
  }

  #hasWorkloads(): boolean {
    for (const link of this.#links.all()) if (isWorkloadInterface(this.#settings, link.name)) return true;
    return false;
  }
}
