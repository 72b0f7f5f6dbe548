import type { BGPPeer } from '../api/kinds/bgp-peer.js';
import type { Node } from '../api/kinds/node.js';
import type { WorkloadEndpoint } from '../api/kinds/workload-endpoint.js';
import type { ResourceKey, ResourceUpdate } from '../api/resource-update.js';
import type {
  BgpPlan,
  HostRouting,
  HostRoutingDelta,
  MapDelta,
  NatPlan,
  NeighbourPlan,
  RoutePlan,
} from '../plan/host-plan.js';
import { sameValue } from '../plan/same-value.js';
import { planPeers } from './bgp-peers.js';
import { BgpSettings } from './bgp-settings.js';
import { routerId, type Speaker, speakerOf } from './bgp-speakers.js';
import { BlockRoutes } from './block-routes.js';
import { canonicalPrefix } from './canonical-prefix.js';
import { Pools } from './pools.js';
import { present } from './present.js';
import { WorkloadRoutes } from './workload-routes.js';

/** RTPROT_BOOT of include/uapi/linux/rtnetlink.h. */
const DEFAULT_DEVICE_ROUTE_PROTOCOL = 3;
/** Ours by custom, in no header: whoever reads routes back knows them by it. */
const CLUSTER_ROUTE_PROTOCOL = 80;
const DEFAULT_ROUTE_METRIC = 1024;

export interface RoutingMachineOptions {
  /** The name of this host's Node: endpoints with this `spec.node` are local. */
  readonly hostname: string;
  /** Dotted quad, or `hash` for one made from the host's name; else the host's IPv4 address. */
  readonly routerId?: string;
}

/** Parameters of the agent that routes follow from. */
export interface RouteParameters {
  /** rtnetlink protocol of workload routes, 3 (boot) unless told; another one is that of block routes too. */
  readonly deviceRouteProtocol: number;
  /** Metric of every route, by family; default 1024. */
  readonly ipv4Metric: number;
  readonly ipv6Metric: number;
}

export interface RoutingFlush {
  readonly routing: HostRoutingDelta;
  /** Only when it changed; present and undefined when this host no longer speaks BGP. */
  readonly bgp?: BgpPlan | undefined;
}

interface Delta<V> extends MapDelta<V> {
  readonly set: Map<string, V>;
  readonly removed: Set<string>;
}

/**
 * Turns what the datastore holds into what this host must route and tell its BGP peers, incrementally.
 *
 * Pure: no clock, no socket, no log. The plan depends only on the resources, not on the order in which they came. Apply updates as they
 * arrive, flush when it suits (not before the datastore is in sync, or the plan is that of half a datastore).
 *
 * Cost: an endpoint or a block, its own routes, whatever the size of the cluster; a Node, a pool, an affinity of this host or anything else
 * that BGP follows from, one look at every Node (3 ms for 1,000 of them).
 */
