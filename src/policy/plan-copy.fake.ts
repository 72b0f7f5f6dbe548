import type { EndpointPlan, HostPolicyDelta, IpSetPlan, PolicyPlan } from '../plan/host-plan.js';

/** What somebody knows who hears only deltas; refuses a delta that contradicts what it knows. */
export class PlanCopy {
  readonly ipSets = new Map<string, IpSetPlan & { readonly members: Set<string> }>();
  readonly policies = new Map<string, PolicyPlan>();
  readonly endpoints = new Map<string, EndpointPlan>();

  apply(delta: HostPolicyDelta): void {
    for (const [id, plan] of delta.ipSets.set) {
      if (this.ipSets.has(id)) throw new Error(`set ${id} is not new`);
      this.ipSets.set(id, { ...plan, members: new Set(plan.members) });
    }
    for (const [id, change] of delta.members) this.#changeMembers(id, change);
    for (const [id, plan] of delta.policies.set) this.policies.set(id, plan);
    for (const [id, plan] of delta.endpoints.set) this.endpoints.set(id, plan);
    for (const id of delta.endpoints.removed) this.#remove(this.endpoints, id);
    for (const id of delta.policies.removed) this.#remove(this.policies, id);
    for (const id of delta.ipSets.removed) this.#remove(this.ipSets, id);
    this.#checkReferences();
  }

  #changeMembers(id: string, { added, removed }: { added: readonly string[]; removed: readonly string[] }): void {
    const members = this.ipSets.get(id)?.members;
    if (members === undefined || added.length + removed.length === 0)
      throw new Error(`empty or lost change of set ${id}`);
    for (const member of removed) if (!members.delete(member)) throw new Error(`${member} was not in set ${id}`);
    for (const member of added) {
      if (members.has(member)) throw new Error(`${member} was in set ${id}`);
      members.add(member);
    }
  }

  #remove(map: Map<string, unknown>, id: string): void {
    if (!map.delete(id)) throw new Error(`${id} was not there`);
  }

  /** Whoever programs a plan must find all that it refers to, and nothing is kept that nobody needs. */
  #checkReferences(): void {
    const rules = [...this.policies.values()].flatMap((policy) => [...policy.ingress, ...policy.egress]);
    const sides = rules.flatMap((rule) => [rule.source, rule.destination]);
    const used = new Set(sides.flatMap((side) => [side.sets, side.notSets, side.portSets, side.notPortSets]).flat());
    for (const id of used) if (!this.ipSets.has(id)) throw new Error(`set ${id} is missing`);
    for (const id of this.ipSets.keys()) if (!used.has(id)) throw new Error(`set ${id} is not used`);
    for (const endpoint of this.endpoints.values()) {
      const ids = [...endpoint.tiers.flatMap((tier) => [...tier.ingress, ...tier.egress]), ...endpoint.profiles];
      for (const id of ids) if (!this.policies.has(id)) throw new Error(`policy ${id} is missing`);
    }
  }
}
