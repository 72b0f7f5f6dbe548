import type { Clock } from '../base/clock.js';
import type { CalicoError } from '../base/errors.js';
import { type Address, parseAddress } from '../net/address.js';
import { formatPrefix, parsePrefix } from '../net/prefix.js';
import { type NewRoute, type Route, type RouteChange, completeRoute, routeKey } from '../netlink/route/route.js';
import { RT_SCOPE_LINK, RT_SCOPE_UNIVERSE, RT_TABLE_MAIN } from '../netlink/route/constants.js';
import type { MapDelta, RoutePlan } from '../plan/host-plan.js';
import type { HostKernel } from './host-kernel.js';
import type { Links } from './links.js';
import { isOurs, sameRoute } from './route-ownership.js';
import { type DataplaneSettings, isWorkloadInterface } from './settings.js';

export interface ProgramOutcome {
  /** Changes the kernel took. */
  readonly writes: number;
  readonly failures: readonly CalicoError[];
}

/** A route that is ours by its marks, but that nobody wants. */
interface Stray {
  readonly route: Route;
  readonly sinceMs: number;
}

interface Changes {
  readonly deletions: RouteChange[];
  readonly additions: { readonly destination: string; readonly wanted: NewRoute }[];
  /** Destinations whose address is no longer where it was. */
  readonly left: Set<string>;
}

export interface RouteTableOptions {
  readonly kernel: HostKernel;
  readonly links: Links;
  readonly settings: DataplaneSettings;
  readonly clock: Clock;
}

/**
 * The routes that are ours in table main. Remembers what the kernel holds, so that a change costs what it changes; {@link resync}
 * reads the kernel again.
 *
 * A route whose device is not there or down waits for it. An address that leaves its device loses its tracked connections before it
 * may be routed elsewhere: what they were allowed, they were allowed as somebody else.
 */
export class RouteTable {
  readonly #kernel: HostKernel;
  readonly #links: Links;
  readonly #settings: DataplaneSettings;
  readonly #clock: Clock;
  #wanted: ReadonlyMap<string, RoutePlan> = new Map();
  readonly #byDevice = new Map<string, Set<string>>();
  readonly #deviceOf = new Map<string, string>();
  /** By destination: the route of the wanted kind that the kernel holds. */
  readonly #live = new Map<string, Route>();
  /** Interface that a workload's address was last routed to; outlives the route when the link goes. */
  readonly #home = new Map<string, number>();
  /** By kernel key. */
  readonly #strays = new Map<string, Stray>();
  readonly #dirty = new Set<string>();

  constructor({ kernel, links, settings, clock }: RouteTableOptions) {
    this.#kernel = kernel;
    this.#links = links;
    this.#settings = settings;
    this.#clock = clock;
  }

