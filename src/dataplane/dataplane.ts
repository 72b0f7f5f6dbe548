import { type Clock, type Timer, systemClock } from '../base/clock.js';
import { CalicoError } from '../base/errors.js';
import type { RouteEvent } from '../netlink/monitor.js';
import { KernelNftables } from '../nftables/kernel.js';
import type { Nftables } from '../nftables/nftables.js';
import { type TableId, sameTable } from '../nftables/objects.js';
import type { HostPolicy, HostPolicyDelta, HostRouting, HostRoutingDelta } from '../plan/host-plan.js';
import { type DriftListener, type DriftWatch, watchDrift } from './drift.js';
import { ForeignTables, IPTABLES_FILTER_TABLES } from './foreign-tables.js';
import { type HostKernel, RealHostKernel } from './host-kernel.js';
import { legacyIptablesInUse, syncLegacyIptables } from './iptables-legacy.js';
import { Links } from './links.js';
import { NeighbourTable } from './neighbours.js';
import { RouteTable } from './routes.js';
import { allocateMarks } from './ruleset/marks.js';
import { ARP_TABLE, CALICO_TABLE } from './ruleset/names.js';
import { RulesetProgram } from './ruleset-program.js';
import { type DataplaneSettings, isWorkloadInterface } from './settings.js';
import { configureHost } from './sysctls.js';
import { WorkloadLinks } from './workload-links.js';

export interface DataplaneWanted {
  readonly policy: HostPolicy;
  readonly routing: HostRouting;
}

export interface DataplaneDelta {
  readonly policy?: HostPolicyDelta;
  readonly routing?: HostRoutingDelta;
}

export type EndpointStatus = 'up' | 'down';

export interface ApplyReport {
  /** Changes the kernel took; 0 when everything was as wanted. */
  readonly kernelWrites: number;
  /** By endpoint id. Up: its interface carries packets, its sysctls, routes and rules are in place. */
  readonly endpoints: ReadonlyMap<string, EndpointStatus>;
  /** What could not be done now and is tried again: an interface's settings, a route. Rules are never here: they fail the apply. */
  readonly failures: readonly CalicoError[];
}

/** `damage`: somebody else had changed what is ours; `link`: it had waited for a link, or for a second try. */
export type RepairCause = 'damage' | 'link';

/** What happens between two calls of {@link Dataplane.apply}. */
export interface DataplaneObserver {
  /** Endpoints whose status changed. */
  onEndpointStatus?(changed: ReadonlyMap<string, EndpointStatus>): void;
  /** Something was written between two applies. */
  onRepair?(kernelWrites: number, cause: RepairCause): void;
  /** A repair failed; it is tried again. */
  onFailure?(error: CalicoError): void;
}

export interface DataplaneDependencies {
  readonly nftables: Nftables;
  readonly kernel: HostKernel;
  readonly clock: Clock;
  /** Subscribes to foreign changes. */
  readonly watch: (listener: DriftListener) => DriftWatch;
  readonly legacyIptables: {
    /** Which families' are in use, as a text to compare. */
    inUse(): string;
    /** Keeps our rules there. @returns the rules written */
    sync(): Promise<number>;
  };
  /** Closes what the dependencies hold open. */
  readonly close: () => void;
}

interface HostOutcome {
  readonly kernelWrites: number;
  readonly failures: readonly CalicoError[];
}

export interface OpenOptions extends DataplaneObserver {
  readonly clock?: Clock;
  /** Network namespace by path or process id; that of this process when left out. */
  readonly namespace?: string | number;
}

/** Failed work is tried again after this. */
const RETRY_MS = 10_000;

/**
 * Makes one host's kernel enforce and route what the plan says, and keeps it so.
 *
 * Takes the whole wanted state as often as wanted; deltas only make it cheap. Writes nothing before the first {@link apply}, and then
 * only differences. From then on it repairs what others damage, driven by the kernel's notifications. Closing leaves everything in
 * place.
 */
