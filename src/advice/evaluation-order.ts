import { formatKeyPath } from '../api/keys.js';
import type { Rule } from '../api/rule.js';
import type { ResourceKey } from '../api/resource-update.js';
import type { EndpointPlan, TierPlan } from '../plan/host-plan.js';
import type { Direction } from '../policy/evaluate.js';
import type { Cluster, EndpointKind, Fact, PolicyKind } from './cluster.js';
import { EndpointPlans, planId } from './endpoint-plans.js';
import { describeRule } from './rule-text.js';

/** A rule as one would say it, with its place in the policy's own list, from 0. */
export interface OrderedRule {
  readonly index: number;
  readonly text: string;
}

export interface OrderedRules {
  readonly kind: PolicyKind | 'Profile';
  readonly namespace?: string;
  readonly name: string;
  readonly rules: readonly OrderedRule[];
}

export interface OrderedTier {
  readonly tier: string;
  readonly policies: readonly OrderedRules[];
  /** What becomes of what no rule of the tier decides. */
  readonly otherwise: 'Deny' | 'Pass';
}

/** From first to last. What one step decides the next does not see. */
export interface DirectionOrder {
  readonly tiers: readonly OrderedTier[];
  /** After the tiers, where a Pass leads out of them or no policy applies. */
  readonly profiles: readonly OrderedRules[];
  /** Of what nothing decided. `Next` is the next stage, `Allow` and `Deny` are final. */
  readonly otherwise: 'Allow' | 'Deny' | 'Next';
  /** False where every way through the tiers ends in them. */
  readonly leavesTiers: boolean;
}

/** A host endpoint has several, each for traffic of its own; a workload has one. */
export interface Stage {
  readonly stage: 'workload' | 'untracked' | 'preDNAT' | 'host' | 'forwarded';
  readonly ingress: DirectionOrder;
  readonly egress: DirectionOrder;
}

type StageName = Stage['stage'];

/** The policies of a stage, as normal ones: the order is the same in all. Undefined: it has no place in the stage. */
function inStage(fact: Fact, stage: StageName): Fact | undefined {
  if (fact.kind === 'NetworkPolicy') return stage === 'workload' ? fact : undefined;
  if (fact.kind !== 'GlobalNetworkPolicy' || fact.value === undefined || stage === 'workload') return fact;
  const { doNotTrack = false, preDNAT = false, applyOnForward = false, ...spec } = fact.value.spec;
  const places: Readonly<Record<StageName, boolean>> = {
    workload: false,
    untracked: doNotTrack,
    preDNAT: preDNAT && !doNotTrack,
    host: !doNotTrack && !preDNAT,
    forwarded: applyOnForward && !doNotTrack && !preDNAT,
  };
  return places[stage] ? { ...fact, value: { ...fact.value, spec } } : undefined;
}

const PREFIXES: ReadonlyMap<string, OrderedRules['kind']> = new Map([
  ['np', 'NetworkPolicy'],
  ['gnp', 'GlobalNetworkPolicy'],
  ['pro', 'Profile'],
]);

/** The resource that plans name so: `np shop/web`. */
function keyOf(policyId: string): ResourceKey<OrderedRules['kind']> {
  const [prefix = '', path = ''] = policyId.split(' ');
  const [first = '', second] = path.split('/');
  const kind = PREFIXES.get(prefix) ?? 'Profile';
  return second === undefined ? { kind, name: first } : { kind, namespace: first, name: second };
}

const OTHERWISE: Readonly<Record<StageName, DirectionOrder['otherwise']>> = {
  workload: 'Deny',
  untracked: 'Next',
  preDNAT: 'Next',
  host: 'Deny',
  forwarded: 'Allow',
};

/** Says in which order policy is asked about the traffic of an endpoint. */
class Order {
  readonly #cluster: Cluster;
  readonly #plan: EndpointPlan;
  readonly #stage: StageName;

  constructor(cluster: Cluster, plan: EndpointPlan, stage: StageName) {
    this.#cluster = cluster;
    this.#plan = plan;
    this.#stage = stage;
  }

  of(direction: Direction): DirectionOrder {
    const tiers = this.#plan.tiers.filter((tier) => tier[direction].length > 0);
    const ordered = tiers.map((tier) => this.#tier(tier, direction));
    const hasProfiles = this.#stage === 'workload' || this.#stage === 'host';
    return {
      tiers: ordered,
      profiles: hasProfiles ? this.#plan.profiles.map((id) => this.#rules(id, direction)) : [],
      otherwise: OTHERWISE[this.#stage],
      leavesTiers: ordered.every(({ policies, otherwise }) => otherwise === 'Pass' || policies.some(hasPass)),
    };
  }

  #tier(tier: TierPlan, direction: Direction): OrderedTier {
    const isFinal = this.#stage !== 'untracked' && this.#stage !== 'preDNAT';
    return {
      tier: tier.name,
      policies: tier[direction].map((id) => this.#rules(id, direction)),
      // What these stages do not decide goes on to the next stage.
      otherwise: isFinal && tier.defaultAction === 'deny' ? 'Deny' : 'Pass',
    };
  }

  #rules(policyId: string, direction: Direction): OrderedRules {
    const key = keyOf(policyId);
    const rules: readonly Rule[] = this.#cluster.valueOf(key)?.spec[direction] ?? [];
    return { ...key, rules: rules.map((rule, index) => ({ index, text: describeRule(rule) })) };
  }
}

function hasPass({ rules }: OrderedRules): boolean {
  return rules.some(({ text }) => text.startsWith('Pass'));
}

function stagesOf({ kind }: ResourceKey<EndpointKind>): readonly StageName[] {
  return kind === 'WorkloadEndpoint' ? ['workload'] : ['untracked', 'preDNAT', 'host', 'forwarded'];
}

/** What only fills sets, or is another endpoint: no order hangs on it. */
function isSelected({ kind }: Fact): boolean {
  return ['WorkloadEndpoint', 'HostEndpoint', 'NetworkSet', 'GlobalNetworkSet'].includes(kind);
}

/** What is evaluated for an endpoint, in order: stages, directions, tiers, policies, rules, profiles. Stages that have no policy are left out, but the main one. */
export function evaluationOrder(cluster: Cluster, key: ResourceKey<EndpointKind>): readonly Stage[] {
  return stagesOf(key).flatMap((stage) => {
    const facts = [...cluster.facts]
      .filter((fact) => !isSelected(fact) || formatKeyPath(fact.key) === formatKeyPath(key))
      .map((fact) => inStage(fact, stage))
      .filter((fact) => fact !== undefined);
    const plan = new EndpointPlans(facts, [key]).policy.endpoints.get(planId(key));
    const isMain = stage === 'workload' || stage === 'host';
    if (plan === undefined || (!isMain && plan.tiers.length === 0)) return [];
    const order = new Order(cluster, plan, stage);
    return [{ stage, ingress: order.of('ingress'), egress: order.of('egress') }];
  });
}
