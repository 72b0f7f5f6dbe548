/**
 * The types between deciding and programming: what this host must enforce and route. Policy and routing say it, the dataplane
 * does it. Addresses and prefixes are canonical text (`192.0.2.7/32`, `2001:db8::/64`): cheap to compare, print and test.
 */

/** A set of values that changed since the last flush. `set` holds new and changed entries whole. */
export interface MapDelta<V> {
  readonly set: ReadonlyMap<string, V>;
  readonly removed: ReadonlySet<string>;
}

// ---------------------------------------------------------------------------------------------------------------- policy

/**
 * `net`: members are prefixes (`192.0.2.7/32`), all families mixed. `port`: members are `192.0.2.7,tcp:80` for named ports;
 * the protocol is `tcp`, `udp` or `sctp`.
 */
export type IpSetType = 'net' | 'port';

export interface IpSetPlan {
  /** `s:` + hash for selectors, `n:` + hash for named ports. */
  readonly id: string;
  readonly type: IpSetType;
  /** What people would call it: the canonical selector text. Goes into comments. */
  readonly description: string;
  readonly members: ReadonlySet<string>;
}

export interface IpSetMemberDelta {
  readonly added: readonly string[];
  readonly removed: readonly string[];
}

/** Inclusive at both ends; a single port has first = last. */
export interface PortRange {
  readonly first: number;
  readonly last: number;
}

export interface IcmpMatch {
  readonly type: number;
  readonly code?: number;
}

/** One side of a rule. Fields AND together, entries of a list OR together; a `not` field negates the OR. */
export interface MatchPlan {
  /** Prefixes; already reduced to the families in which the rule is emitted. */
  readonly nets: readonly string[];
  readonly notNets: readonly string[];
  /** Ids of `net` sets: the address must be in each. */
  readonly sets: readonly string[];
  /** Ids of `net` sets: the address must be in none. */
  readonly notSets: readonly string[];
  readonly ports: readonly PortRange[];
  readonly notPorts: readonly PortRange[];
  /** Ids of `port` sets; OR with `ports`. */
  readonly portSets: readonly string[];
  readonly notPortSets: readonly string[];
}

export type RuleAction = 'allow' | 'deny' | 'log' | 'pass';

export interface RulePlan {
  readonly action: RuleAction;
  /** The families in which the rule exists; never empty (a rule that can match in no family is left out). */
  readonly families: readonly (4 | 6)[];
  /** IANA protocol number. */
  readonly protocol?: number;
  readonly notProtocol?: number;
  readonly icmp?: IcmpMatch;
  readonly notIcmp?: IcmpMatch;
  readonly source: MatchPlan;
  readonly destination: MatchPlan;
  /** Index in the resource's own list, from 0: for comments and counters. */
  readonly index: number;
}

export interface PolicyPlan {
  /**
   * As comments show it: `np shop/web`, `gnp deny-all`, `pro net1`. Unique among policies and profiles.
   * A profile that is referenced but missing is here with empty lists (so it allows nothing).
   */
  readonly id: string;
  readonly ingress: readonly RulePlan[];
  readonly egress: readonly RulePlan[];
}

export interface TierPlan {
  readonly name: string;
  /** Policy ids in evaluation order; empty when no policy of the tier applies in that direction (then no end-of-tier action). */
  readonly ingress: readonly string[];
  readonly egress: readonly string[];
  readonly defaultAction: 'deny' | 'pass';
}

/** A workload endpoint of this host. Direction is the workload's: ingress is what leaves the host into its interface. */
export interface EndpointPlan {
  /** `<namespace>/<name>` of the WorkloadEndpoint. */
  readonly id: string;
  readonly interfaceName: string;
  readonly mac?: string;
  /** /32 and /128 prefixes. */
  readonly addresses: readonly string[];
  /** Only tiers with at least one policy that selects the endpoint. */
  readonly tiers: readonly TierPlan[];
  /** Policy ids (`pro net1`) in order. */
  readonly profiles: readonly string[];
}

/** Everything policy says about this host. The maps are live views of the machine's state: read them, do not keep them. */
export interface HostPolicy {
  readonly ipSets: ReadonlyMap<string, IpSetPlan>;
  readonly policies: ReadonlyMap<string, PolicyPlan>;
  readonly endpoints: ReadonlyMap<string, EndpointPlan>;
}