export class Dataplane {
  readonly #settings: DataplaneSettings;
  readonly #deps: DataplaneDependencies;
  readonly #observer: DataplaneObserver;
  readonly #links = new Links();
  readonly #rules: RulesetProgram;
  readonly #foreign: ForeignTables;
  readonly #routes: RouteTable;
  readonly #neighbours: NeighbourTable;
  readonly #workloadLinks: WorkloadLinks;
  #watch: DriftWatch | undefined;
  #wanted: DataplaneWanted | undefined;
  /** The last apply succeeded: the next may begin from what it left. */
  #isKnown = false;
  #status = new Map<string, EndpointStatus>();
  /** What the next repair has to look at. */
  readonly #damage = { rules: false, foreign: false, routes: false };
  /** Somebody changed a route of ours since the last repair. */
  #routeWasTouched = false;
  /** Everything that talks to the kernel goes through here, one at a time. */
  #queue: Promise<unknown> = Promise.resolve();
  #repairQueued = false;
  #legacyInUse = '';
  #timer: Timer | undefined;
  #closed = false;

  constructor(settings: DataplaneSettings, deps: DataplaneDependencies, observer: DataplaneObserver = {}) {
    const { kernel, clock, nftables } = deps;
    const links = this.#links;
    this.#settings = settings;
    this.#deps = deps;
    this.#observer = observer;
    this.#rules = new RulesetProgram(nftables, settings, clock);
    this.#foreign = new ForeignTables(nftables, settings, allocateMarks(settings.markMask));
    this.#routes = new RouteTable({ kernel, links, settings, clock });
    this.#neighbours = new NeighbourTable({ kernel, links, settings });
    this.#workloadLinks = new WorkloadLinks({ kernel, links, settings, clock });
  }

  /**
   * Opens the kernel of this machine, subscribes to its changes and lists its links.
   *
   * @throws {KernelError} not root, or a netlink family is missing
   * @throws {CalicoError} `ERR_CALI_DATAPLANE_MARK_MASK`
   */
  static async open(settings: DataplaneSettings, options: OpenOptions = {}): Promise<Dataplane> {
    const kernel = RealHostKernel.open(options.namespace);
    const nftables = KernelNftables.open({ namespace: kernel.namespace });
    const marks = allocateMarks(settings.markMask);
    const nftablesPortId = nftables.portId();
    const dataplane = new Dataplane(
      settings,
      {
        nftables,
        kernel,
        clock: options.clock ?? systemClock,
        watch: (listener) =>
          watchDrift({ namespace: kernel.namespace, routePortId: kernel.routePortId, nftablesPortId }, listener),
        // Its program runs in our own namespace and nowhere else.
        legacyIptables:
          options.namespace === undefined
            ? { inUse: legacyIptablesInUse, sync: () => syncLegacyIptables(settings, marks) }
            : { inUse: () => '', sync: () => Promise.resolve(0) },
        close: () => {
          nftables.close();
          kernel.close();
        },
      },
      options,
    );
    try {
      await dataplane.start();
    } catch (error) {
      await dataplane.close();
      throw error;
    }
    return dataplane;
  }