  /** The wanted routes, whole; with `delta` only those it names are looked at. */
  want(wanted: ReadonlyMap<string, RoutePlan>, delta?: MapDelta<RoutePlan>): void {
    const touched =
      delta === undefined ? [...this.#deviceOf.keys(), ...this.#live.keys(), ...wanted.keys()] : changedIn(delta);
    this.#wanted = wanted;
    for (const destination of touched) {
      this.#dirty.add(destination);
      this.#index(destination, wanted.get(destination)?.device);
    }
  }

  /** True when every wanted route of the device is in the kernel. */
  isComplete(device: string): boolean {
    for (const destination of this.#byDevice.get(device) ?? []) if (!this.#live.has(destination)) return false;
    return true;
  }

  /** True when a wanted route goes by the device. */
  uses(device: string): boolean {
    return this.#byDevice.has(device);
  }

  /** The link came, went, or went up or down: the kernel may have dropped its routes without a word. */
  linkChanged(name: string, index: number): void {
    for (const [destination, route] of this.#live) {
      if (route.interfaceIndex !== index) continue;
      this.#live.delete(destination);
      this.#dirty.add(destination);
    }
    for (const destination of this.#byDevice.get(name) ?? []) this.#dirty.add(destination);
    for (const [key, { route }] of this.#strays) if (route.interfaceIndex === index) this.#strays.delete(key);
  }

  /** Somebody else changed a route. @returns true when {@link flush} has something to do */
  routeChanged(change: 'set' | 'deleted', route: Route): boolean {
    if (route.table !== RT_TABLE_MAIN) return false;
    const key = routeKey(route);
    const destination = destinationText(route);
    const live = this.#live.get(destination);
    if (live !== undefined && routeKey(live) === key) {
      if (change === 'set' && sameRoute(live, route)) return false;
      if (change === 'set') this.#live.set(destination, route);
      else this.#live.delete(destination);
      this.#dirty.add(destination);
      return true;
    }
    if (change === 'deleted') {
      this.#strays.delete(key);
      return false;
    }
    return this.#take(route);
  }

  /** Reads the kernel: what is there of ours is kept or corrected, what nobody wants goes. */
  async resync(): Promise<void> {
    const routes = await this.#kernel.listRoutes();
    const known = new Set(Array.from(this.#live.values(), routeKey));
    this.#live.clear();
    const listed = new Set<string>();
    for (const route of routes) {
      const key = routeKey(route);
      listed.add(key);
      this.#take(route);
      // One that we had put there ourselves needs no grace.
      if (known.has(key) && this.#strays.has(key)) this.#strays.set(key, { route, sinceMs: -Infinity });
    }
    for (const key of this.#strays.keys()) if (!listed.has(key)) this.#strays.delete(key);
    for (const destination of this.#wanted.keys()) this.#dirty.add(destination);
  }

  /** When the next stray route is due, in the clock's monotonic time. */
  nextDueMs(): number | undefined {
    let next: number | undefined;
    for (const stray of this.#strays.values()) {
      const due = this.#dueMs(stray);
      if (next === undefined || due < next) next = due;
    }
    return next;
  }

  /** Makes the kernel as wanted, as far as the links allow. What the kernel refused is tried again at the next flush. */
  async flush(): Promise<ProgramOutcome> {
    const { deletions, additions, left } = this.#takeChanges();
    const failures: CalicoError[] = [];
    let writes = await this.#send(deletions, failures, () => undefined);
    if (left.size > 0) await this.#forgetConnections(left);
    const changes = additions.map(({ wanted }): RouteChange => ({ verb: 'replace', route: wanted }));
    writes += await this.#send(changes, failures, (index) => {
      const refused = additions[index];
      if (refused !== undefined) this.#dirty.add(refused.destination);
    });
    for (const { destination, wanted } of additions) {
      if (!this.#dirty.has(destination)) this.#settled(destination, completeRoute(wanted));
    }
    return { writes, failures };
  }

  #takeChanges(): Changes {
    const changes: Changes = { deletions: [], additions: [], left: new Set() };
    for (const route of this.#dueStrays()) {
      const destination = destinationText(route);
      changes.deletions.push({ verb: 'delete', route });
      if (!this.#wanted.has(destination)) this.#noteLeft(destination, undefined, changes.left);
    }
    for (const destination of this.#dirty) {
      const live = this.#live.get(destination);
      const wanted = this.#resolve(this.#wanted.get(destination));
      this.#noteLeft(destination, wanted ?? (this.#wanted.has(destination) ? 'waiting' : undefined), changes.left);
      if (live !== undefined && !canReplace(live, wanted)) {
        changes.deletions.push({ verb: 'delete', route: live });
        this.#live.delete(destination);
      }
      if (wanted === undefined || (live !== undefined && sameRoute(live, completeRoute(wanted)))) continue;
      changes.additions.push({ destination, wanted });
    }
    this.#dirty.clear();
    return changes;
  }

  /** The kernel holds the wanted route. */
  #settled(destination: string, route: Route): void {
    this.#live.set(destination, route);
    if (this.#isWorkloadRoute(route)) this.#home.set(destination, route.interfaceIndex ?? 0);
  }

  async #send(
    changes: readonly RouteChange[],
    failures: CalicoError[],
    onRefusal: (index: number) => void,
  ): Promise<number> {
    if (changes.length === 0) return 0;
    const refusals = await this.#kernel.changeRoutes(changes);
    for (const { index, error } of refusals) {
      failures.push(error);
      onRefusal(index);
    }
    return changes.length - refusals.length;
  }

  /** Notes an address that is no longer where it was; one whose link is gone for now may come back. */
  #noteLeft(destination: string, wanted: NewRoute | 'waiting' | undefined, left: Set<string>): void {
    const home = this.#home.get(destination);
    if (home === undefined || wanted === 'waiting' || wanted?.interfaceIndex === home) return;
    this.#home.delete(destination);
    left.add(destination);
  }

  async #forgetConnections(destinations: ReadonlySet<string>): Promise<void> {
    const addresses: Address[] = [...destinations].map((destination) => parsePrefix(destination).address);
    await this.#kernel.deleteFlowsOf(addresses);
  }

  /** A route read from the kernel: the wanted one, a stray, or none of our business. True when there is something to do. */
  #take(route: Route): boolean {
    const destination = destinationText(route);
    const key = routeKey(route);
    const wanted = this.#wanted.get(destination);
    if (wanted !== undefined && routeKey(planned(wanted)) === key) {
      this.#strays.delete(key);
      this.#settled(destination, route);
      const resolved = this.#resolve(wanted);
      if (resolved !== undefined && sameRoute(route, completeRoute(resolved))) return false;
      this.#dirty.add(destination);
      return true;
    }
    if (!isOurs(route, this.#links.byIndex(route.interfaceIndex)?.name, this.#settings)) return false;
    if (!this.#strays.has(key)) this.#strays.set(key, { route, sinceMs: this.#clock.monotonicMs() });
    return true;
  }

  /** A stray on a workload's interface may be that of a workload whose endpoint is not stored yet. */
  #dueMs({ route, sinceMs }: Stray): number {
    return this.#isWorkloadRoute(route) ? sinceMs + this.#settings.unknownRouteGraceMs : sinceMs;
  }

  #dueStrays(): readonly Route[] {
    const due: Route[] = [];
    for (const [key, stray] of this.#strays) {
      const wanted = this.#wanted.get(destinationText(stray.route));
      if (wanted !== undefined && routeKey(planned(wanted)) === key) {
        this.#strays.delete(key);
        this.#live.set(destinationText(stray.route), stray.route);
        this.#dirty.add(destinationText(stray.route));
      } else if (this.#dueMs(stray) <= this.#clock.monotonicMs()) {
        this.#strays.delete(key);
        due.push(stray.route);
        if (this.#isWorkloadRoute(stray.route) && wanted === undefined) {
          this.#home.set(destinationText(stray.route), stray.route.interfaceIndex ?? 0);
        }
      }
    }
    return due;
  }

  #isWorkloadRoute(route: Route): boolean {
    const name = this.#links.byIndex(route.interfaceIndex)?.name;
    return route.type === 'unicast' && name !== undefined && isWorkloadInterface(this.#settings, name);
  }

  /** As the kernel takes it; undefined while its device is not there or not up. */
  #resolve(plan: RoutePlan | undefined): NewRoute | undefined {
    if (plan === undefined) return undefined;
    if (plan.device === undefined) return planned(plan);
    // An endpoint may say that its interface is the host's own uplink; nothing of a workload goes there.
    if (plan.scope === 'link' && !isWorkloadInterface(this.#settings, plan.device)) return undefined;
    const link = this.#links.get(plan.device);
    if (link?.isUp !== true) return undefined;
    return { ...planned(plan), interfaceIndex: link.index, interfaceName: link.name };
  }

  #index(destination: string, device: string | undefined): void {
    const before = this.#deviceOf.get(destination);
    if (before !== device && before !== undefined) {
      const routes = this.#byDevice.get(before);
      routes?.delete(destination);
      if (routes?.size === 0) this.#byDevice.delete(before);
      this.#deviceOf.delete(destination);
    }
    if (device === undefined) return;
    this.#deviceOf.set(destination, device);
    this.#byDevice.set(device, (this.#byDevice.get(device) ?? new Set()).add(destination));
  }
}

/** Under the same key the kernel swaps one route for the other; one that moves to another device goes first, see {@link RouteTable}. */
function canReplace(live: Route, wanted: NewRoute | undefined): boolean {
  return wanted !== undefined && routeKey(live) === routeKey(wanted) && live.interfaceIndex === wanted.interfaceIndex;
}

function changedIn<T>(delta: MapDelta<T>): readonly string[] {
  return [...delta.set.keys(), ...delta.removed];
}

/** The destination as plans write it. */
function destinationText(route: Pick<NewRoute, 'destination'>): string {
  return formatPrefix(route.destination);
}

/** A plan's route without its interface. */
function planned(plan: RoutePlan): NewRoute {
  const gateway =
    plan.gateway === undefined ? {} : { gateway: parseAddress(plan.gateway), onlink: plan.device !== undefined };
  return {
    destination: parsePrefix(plan.destination),
    type: plan.type,
    protocol: plan.protocol,
    metric: plan.metric,
    scope: plan.scope === 'link' ? RT_SCOPE_LINK : RT_SCOPE_UNIVERSE,
    ...gateway,
  };
}
