import { describe, expect, test } from 'vitest';
import { comparePolicies, type OrderedPolicy, orderTiers } from './tier-order.js';

function policy(id: string, facts: Partial<OrderedPolicy> = {}): OrderedPolicy {
  return {
    id,
    tier: 'default',
    order: Infinity,
    tieBreak: `${id}//GlobalNetworkPolicy`,
    ingress: true,
    egress: true,
    ...facts,
  };
}

describe('orderTiers()', () => {
  test('puts tiers that do not exist after those that exist without an order', () => {
    const tiers = new Map([
      ['z', { order: Infinity, defaultAction: 'pass' as const }],
      ['y', { order: 5, defaultAction: 'deny' as const }],
    ]);
    const plans = orderTiers(
      [policy('1', { tier: 'a' }), policy('2', { tier: 'z' }), policy('3', { tier: 'y' })],
      tiers,
    );
    expect(plans.map((plan) => `${plan.name} ${plan.defaultAction}`)).toEqual(['y deny', 'z pass', 'a deny']);
  });

  test('lists a policy only in its directions, and keeps a tier that has none in one of them', () => {
    const policies = [policy('in', { egress: false }), policy('none', { ingress: false, egress: false })];
    expect(orderTiers(policies, new Map())).toEqual([
      { name: 'default', ingress: ['in'], egress: [], defaultAction: 'deny' },
    ]);
  });
});

describe('comparePolicies()', () => {
  test('goes by order, then by name before namespace and kind', () => {
    const policies = [
      policy('none'),
      policy('b/a', { order: 1, tieBreak: 'b/a/NetworkPolicy' }),
      policy('a/z', { order: 1, tieBreak: 'a/z/NetworkPolicy' }),
      policy('a', { order: 1, tieBreak: 'a//GlobalNetworkPolicy' }),
      policy('minus', { order: -2.5 }),
    ];
    expect(policies.toSorted(comparePolicies).map(({ id }) => id)).toEqual(['minus', 'a', 'a/z', 'b/a', 'none']);
  });
});