  /** Subscribes and lists the links. {@link open} has done it. */
  async start(): Promise<void> {
    this.#watch = this.#deps.watch({
      onRouteEvents: (events) => this.#onRouteEvents(events),
      onTablesChanged: (tables) => this.#onTablesChanged(tables),
    });
    this.#links.replaceAll(await this.#deps.kernel.listLinks(), this.#deps.clock.monotonicMs());
  }

  /**
   * Makes the kernel as wanted: rules first, then interfaces, routes and neighbours, so that a new workload has no way out before it is
   * judged. Calls queue up. The maps must not change until the promise settles.
   *
   * @param delta what changed since the last apply that resolved; without it everything is compared with the kernel
   * @throws {KernelError} the kernel refused the rules; it keeps the old ones. The next apply compares everything; if none comes, it is
   *   tried again after a while
   */
  async apply(wanted: DataplaneWanted, delta?: DataplaneDelta): Promise<ApplyReport> {
    return this.#exclusive(async () => {
      const isFirst = this.#wanted === undefined;
      const known = this.#isKnown ? delta : undefined;
      this.#isKnown = false;
      this.#wanted = wanted;
      this.#want(wanted, known);
      let writes: number;
      try {
        writes = await this.#rules.apply(
          { policy: wanted.policy, nat: wanted.routing.nat },
          known === undefined ? undefined : { policy: known.policy, nat: known.routing?.nat },
        );
        if (known === undefined) {
          await this.#readBack();
          writes += await this.#syncForeign();
        }
      } catch (error) {
        this.#damage.rules = this.#damage.foreign = this.#damage.routes = true;
        this.#schedule(true);
        throw error;
      }
      const host = isFirst ? configureHost(this.#deps.kernel, this.#settings) : { writes: 0, failures: [] };
      const outcome = await this.#programHost();
      this.#isKnown = true;
      const failures = [...host.failures, ...outcome.failures];
      this.#schedule(failures.length > 0);
      return { kernelWrites: writes + host.writes + outcome.kernelWrites, failures, endpoints: this.#updateStatus() };
    });
  }

  /** Says what is wanted beside rules; {@link #programHost} does it. */
  #want({ routing }: DataplaneWanted, delta: DataplaneDelta | undefined): void {
    if (delta !== undefined && delta.routing === undefined) return;
    this.#routes.want(routing.routes, delta?.routing?.routes);
    this.#neighbours.want(routing.neighbours, delta?.routing?.neighbours);
  }

  /** Stops watching; what the kernel holds stays. Waits for work in progress. Twice is fine. */
  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    this.#timer?.cancel();
    this.#watch?.close();
    await this.#queue;
    this.#deps.close();
  }

  async #readBack(): Promise<void> {
    const { kernel, clock } = this.#deps;
    for (const index of this.#links.replaceAll(await kernel.listLinks(), clock.monotonicMs())) this.#linkChanged(index);
    this.#workloadLinks.forget();
    await this.#routes.resync();
    await this.#neighbours.resync();
  }

  async #syncForeign(): Promise<number> {
    if (!this.#settings.manageForeignTables) return 0;
    this.#legacyInUse = this.#deps.legacyIptables.inUse();
    return (await this.#foreign.resync()) + (await this.#deps.legacyIptables.sync());
  }

  /** Sysctls, routes, neighbours: as far as links allow. */
  async #programHost(): Promise<HostOutcome> {
    const endpoints = this.#wanted?.policy.endpoints.values() ?? [];
    // One that names another interface, say the host's uplink, stays down: proxy ARP there would take over its network.
    const names = Array.from(endpoints, ({ interfaceName }) => interfaceName).filter((name) =>
      isWorkloadInterface(this.#settings, name),
    );
    const outcomes = [
      await this.#workloadLinks.configure(names),
      await this.#routes.flush(),
      await this.#neighbours.flush(),
    ];
    return {
      kernelWrites: outcomes.reduce((sum, { writes }) => sum + writes, 0),
      failures: outcomes.flatMap(({ failures }) => failures),
    };
  }

  #updateStatus(): ReadonlyMap<string, EndpointStatus> {
    const status = new Map<string, EndpointStatus>();
    const changed = new Map<string, EndpointStatus>();
    for (const [id, { interfaceName }] of this.#wanted?.policy.endpoints ?? []) {
      const link = this.#links.get(interfaceName);
      const isUp =
        link?.isRunning === true &&
        this.#workloadLinks.isConfigured(link.index) &&
        this.#routes.isComplete(interfaceName);
      const now = isUp ? 'up' : 'down';
      status.set(id, now);
      if (this.#status.get(id) !== now) changed.set(id, now);
    }
    this.#status = status;
    if (changed.size > 0) this.#observer.onEndpointStatus?.(changed);
    return status;
  }

  #linkChanged(index: number, name?: string): void {
    const known = name ?? this.#links.byIndex(index)?.name ?? '';
    this.#workloadLinks.linkChanged(index);
    this.#routes.linkChanged(known, index);
    this.#neighbours.linkChanged(known, index);
  }

  #onRouteEvents(events: readonly RouteEvent[]): void {
    let isTouched = false;
    for (const event of events) {
      if (event.kind === 'overrun') {
        this.#damage.routes = true;
        isTouched = true;
      } else if (event.kind === 'link') {
        isTouched = this.#onLink(event) || isTouched;
      } else if (event.kind === 'route' && this.#wanted !== undefined) {
        if (!this.#routes.routeChanged(event.change, event.route)) continue;
        this.#routeWasTouched = isTouched = true;
      }
    }
    if (isTouched) this.#queueRepair();
  }

  #onLink({ change, link }: Extract<RouteEvent, { kind: 'link' }>): boolean {
    if (change === 'deleted') {
      this.#links.drop(link);
    } else {
      const before = this.#links.put(link, this.#deps.clock.monotonicMs());
      const isSame = before?.name === link.name && before.isUp === link.isUp && before.isRunning === link.isRunning;
      if (isSame) return false;
      // Carrier alone changes what we report, not what the kernel holds.
      if (before?.name === link.name && before.isUp === link.isUp) return true;
    }
    this.#linkChanged(link.index, link.name);
    if (isWorkloadInterface(this.#settings, link.name)) return true;
    return this.#legacyAppeared() || this.#routes.uses(link.name);
  }

  /** Of rules in legacy iptables nobody is told. An engine that begins to write there makes its bridge in the same moment. */
  #legacyAppeared(): boolean {
    if (!this.#settings.manageForeignTables || this.#deps.legacyIptables.inUse() === this.#legacyInUse) return false;
    this.#damage.foreign = true;
    return true;
  }

  #onTablesChanged(tables: readonly TableId[] | undefined): void {
    const isAmong = (own: readonly TableId[]): boolean =>
      tables === undefined || tables.some((table) => own.some((id) => sameTable(id, table)));
    if (isAmong([CALICO_TABLE, ARP_TABLE])) this.#damage.rules = true;
    if (this.#settings.manageForeignTables && isAmong(IPTABLES_FILTER_TABLES)) this.#damage.foreign = true;
    if (this.#damage.rules || this.#damage.foreign) this.#queueRepair();
  }

  #queueRepair(): void {
    if (this.#repairQueued || this.#wanted === undefined || this.#closed) return;
    this.#repairQueued = true;
    this.#exclusive(() => this.#repair()).catch((error: unknown) => this.#repairFailed(error));
  }

  async #repair(): Promise<void> {
    this.#repairQueued = false;
    const damage = { ...this.#damage };
    this.#damage.rules = this.#damage.foreign = this.#damage.routes = false;
    const isHostDamaged = damage.routes || this.#routeWasTouched;
    this.#routeWasTouched = false;
    let writes = 0;
    let outcome: HostOutcome;
    try {
      if (damage.rules) writes += await this.#rules.resync();
      if (damage.foreign) writes += await this.#syncForeign();
      if (damage.routes) await this.#readBack();
      outcome = await this.#programHost();
    } catch (error) {
      this.#damage.rules ||= damage.rules;
      this.#damage.foreign ||= damage.foreign;
      // How far routes and neighbours came is not known.
      this.#damage.routes = true;
      throw error;
    }
    this.#updateStatus();
    for (const failure of outcome.failures) this.#observer.onFailure?.(failure);
    const cause = writes > 0 || isHostDamaged ? 'damage' : 'link';
    writes += outcome.kernelWrites;
    if (writes > 0) this.#observer.onRepair?.(writes, cause);
    this.#schedule(outcome.failures.length > 0);
  }

  #repairFailed(error: unknown): void {
    this.#schedule(true);
    if (error instanceof CalicoError && this.#observer.onFailure !== undefined) this.#observer.onFailure(error);
    else throw error;
  }

  /** Wakes up for what has to wait: failed work, routes in their grace. */
  #schedule(hasFailures: boolean): void {
    this.#timer?.cancel();
    this.#timer = undefined;
    if (this.#closed) return;
    const due = this.#routes.nextDueMs();
    const grace = due === undefined ? Infinity : Math.max(0, due - this.#deps.clock.monotonicMs());
    const delay = Math.min(grace, hasFailures ? RETRY_MS : Infinity);
    if (delay !== Infinity) this.#timer = this.#deps.clock.setTimer(delay, () => this.#queueRepair());
  }

  #exclusive<T>(work: () => Promise<T>): Promise<T> {
    const result = this.#queue.then(work);
    // The queue goes on whatever became of this one; its own caller hears of it.
    this.#queue = result.then(
      () => undefined,
      () => undefined,
    );
    return result;
  }
}