export class RoutingMachine {
  readonly #options: RoutingMachineOptions;
  #parameters: RouteParameters = {
    deviceRouteProtocol: DEFAULT_DEVICE_ROUTE_PROTOCOL,
    ipv4Metric: DEFAULT_ROUTE_METRIC,
    ipv6Metric: DEFAULT_ROUTE_METRIC,
  };
  readonly #routes = new Map<string, RoutePlan>();
  readonly #neighbours = new Map<string, NeighbourPlan>();
  #nat: NatPlan = { masqueradedPools: [], allPools: [] };
  #bgp: BgpPlan | undefined;

  readonly #touched = new Set<string>();
  readonly #workloads = new WorkloadRoutes((destination) => this.#touched.add(destination));
  readonly #blocks: BlockRoutes;
  readonly #pools = new Pools();
  readonly #settings = new BgpSettings();
  readonly #speakers = new Map<string, Speaker>();
  readonly #peers = new Map<string, BGPPeer>();
  /** By destination: the key of its neighbour in the plan. */
  readonly #neighbourOf = new Map<string, string>();
  #peerProblems: ReadonlyMap<string, readonly string[]> = new Map();
  #isNatDirty = false;
  #isBgpDirty = false;

  constructor(options: RoutingMachineOptions) {
    this.#options = options;
    this.#blocks = new BlockRoutes(options.hostname, (destination) => this.#touched.add(destination));
  }

  /** Takes other parameters; the next flush has what follows from them. */
  configure(parameters: RouteParameters): void {
    if (sameValue(parameters, this.#parameters)) return;
    this.#parameters = parameters;
    for (const destination of this.#routes.keys()) this.#touched.add(destination);
  }

  /** The plan as of the last flush. Its maps are live views: read them, do not keep them. */
  get state(): HostRouting {
    return { routes: this.#routes, neighbours: this.#neighbours, nat: this.#nat };
  }

  /** What BIRD must be told, as of the last flush; undefined where this host speaks no BGP: its Node has no BGP address. */
  get bgp(): BgpPlan | undefined {
    return this.#bgp;
  }

  /** By `<kind> <name>`, what could not be done as it was asked; of BGPPeers, as of the last flush. */
  get problems(): ReadonlyMap<string, readonly string[]> {
    return new Map([...this.#pools.problems, ...this.#settings.problems, ...this.#peerProblems]);
  }

  /** Takes updates in; kinds that say nothing about routing are ignored. */
  apply(updates: readonly ResourceUpdate[]): void {
    for (const update of updates) this.#applyOne(update);
  }

  /** What changed since the last flush; only the last state counts, whatever lay between. */
  flush(): RoutingFlush {
    const routing = this.#flushRouting();
    if (!this.#isBgpDirty) return { routing };
    this.#isBgpDirty = false;
    const bgp = this.#planBgp();
    if (sameValue(bgp, this.#bgp)) return { routing };
    this.#bgp = bgp;
    return { routing, bgp };
  }

  #applyOne(update: ResourceUpdate): void {
    const { name } = update.key;
    switch (update.kind) {
      case 'WorkloadEndpoint':
        return this.#setWorkload(update.key, update.value);
      case 'IPAMBlock':
        return this.#blocks.setBlock(name, update.value);
      case 'BlockAffinity':
        if (this.#blocks.setAffinity(name, update.value)) this.#isBgpDirty = true;
        return undefined;
      case 'IPPool':
        this.#isNatDirty = true;
        this.#isBgpDirty = true;
        return this.#pools.set(name, update.value);
      case 'Node':
        return this.#setNode(name, update.value);
      case 'BGPConfiguration':
        this.#isBgpDirty = true;
        return this.#settings.set(name, update.value);
      case 'BGPPeer':
        this.#isBgpDirty = true;
        if (update.value === undefined) this.#peers.delete(name);
        else this.#peers.set(name, update.value);
        return undefined;
      default:
        return undefined;
    }
  }

  #setWorkload(key: ResourceKey, resource: WorkloadEndpoint | undefined): void {
    const id = `${key.namespace ?? ''}/${key.name}`;
    // An endpoint that may forge its source is refused as long as the host does not allow that, here as in policy.
    const isLocal =
      resource?.spec.node === this.#options.hostname && (resource.spec.allowSpoofedSourcePrefixes ?? []).length === 0;
    if (resource === undefined || !isLocal) return this.#workloads.remove(id);
    const { interfaceName, mac, ipNetworks = [] } = resource.spec;
    const addresses = ipNetworks.map(canonicalPrefix).filter((prefix) => prefix !== undefined);
    return this.#workloads.set({ id, interfaceName, mac, addresses });
  }

  #setNode(name: string, node: Node | undefined): void {
    const speaker = node === undefined ? undefined : speakerOf(node);
    if (sameValue(this.#speakers.get(name), speaker)) return;
    if (speaker === undefined) this.#speakers.delete(name);
    else this.#speakers.set(name, speaker);
    this.#isBgpDirty = true;
  }

  #flushRouting(): HostRoutingDelta {
    const routes: Delta<RoutePlan> = { set: new Map(), removed: new Set() };
    const neighbours: Delta<NeighbourPlan> = { set: new Map(), removed: new Set() };
    for (const destination of this.#touched) {
      const hop = this.#workloads.hop(destination);
      const isBlackhole = hop === undefined && this.#blocks.isOwn(destination);
      const route =
        hop === undefined
          ? isBlackhole
            ? this.#blockRoute(destination)
            : undefined
          : this.#workloadRoute(destination, hop.device);
      settle(this.#routes, routes, destination, route);
      this.#settleNeighbour(neighbours, destination, hop?.neighbour);
    }
    this.#touched.clear();
    if (!this.#isNatDirty) return { routes, neighbours };
    this.#isNatDirty = false;
    const { nat } = this.#pools;
    if (sameValue(nat, this.#nat)) return { routes, neighbours };
    this.#nat = nat;
    return { routes, neighbours, nat };
  }

  #workloadRoute(destination: string, device: string): RoutePlan {
    const { deviceRouteProtocol: protocol } = this.#parameters;
    return { destination, type: 'unicast', device, scope: 'link', protocol, metric: this.#metricOf(destination) };
  }

  #blockRoute(destination: string): RoutePlan {
    const { deviceRouteProtocol } = this.#parameters;
    const isUsual = deviceRouteProtocol === DEFAULT_DEVICE_ROUTE_PROTOCOL;
    const protocol = isUsual ? CLUSTER_ROUTE_PROTOCOL : deviceRouteProtocol;
    return { destination, type: 'blackhole', scope: 'global', protocol, metric: this.#metricOf(destination) };
  }

  #metricOf(destination: string): number {
    return destination.includes(':') ? this.#parameters.ipv6Metric : this.#parameters.ipv4Metric;
  }

  #settleNeighbour(delta: Delta<NeighbourPlan>, destination: string, neighbour: NeighbourPlan | undefined): void {
    const before = this.#neighbourOf.get(destination);
    const key = neighbour === undefined ? undefined : `${neighbour.address} ${neighbour.device}`;
    if (before !== undefined && before !== key) settle(this.#neighbours, delta, before, undefined);
    if (key === undefined) {
      this.#neighbourOf.delete(destination);
      return;
    }
    this.#neighbourOf.set(destination, key);
    settle(this.#neighbours, delta, key, neighbour);
  }

  #planBgp(): BgpPlan | undefined {
    const { hostname } = this.#options;
    const self = this.#speakers.get(hostname);
    if (self === undefined || (self.ipv4 === undefined && self.ipv6 === undefined)) {
      this.#peerProblems = new Map();
      return undefined;
    }
    const settings = this.#settings;
    const facts = { self, speakers: this.#speakers, settings, resources: this.#peers };
    const { peers, problems } = planPeers(facts);
    this.#peerProblems = problems;
    return present({
      routerId: routerId(self, this.#options.routerId),
      asNumber: self.asNumber ?? settings.asNumber,
      ipv4: self.ipv4,
      ipv6: self.ipv6,
      listenPort: settings.listenPort(hostname),
      bindsToOwnAddress: settings.bindsToOwnAddress,
      ignoredInterfaces: settings.ignoredInterfaces,
      communities: settings.communities(hostname),
      debug: settings.debug(hostname),
      peers,
      blocks: this.#blocks.confirmed,
      pools: this.#pools.bgp,
    });
  }
}

/** Brings one entry of a plan up to date and notes it in the delta, if it changed. */
function settle<V>(plan: Map<string, V>, delta: Delta<V>, key: string, value: V | undefined): void {
  if (value === undefined) {
    if (plan.delete(key)) delta.removed.add(key);
  } else if (!sameValue(plan.get(key), value)) {
    plan.set(key, value);
    delta.set.set(key, value);
  }
}
