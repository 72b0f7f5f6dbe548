import type { EndpointPlan, MapDelta } from '../plan/host-plan.js';
import { sameValue } from '../plan/same-value.js';
import type { Selector } from '../selector/ast.js';
import type { ActivePolicies } from './active-policies.js';
import { LabelIndex, type LabelRecord } from './label-index.js';
import { type OrderedPolicy, orderTiers, type TierFacts } from './tier-order.js';

/** An endpoint of this host, as far as policy is concerned. */
export interface LocalEndpoint {
  readonly id: string;
  readonly interfaceName: string;
  readonly mac: string | undefined;
  /** Canonical /32 and /128 prefixes. */
  readonly addresses: readonly string[];
  readonly labels: LabelRecord;
  /** Names of profiles, in order: where labels come from, and what applies after all tiers. */
  readonly profiles: readonly string[];
}

/** An endpoint that has its interface, with what applies to it. */
interface Enforced {
  facts: LocalEndpoint;
  readonly policies: Set<Applied>;
}

/** A policy with the endpoints it applies to. */
interface Applied {
  facts: OrderedPolicy;
  readonly endpoints: Set<Enforced>;
}

/** As plans name a profile. */
export function profilePolicyId(name: string): string {
  return `pro ${name}`;
}

/**
 * The endpoints of this host and what applies to each.
 *
 * Hears: local endpoints, profiles' labels, policies with their selectors, tiers. Emits at a flush: endpoint plans that changed; at once,
 * to the active policies: which are needed. Keeps: an index of policies' selectors over local endpoints only.
 * Cost: an endpoint is put in order again when one of its policies changes in more than its rules.
 */
