import type {
  EndpointPlan,
  HostPolicy,
  HostPolicyDelta,
  HostRouting,
  IpSetPlan,
  MatchPlan,
  PolicyPlan,
  RulePlan,
} from '../plan/host-plan.js';

/** Plans for tests, written with only what matters. */

const ANYTHING: MatchPlan = {
  nets: [],
  notNets: [],
  sets: [],
  notSets: [],
  ports: [],
  notPorts: [],
  portSets: [],
  notPortSets: [],
};

/** One side of a rule. */
export function match(fields: Partial<MatchPlan> = {}): MatchPlan {
  return { ...ANYTHING, ...fields };
}

type RuleFields = Partial<Omit<RulePlan, 'source' | 'destination'>> & {
  readonly source?: Partial<MatchPlan>;
  readonly destination?: Partial<MatchPlan>;
};

/** A rule; without fields it allows everything. */
export function rulePlan(fields: RuleFields = {}): RulePlan {
  return {
    action: 'allow',
    families: [4, 6],
    index: 0,
    ...fields,
    source: match(fields.source),
    destination: match(fields.destination),
  };
}

/** A policy; its rules are numbered. */
export function policyPlan(
  id: string,
  rules: { ingress?: readonly RulePlan[]; egress?: readonly RulePlan[] },
): PolicyPlan {
  const numbered = (list: readonly RulePlan[] = []): RulePlan[] => list.map((rule, index) => ({ ...rule, index }));
  return { id, ingress: numbered(rules.ingress), egress: numbered(rules.egress) };
}

/** An endpoint; the interface is the last part of the id. */
export function endpointPlan(id: string, fields: Partial<EndpointPlan> = {}): EndpointPlan {
  const interfaceName = `cali${id.slice(id.indexOf('/') + 1)}`;
  return { id, interfaceName, addresses: [], tiers: [], profiles: [], ...fields };
}

export function netSet(id: string, members: readonly string[], description = id): IpSetPlan {
  return { id, type: 'net', description, members: new Set(members) };
}

export function portSet(id: string, members: readonly string[], description = id): IpSetPlan {
  return { id, type: 'port', description, members: new Set(members) };
}

/** A whole plan from its parts. */
export function hostPolicy(parts: {
  readonly ipSets?: readonly IpSetPlan[];
  readonly policies?: readonly PolicyPlan[];
  readonly endpoints?: readonly EndpointPlan[];
}): HostPolicy {
  const byId = <T extends { readonly id: string }>(list: readonly T[] = []): ReadonlyMap<string, T> =>
    new Map(list.map((item) => [item.id, item]));
  return { ipSets: byId(parts.ipSets), policies: byId(parts.policies), endpoints: byId(parts.endpoints) };
}

export const EMPTY_ROUTING: HostRouting = {
  routes: new Map(),
  neighbours: new Map(),
  nat: { masqueradedPools: [], allPools: [] },
};

/** What leads from one plan to another, as the policy machine says it. */
export function policyDelta(from: HostPolicy, to: HostPolicy): HostPolicyDelta {
  const changed = <T>(
    a: ReadonlyMap<string, T>,
    b: ReadonlyMap<string, T>,
  ): { set: Map<string, T>; removed: Set<string> } => ({
    set: new Map([...b].filter(([id, value]) => JSON.stringify(a.get(id)) !== JSON.stringify(value))),
    removed: new Set([...a.keys()].filter((id) => !b.has(id))),
  });
  const common = [...to.ipSets].filter(([id]) => from.ipSets.has(id));
  const members = common.map(([id, { members: now }]) => {
    const before = from.ipSets.get(id)?.members ?? new Set<string>();
    const added = [...now].filter((member) => !before.has(member));
    return [id, { added, removed: [...before].filter((member) => !now.has(member)) }] as const;
  });
  return {
    ipSets: {
      set: new Map([...to.ipSets].filter(([id]) => !from.ipSets.has(id))),
      removed: new Set([...from.ipSets.keys()].filter((id) => !to.ipSets.has(id))),
    },
    members: new Map(members.filter(([, { added, removed }]) => added.length + removed.length > 0)),
    policies: changed(from.policies, to.policies),
    endpoints: changed(from.endpoints, to.endpoints),
  };
}