export interface HostPolicyDelta {
  /** Sets that are new (whole, with members) or gone. A set that only changed members is in `members` alone. */
  readonly ipSets: MapDelta<IpSetPlan>;
  readonly members: ReadonlyMap<string, IpSetMemberDelta>;
  readonly policies: MapDelta<PolicyPlan>;
  readonly endpoints: MapDelta<EndpointPlan>;
}

// --------------------------------------------------------------------------------------------------------------- routing

/** One kernel route. Key in maps: its destination. */
export interface RoutePlan {
  readonly destination: string;
  readonly type: 'unicast' | 'blackhole';
  /** Interface name; only for unicast. */
  readonly device?: string;
  readonly gateway?: string;
  readonly scope: 'link' | 'global';
  /** rtnetlink protocol number: 3 (boot) for workloads, 80 for blocks. */
  readonly protocol: number;
  readonly metric: number;
}

/** A permanent neighbour entry (IPv4 only). Key in maps: `<address> <device>`. */
export interface NeighbourPlan {
  readonly address: string;
  readonly device: string;
  readonly mac: string;
}

export interface NatPlan {
  /** Pools with natOutgoing: sources to masquerade. */
  readonly masqueradedPools: readonly string[];
  /** All pools, disabled ones too: destinations that are never masqueraded. */
  readonly allPools: readonly string[];
}

export interface HostRouting {
  readonly routes: ReadonlyMap<string, RoutePlan>;
  readonly neighbours: ReadonlyMap<string, NeighbourPlan>;
  readonly nat: NatPlan;
}

export interface HostRoutingDelta {
  readonly routes: MapDelta<RoutePlan>;
  readonly neighbours: MapDelta<NeighbourPlan>;
  /** Present when it changed. */
  readonly nat?: NatPlan;
}

// ------------------------------------------------------------------------------------------------------------------- BGP

export interface BgpPeerPlan {
  /** BIRD protocol name: `Mesh_192_0_2_2`, `Global_…`, `Node_…`. */
  readonly name: string;
  readonly address: string;
  readonly port?: number;
  readonly localAsNumber: number;
  readonly asNumber: number;
  /** Our end; absent when the peer asks for none. */
  readonly sourceAddress?: string;
  readonly passive: boolean;
  readonly password?: string;
  readonly nextHop: 'auto' | 'self' | 'keep';
  readonly routeReflectorClusterId?: string;
  readonly ttlSecurityHops?: number;
  readonly maxRestartTimeSeconds?: number;
  readonly keepaliveTimeSeconds?: number;
  /** How often our own AS may stand in a path from this peer. */
  readonly allowedLocalAsNumbers?: number;
  /** A gateway through which the peer's address is reached by a static route. */
  readonly reachableBy?: string;
}

export interface BgpPoolPlan {
  readonly cidr: string;
  readonly export: boolean;
  /**
   * `none`: BIRD programs the routes to other hosts' blocks. `cross-subnet`: only those to next hops in this host's own subnet.
   * `always`: none of them, they go through a tunnel, which is not BIRD's.
   */
  readonly encapsulation: 'none' | 'cross-subnet' | 'always';
}

/** What BIRD must be told; undefined where this host speaks no BGP. */
export interface BgpPlan {
  /** Dotted quad. */
  readonly routerId: string;
  readonly asNumber: number;
  /** Bare address and its subnet, as on the uplink. */
  readonly ipv4?: { readonly address: string; readonly subnet: string };
  readonly ipv6?: { readonly address: string; readonly subnet: string };
  readonly listenPort?: number;
  /** True: calls are taken at our ends' own addresses only, else at every address of the host. */
  readonly bindsToOwnAddress?: boolean;
  /** Patterns of interfaces whose networks BIRD does not look at. */
  readonly ignoredInterfaces?: readonly string[];
  /** What is announced within a prefix carries its communities, `aa:nn` or, large ones, `aa:nn:mm`. */
  readonly communities?: readonly { readonly cidr: string; readonly values: readonly string[] }[];
  readonly debug: 'none' | 'states' | 'all';
  /** Sorted by name. */
  readonly peers: readonly BgpPeerPlan[];
  /** Blocks of this host in state confirmed, sorted: announced whole, their inside is not. */
  readonly blocks: readonly string[];
  /** Sorted by CIDR. */
  readonly pools: readonly BgpPoolPlan[];
}
