import type { ClusterInformation } from '../api/kinds/cluster-information.js';
import type { FelixSource } from '../api/felix-sources.js';
import type { FelixValues } from '../api/felix-parameters.js';
import type { Kind } from '../api/registry.js';
import type { ResourceUpdate } from '../api/resource-update.js';
import { type Clock, systemClock, TimeSlice } from '../base/clock.js';
import { type CalicoError, UnavailableError } from '../base/errors.js';
import type { Random } from '../base/retry.js';
import { type ApplyReport, Dataplane, type DataplaneDelta, type DataplaneObserver } from '../dataplane/dataplane.js';
import type { DataplaneSettings } from '../dataplane/settings.js';
import type { Datastore } from '../datastore/datastore.js';
import { isLaterRevision } from '../datastore/snapshot.js';
import { Syncer, type SyncerEvent } from '../datastore/syncer.js';
import type { SyncerStatus } from '../datastore/syncer-states.js';
import type { BgpPlan } from '../plan/host-plan.js';
import { sameValue } from '../plan/same-value.js';
import { PolicyMachine } from '../policy/machine.js';
import { RoutingMachine } from '../routing/machine.js';
import { ConfigSources, dataplaneSettings } from './config-sources.js';
import { ProgrammingLoop } from './programming-loop.js';
import { StatusReports } from './status-reports.js';

/** What the agent listens to. Pools and nodes before endpoints: routes then come in one piece. */
export const AGENT_KINDS: readonly Kind[] = [
  'ClusterInformation',
  'FelixConfiguration',
  'Node',
  'IPPool',
  'BGPConfiguration',
  'BGPPeer',
  'BlockAffinity',
  'IPAMBlock',
  'Tier',
  'Profile',
  'NetworkSet',
  'GlobalNetworkSet',
  'GlobalNetworkPolicy',
  'NetworkPolicy',
  'WorkloadEndpoint',
];

/** What the agent tells whoever started it. Nothing here may throw. */
export interface AgentObserver extends DataplaneObserver {
  onDatastore?(status: SyncerStatus, reason: CalicoError | undefined): void;
  /** The parameters in force; at start and at each change. */
  onParameters?(values: FelixValues, problems: readonly string[]): void;
  onProgrammed?(report: ApplyReport, tookMs: number): void;
  onProgrammingFailed?(error: CalicoError, nextTryMs: number): void;
  /** What BIRD must be told; undefined: nothing any more. */
  onBgpPlan?(plan: BgpPlan | undefined): void;
}

/** As much of the dataplane as the agent needs. */
export type AgentDataplane = Pick<Dataplane, 'apply' | 'close'>;

export interface AgentOptions {
  /** Name of the Node resource that is this host. */
  readonly hostname: string;
  readonly datastore: Datastore;
  /** Parameters from environment and file. */
  readonly local: readonly FelixSource[];
  /** BIRD's router id: a dotted quad, or `hash`; else the host's IPv4 address. */
  readonly routerId?: string;
  readonly observer?: AgentObserver;
  readonly openDataplane?: (settings: DataplaneSettings, observer: DataplaneObserver) => Promise<AgentDataplane>;
  readonly clock?: Clock;
  readonly random?: Random;
}

const LOCKED = 'the datastore is locked (datastoreReady is false); this host goes on enforcing what it has';
const UNLOCK = 'finish what it was locked for, then: calicoctl datastore migrate unlock';

const EMPTIED =
  'the datastore was emptied or replaced: its ClusterInformation is gone; this host goes on enforcing what it has';
const REFILL = 'restore etcd from a backup; or, to begin anew from what is there now, start calico-node again';

/** How much of the first plan is computed between two looks at the clock. */
const ADVANCE_ITEMS = 500;
const TURN_MS = 10;
/** How many objects of the first list are taken in between two looks at the clock. */
const LOAD_UPDATES = 100;

/**
 * The agent of one host: follows the datastore, keeps the kernel in line with it. Writes nothing before the datastore was read whole;
 * from then on what the kernel holds stays until something newer is known, whatever becomes of the datastore or of the agent itself.
 */
