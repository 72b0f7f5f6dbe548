import type { TierPlan } from '../plan/host-plan.js';

/** What ordering needs to know of a policy. */
export interface OrderedPolicy {
  /** As in plans: `np shop/web`. */
  readonly id: string;
  readonly tier: string;
  /** Infinity where the resource says nothing. */
  readonly order: number;
  /** Decides among equals: `<name>/<namespace>/<kind>`, by code unit. */
  readonly tieBreak: string;
  readonly ingress: boolean;
  readonly egress: boolean;
}

export interface TierFacts {
  /** Infinity where the resource says nothing. */
  readonly order: number;
  readonly defaultAction: 'deny' | 'pass';
}

function compare<T extends number | string>(a: T, b: T): number {
  if (a === b) return 0;
  return a < b ? -1 : 1;
}

/** By order, then name: the name comes first in the tie-break, whatever the namespace. */
export function comparePolicies(a: OrderedPolicy, b: OrderedPolicy): number {
  return compare(a.order, b.order) || compare(a.tieBreak, b.tieBreak);
}

/**
 * The tiers of one endpoint, from the policies that select it. Tiers that exist come before those that are only referred to; then by
 * order, then by name. A tier that does not exist is enforced nevertheless, and denies at its end.
 */
export function orderTiers(policies: Iterable<OrderedPolicy>, tiers: ReadonlyMap<string, TierFacts>): TierPlan[] {
  const byTier = new Map<string, OrderedPolicy[]>();
  for (const policy of policies) {
    const list = byTier.get(policy.tier);
    if (list === undefined) byTier.set(policy.tier, [policy]);
    else list.push(policy);
  }
  const rank = (name: string): number => (tiers.has(name) ? 0 : 1);
  const order = (name: string): number => tiers.get(name)?.order ?? Infinity;
  return [...byTier]
    .toSorted(([a], [b]) => rank(a) - rank(b) || compare(order(a), order(b)) || compare(a, b))
    .map(([name, list]) => {
      const sorted = list.toSorted(comparePolicies);
      return {
        name,
        ingress: sorted.filter((policy) => policy.ingress).map((policy) => policy.id),
        egress: sorted.filter((policy) => policy.egress).map((policy) => policy.id),
        defaultAction: tiers.get(name)?.defaultAction ?? 'deny',
      };
    });
}