export class LocalEndpoints {
  readonly plans = new Map<string, EndpointPlan>();
  readonly #activePolicies: ActivePolicies;
  /** Who names an interface; the lowest id has it. */
  readonly #claims = new Map<string, Map<string, LocalEndpoint>>();
  readonly #interfaceOf = new Map<string, string>();
  readonly #enforced = new Map<string, Enforced>();
  readonly #policies = new Map<string, Applied>();
  readonly #tiers = new Map<string, TierFacts>();
  readonly #dirty = new Set<string>();
  readonly #index = new LabelIndex<Applied, Enforced>({
    started: (policy, endpoint) => this.#apply(policy, endpoint),
    stopped: (policy, endpoint) => this.#unapply(policy, endpoint),
    changed: () => undefined,
  });

  constructor(activePolicies: ActivePolicies) {
    this.#activePolicies = activePolicies;
  }

  setEndpoint(endpoint: LocalEndpoint): void {
    const { id, interfaceName } = endpoint;
    if (this.#interfaceOf.get(id) !== interfaceName) this.removeEndpoint(id);
    this.#interfaceOf.set(id, interfaceName);
    let claims = this.#claims.get(interfaceName);
    if (claims === undefined) this.#claims.set(interfaceName, (claims = new Map()));
    claims.set(id, endpoint);
    this.#settleClaims(claims);
  }

  removeEndpoint(id: string): void {
    const interfaceName = this.#interfaceOf.get(id);
    if (interfaceName === undefined) return;
    this.#interfaceOf.delete(id);
    const claims = this.#claims.get(interfaceName);
    claims?.delete(id);
    this.#forget(id);
    if (claims === undefined) return;
    if (claims.size === 0) this.#claims.delete(interfaceName);
    else this.#settleClaims(claims);
  }

  setProfileLabels(name: string, labels: LabelRecord | undefined): void {
    this.#index.setParent(name, labels);
  }

  /** @param selector undefined: that of before still holds (then the policy must be known) */
  setPolicy(facts: OrderedPolicy, selector: Selector | undefined): void {
    const known = this.#policies.get(facts.id);
    if (known !== undefined && selector === undefined) {
      if (sameValue(known.facts, facts)) return;
      known.facts = facts;
      for (const endpoint of known.endpoints) this.#dirty.add(endpoint.facts.id);
      return;
    }
    if (selector === undefined) return;
    this.removePolicy(facts.id);
    const policy: Applied = { facts, endpoints: new Set() };
    this.#policies.set(facts.id, policy);
    this.#index.addSelector(facts.id, selector, policy);
    this.#index.advance(Infinity);
  }

  removePolicy(id: string): void {
    const policy = this.#policies.get(id);
    if (policy === undefined) return;
    this.#policies.delete(id);
    this.#index.removeSelector(id);
    for (const endpoint of policy.endpoints) this.#unapply(policy, endpoint);
  }

  setTier(name: string, facts: TierFacts | undefined): void {
    if (sameValue(this.#tiers.get(name), facts)) return;
    if (facts === undefined) this.#tiers.delete(name);
    else this.#tiers.set(name, facts);
    for (const [id, endpoint] of this.#enforced) {
      for (const policy of endpoint.policies) if (policy.facts.tier === name) this.#dirty.add(id);
    }
  }

  flush(): MapDelta<EndpointPlan> {
    const delta = { set: new Map<string, EndpointPlan>(), removed: new Set<string>() };
    for (const id of this.#dirty) {
      const endpoint = this.#enforced.get(id);
      if (endpoint === undefined) {
        if (this.plans.delete(id)) delta.removed.add(id);
        continue;
      }
      const plan = this.#planOf(endpoint);
      if (sameValue(this.plans.get(id), plan)) continue;
      this.plans.set(id, plan);
      delta.set.set(id, plan);
    }
    this.#dirty.clear();
    return delta;
  }

  /** Of those that name one interface the lowest id is enforced, the others as if they were not there. */
  #settleClaims(claims: ReadonlyMap<string, LocalEndpoint>): void {
    const [winner, ...others] = [...claims.keys()].toSorted();
    for (const id of others) this.#forget(id);
    const facts = winner === undefined ? undefined : claims.get(winner);
    if (facts !== undefined) this.#enforce(facts);
  }

  #enforce(facts: LocalEndpoint): void {
    const { id } = facts;
    const known = this.#enforced.get(id);
    const endpoint: Enforced = known ?? { facts, policies: new Set() };
    const profilesBefore = known?.facts.profiles ?? [];
    endpoint.facts = facts;
    this.#enforced.set(id, endpoint);
    for (const name of facts.profiles) this.#activePolicies.retain(profilePolicyId(name));
    for (const name of profilesBefore) this.#activePolicies.release(profilePolicyId(name));
    this.#index.setItem(id, facts.labels, facts.profiles, endpoint);
    this.#dirty.add(id);
  }

  #forget(id: string): void {
    const endpoint = this.#enforced.get(id);
    if (endpoint === undefined) return;
    this.#index.removeItem(id);
    for (const name of endpoint.facts.profiles) this.#activePolicies.release(profilePolicyId(name));
    this.#enforced.delete(id);
    this.#dirty.add(id);
  }

  #apply(policy: Applied, endpoint: Enforced): void {
    policy.endpoints.add(endpoint);
    endpoint.policies.add(policy);
    this.#activePolicies.retain(policy.facts.id);
    this.#dirty.add(endpoint.facts.id);
  }

  #unapply(policy: Applied, endpoint: Enforced): void {
    policy.endpoints.delete(endpoint);
    endpoint.policies.delete(policy);
    this.#activePolicies.release(policy.facts.id);
    this.#dirty.add(endpoint.facts.id);
  }

  #planOf({ facts, policies }: Enforced): EndpointPlan {
    const ordered = [...policies].map((policy) => policy.facts);
    return {
      id: facts.id,
      interfaceName: facts.interfaceName,
      ...(facts.mac === undefined ? {} : { mac: facts.mac }),
      addresses: facts.addresses,
      tiers: orderTiers(ordered, this.#tiers),
      profiles: facts.profiles.map(profilePolicyId),
    };
  }
}