export class Agent {
  readonly #options: AgentOptions;
  readonly #observer: AgentObserver;
  readonly #clock: Clock;
  readonly #config: ConfigSources;
  readonly #policy: PolicyMachine;
  readonly #loop: ProgrammingLoop;
  readonly #routing: RoutingMachine;
  readonly #reports: StatusReports;
  #settings: DataplaneSettings | undefined;
  #openedWith: DataplaneSettings | undefined;
  #dataplane: AgentDataplane | undefined;
  #isInSync = false;
  #held: CalicoError | undefined;
  #isFirstPlan = true;
  readonly #loading: TimeSlice;
  #revision = '0';

  constructor(options: AgentOptions) {
    this.#options = options;
    this.#observer = options.observer ?? {};
    this.#clock = options.clock ?? systemClock;
    this.#loading = new TimeSlice(this.#clock, TURN_MS);
    this.#config = new ConfigSources(options);
    this.#policy = new PolicyMachine(options);
    this.#routing = new RoutingMachine(options);
    const random = options.random ?? Math.random;
    this.#loop = new ProgrammingLoop({
      program: (whole) => this.#program(whole),
      onFailure: (error, nextTryMs) => {
        this.#reports.failed(this.#policy.state.endpoints);
        this.#observer.onProgrammingFailed?.(error, nextTryMs);
      },
      clock: this.#clock,
      random,
    });
    this.#reports = new StatusReports({
      ...options,
      clock: this.#clock,
      random,
      onFailure: (error) => this.#observer.onFailure?.(error),
    });
  }

  /** The newest change of the datastore that was taken in. */
  get revision(): string {
    return this.#revision;
  }

  /** Why nothing new is programmed although the datastore answers; undefined when it is. */
  get held(): CalicoError | undefined {
    return this.#held;
  }

  /** What policy or routing could not make sense of, by what it concerns. */
  get problems(): ReadonlyMap<string, readonly string[]> {
    return new Map([...this.#policy.problems, ...this.#routing.problems]);
  }

  /**
   * Until the signal aborts; the kernel then stays as it is. What the kernel refuses, and that it cannot be opened, goes to
   * `onProgrammingFailed` and is tried again; throws only for bugs.
   */
  async run(signal: AbortSignal): Promise<void> {
    const stop = new AbortController();
    const ended = AbortSignal.any([signal, stop.signal]);
    const all = [this.#follow(ended), this.#loop.run(ended), this.#reports.run(ended)];
    try {
      await Promise.race(all);
    } finally {
      stop.abort();
      await Promise.allSettled(all);
      await this.#dataplane?.close();
    }
    await Promise.all(all);
  }

  async #follow(signal: AbortSignal): Promise<void> {
    const { datastore } = this.#options;
    const syncer = new Syncer({ datastore, kinds: AGENT_KINDS, clock: this.#clock });
    for await (const event of syncer.run(signal)) await this.#take(event);
  }

  async #take(event: SyncerEvent): Promise<void> {
    if (event.type === 'updates') {
      if (this.#isInSync) this.#apply(event.updates);
      else await this.#load(event.updates);
    } else {
      this.#isInSync ||= event.status === 'in-sync';
      this.#observer.onDatastore?.(event.status, event.reason);
    }
    if (this.#isInSync && this.#held === undefined) this.#loop.wake();
  }

  /** Nothing is programmed from what is half loaded, so it may be taken in piece by piece. */
  async #load(updates: readonly ResourceUpdate[]): Promise<void> {
    for (let from = 0; from < updates.length; from += LOAD_UPDATES) {
      this.#apply(updates.slice(from, from + LOAD_UPDATES));
      await this.#loading.pause();
    }
  }

  #apply(updates: readonly ResourceUpdate[]): void {
    this.#policy.apply(updates);
    this.#routing.apply(updates);
    this.#reports.apply(updates);
    if (this.#config.apply(updates)) this.#settings = undefined;
    for (const update of updates) if (update.kind === 'ClusterInformation') this.#lock(update.value);
    for (const { revision } of updates) if (isLaterRevision(revision, this.#revision)) this.#revision = revision;
  }

  /**
   * A store that somebody migrates is half of one: nothing is programmed from it until it is said to be ready again. Nor from one that
   * lost what every cluster has, which was emptied or replaced: an etcd wiped by accident takes no host's rules with it.
   */
  #lock(information: ClusterInformation | undefined): void {
    const isLocked = information === undefined || information.spec.datastoreReady === false;
    if (isLocked === (this.#held !== undefined)) return;
    const [why, hint] = information === undefined ? [EMPTIED, REFILL] : [LOCKED, UNLOCK];
    this.#held = isLocked ? new UnavailableError('ERR_CALI_FELIX_LOCKED', why, { hint }) : undefined;
    this.#observer.onDatastore?.(this.#isInSync ? 'in-sync' : 'listing', this.#held);
  }

  async #program(whole: boolean): Promise<void> {
    const begunMs = this.#clock.monotonicMs();
    const isReopened = await this.#ensureDataplane();
    if (this.#isFirstPlan) await this.#advance();
    const policy = this.#policy.flush();
    const { routing, ...said } = this.#routing.flush();
    const delta: DataplaneDelta | undefined =
      whole || isReopened || this.#isFirstPlan ? undefined : { policy, routing };
    this.#isFirstPlan = false;
    if ('bgp' in said) this.#observer.onBgpPlan?.(said.bgp);
    const wanted = { policy: this.#policy.state, routing: this.#routing.state };
    const report = await this.#open().apply(wanted, delta);
    for (const failure of report.failures) this.#observer.onFailure?.(failure);
    this.#reports.programmed(report.endpoints, this.#policy.state.endpoints);
    this.#observer.onProgrammed?.(report, this.#clock.monotonicMs() - begunMs);
  }

  #open(): AgentDataplane {
    if (this.#dataplane === undefined) throw new Error('the dataplane is opened before it is used');
    return this.#dataplane;
  }

  /** The first plan is that of the whole datastore: computed piece by piece. */
  async #advance(): Promise<void> {
    const slice = new TimeSlice(this.#clock, TURN_MS);
    while (!this.#policy.advance(ADVANCE_ITEMS)) await slice.pause();
  }

  /** Opens the dataplane at first and again when a parameter changed that it is told only once. True when it did. */
  async #ensureDataplane(): Promise<boolean> {
    if (this.#settings !== undefined) return false;
    const { values, set, problems } = this.#config.resolve();
    this.#observer.onParameters?.(
      values,
      problems.map(({ message }) => message),
    );
    this.#reports.configure(values);
    this.#routing.configure({
      deviceRouteProtocol: values.deviceRouteProtocol,
      ipv4Metric: values.ipv4NormalRoutePriority,
      ipv6Metric: values.ipv6NormalRoutePriority,
    });
    const settings = dataplaneSettings(values, set);
    const isSame = this.#dataplane !== undefined && sameValue(settings, this.#openedWith);
    this.#settings = settings;
    if (isSame) return false;
    try {
      await this.#reopen(settings);
    } catch (error) {
      // The next round begins here again.
      this.#settings = undefined;
      throw error;
    }
    return true;
  }

  async #reopen(settings: DataplaneSettings): Promise<void> {
    const before = this.#dataplane;
    this.#dataplane = undefined;
    await before?.close();
    const open = this.#options.openDataplane ?? ((wanted, observer) => Dataplane.open(wanted, observer));
    const observer = this.#observer;
    this.#dataplane = await open(settings, {
      onEndpointStatus: (changed) => {
        this.#reports.changed(changed);
        observer.onEndpointStatus?.(changed);
      },
      onRepair: (kernelWrites, cause) => observer.onRepair?.(kernelWrites, cause),
      onFailure: (error) => observer.onFailure?.(error),
    });
    this.#openedWith = settings;
  }
}
