import type { Clock } from '../base/clock.js';
import { ConflictError, ifFound } from '../base/errors.js';
import type { Log } from '../base/log.js';
import type { Ipam } from '../ipam/ipam.js';
import { bareAddress } from '../net/prefix.js';
import type { AddressBook } from './address-book.js';
import { type DockerEndpoint, type DockerEndpoints, LOOSE_PREFIX } from './endpoints.js';
import type { DockerEngine } from './engine.js';
import type { EngineNetwork } from './engine-answers.js';
import type { DockerKernel } from './network-driver.js';

/** How long something must be nobody's before it goes: a container that is being started shows late. */
const SETTLE_MS = 20_000;
/** An address that the engine has just got is not looked for among its containers yet. */
const YOUNG_MS = 60_000;

/** States of containers that have no network any more. */
const ENDED: ReadonlySet<string> = new Set(['exited', 'dead', 'removing']);

export interface LeakSearchOptions {
  readonly engine: DockerEngine;
  readonly endpoints: DockerEndpoints;
  readonly ipam: Ipam;
  readonly handleId: string;
  readonly book: AddressBook;
  readonly kernel: DockerKernel;
  readonly clock: Clock;
  readonly log: Log;
}

/** What the engine's containers have. */
interface InUse {
  readonly endpointIds: ReadonlySet<string>;
  readonly addresses: ReadonlySet<string>;
}

/**
 * Finds endpoints, interfaces and addresses that no container has any more, because engine or plugin was killed or away at the
 * wrong moment, and takes them away once they have been nobody's for 20 s.
 */
export class LeakSearch {
  readonly #options: LeakSearchOptions;
  /** Since when something is nobody's. */
  readonly #suspects = new Map<string, number>();

  constructor(options: LeakSearchOptions) {
    this.#options = options;
  }

  /**
   * Looks once. Changes nothing unless the engine has answered everything.
   *
   * @param networks all of the engine's
   * @returns after how many milliseconds to look again; undefined when nothing is suspect
   * @throws {UnavailableError} engine or datastore does not answer
   */
  async look(networks: readonly EngineNetwork[], signal: AbortSignal): Promise<number | undefined> {
    const { endpoints, kernel } = this.#options;
    const inUse = await this.#inUse(networks, signal);
    const stored = await endpoints.load();
    const stale = stored.filter(({ id }) => !inUse.endpointIds.has(id));
    const loose = await kernel.listLoose(LOOSE_PREFIX);
    const orphans = await this.#orphans(inUse, stored);
    const due = this.#due([
      ...stale.map(({ id }) => `endpoint ${id}`),
      ...loose.map((name) => `interface ${name}`),
      ...orphans.map((address) => `address ${address}`),
    ]);
    // On a host that starts many at once a container takes longer than others: its place stays suspect, and waits.
    const young = stale.filter(({ addresses }) =>
      addresses.some((address) => this.#options.book.isYoung(address, YOUNG_MS)),
    );
    for (const { id, interfaceName } of young) {
      due.delete(`endpoint ${id}`);
      due.delete(`interface ${interfaceName}`);
    }
    for (const endpoint of stale) if (due.has(`endpoint ${endpoint.id}`)) await this.#removeEndpoint(endpoint);
    for (const name of loose) if (due.has(`interface ${name}`)) await this.#removeInterface(name);
    for (const address of orphans) if (due.has(`address ${address}`)) await this.#release(address);
    for (const key of due) this.#suspects.delete(key);
    return this.#suspects.size === 0 ? undefined : SETTLE_MS;
  }

  async #inUse(networks: readonly EngineNetwork[], signal: AbortSignal): Promise<InUse> {
    const containers = await this.#options.engine.listContainers({ signal });
    // A container that ended with its engine still shows the place it had.
    const places = containers.filter(({ state }) => !ENDED.has(state)).flatMap(({ places: each }) => each);
    const addresses = [
      ...places.flatMap(({ addresses: each }) => each),
      ...networks.flatMap(({ reservedAddresses }) => reservedAddresses),
    ];
    return {
      endpointIds: new Set(places.map(({ endpointId }) => endpointId)),
      addresses: new Set(addresses.map((text) => bareAddress(text) ?? text)),
    };
  }

  /** Addresses held for this host's containers that none of them has. */
  async #orphans(inUse: InUse, stored: readonly DockerEndpoint[]): Promise<readonly string[]> {
    const { ipam, handleId, book } = this.#options;
    const claimed = new Set(stored.flatMap(({ addresses }) => addresses));
    const held = (await ifFound(ipam.addressesByHandle(handleId))) ?? [];
    return held.filter(
      (address) => !inUse.addresses.has(address) && !claimed.has(address) && !book.isYoung(address, YOUNG_MS),
    );
  }

  /** Those that were suspect for long enough; what is not suspect any more is forgotten. */
  #due(suspects: readonly string[]): Set<string> {
    const now = this.#options.clock.monotonicMs();
    const seen = new Set(suspects);
    for (const key of this.#suspects.keys()) if (!seen.has(key)) this.#suspects.delete(key);
    const due = new Set<string>();
    for (const key of seen) {
      const since = this.#suspects.get(key);
      if (since === undefined) this.#suspects.set(key, now);
      else if (now - since >= SETTLE_MS) due.add(key);
    }
    return due;
  }

  async #removeEndpoint({ id, interfaceName, addresses, ipam }: DockerEndpoint): Promise<void> {
    const { endpoints, kernel, log } = this.#options;
    log.warn('no container has this endpoint any more: it is taken away', { endpoint: id, addresses });
    await kernel.detach({ hostInterface: interfaceName });
    const had = await endpoints.delete(id);
    // Where Docker gave the addresses, those that it does not know of are still ours.
    const ours = ipam === 'calico' ? new Set([...addresses, ...had]) : had.filter((each) => !addresses.includes(each));
    for (const address of ours) await this.#release(address);
  }

  async #removeInterface(hostInterface: string): Promise<void> {
    const { kernel, log } = this.#options;
    log.warn('no container has this interface any more: it is taken away', { interface: hostInterface });
    await kernel.detach({ hostInterface });
  }

  async #release(address: string): Promise<void> {
    const { ipam, handleId, book, log } = this.#options;
    try {
      const { released } = await ipam.releaseIps([{ address, handleId }]);
      if (released.length > 0) log.warn('no container has this address any more: it is released', { address });
    } catch (error) {
      // Somebody else holds it by now.
      if (!(error instanceof ConflictError)) throw error;
    }
    book.forget(address);
  }
}
