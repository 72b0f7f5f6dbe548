import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { FakeClock } from '../base/clock.fake.js';
import { KernelError } from '../base/errors.js';
import { FakeNftables } from '../nftables/kernel.fake.js';
import type { HostPolicy, NatPlan, PortRange } from '../plan/host-plan.js';
import { endpointPlan, hostPolicy, netSet, policyDelta, policyPlan, portSet, rulePlan } from './host-plan.fake.js';
import { RulesetProgram } from './ruleset-program.js';
import { DEFAULT_SETTINGS } from './settings.js';

const NAT: NatPlan = { masqueradedPools: ['192.168.0.0/16'], allPools: ['192.168.0.0/16', 'fd80::/64'] };
const EMPTY = hostPolicy({});

function program(kernel: FakeNftables): RulesetProgram {
  return new RulesetProgram(kernel, DEFAULT_SETTINGS, new FakeClock());
}

const MEMBERS = [
  '192.168.0.1/32',
  '192.168.0.2/32',
  '10.0.0.0/8',
  '10.1.0.0/16',
  '0.0.0.0/0',
  'fd80::1/128',
  'fd80::/64',
];
const POLICY_IDS = ['np a/one', 'np a/two', 'gnp three', 'pro p'];
const SET_IDS = ['s:one', 's:two'];
const PORTS: readonly (readonly PortRange[])[] = [
  [],
  [{ first: 80, last: 90 }],
  [
    { first: 80, last: 80 },
    { first: 443, last: 443 },
  ],
  [
    { first: 443, last: 443 },
    { first: 80, last: 80 },
  ],
  [
    { first: 0, last: 79 },
    { first: 9000, last: 65_535 },
  ],
];
const NETS: readonly (readonly string[])[] = [
  [],
  ['10.0.0.0/8'],
  ['192.0.2.0/24', '198.51.100.0/24'],
  ['0.0.0.0/0', 'fd80::/64', 'fd81::/64'],
];

const some = <T>(values: readonly T[], maxLength = 3): fc.Arbitrary<T[]> =>
  fc.uniqueArray(fc.constantFrom(...values), { maxLength });

const rule = fc
  .record({
    action: fc.constantFrom('allow', 'deny', 'pass', 'log'),
    sets: some(SET_IDS, 2),
    notSets: some(SET_IDS, 1),
    ports: fc.constantFrom(...PORTS),
    nets: fc.constantFrom(...NETS),
    named: fc.boolean(),
  })
  .map(({ action, sets, notSets, ports, nets, named }) =>
    rulePlan({
      action,
      protocol: 6,
      source: { sets, nets },
      destination: { notSets, ports, portSets: named ? ['n:web'] : [] },
    }),
  );

const tier = fc.record({
  name: fc.constantFrom('default', 'early'),
  ingress: some(POLICY_IDS.slice(0, 3)),
  egress: some(POLICY_IDS.slice(0, 3)),
  defaultAction: fc.constantFrom('deny', 'pass'),
});

/** Plans whose rules name only sets of the plan; policies and endpoints may be missing. */
const plan: fc.Arbitrary<HostPolicy> = fc
  .record({
    members: fc.tuple(some(MEMBERS, 6), some(MEMBERS, 6)),
    portMembers: some(['192.168.0.1,tcp:80', '192.168.0.1,udp:80', 'fd80::1,tcp:80']),
    policies: some(POLICY_IDS, 4),
    rules: fc.array(rule, { maxLength: 4 }),
    endpoints: some(['a/1', 'a/2', 'a/3']),
    tiers: fc.array(tier, { maxLength: 2 }),
    profiles: some(['pro p', 'pro gone']),
  })
  .map(({ members, portMembers, policies, rules, endpoints, tiers, profiles }) =>
    hostPolicy({
      ipSets: [netSet('s:one', members[0]), netSet('s:two', members[1]), portSet('n:web', portMembers)],
      policies: policies.map((id, i) => policyPlan(id, { ingress: rules.slice(i), egress: rules.slice(0, i) })),
      endpoints: endpoints.map((id, i) =>
        endpointPlan(id, { addresses: [`192.168.0.${i}/32`], tiers: tiers.slice(i), profiles }),
      ),
    }),
  );

/** The ruleset without what does not matter: order of objects, and counts. */
function canonical(kernel: FakeNftables): string {
  return kernel
    .dump()
    .split(/\n(?=\t\S|table)/)
    .map((block) =>
      block.replaceAll(/elements = {[^}]*}/g, (text) =>
        text
          .split(/[{},\s]+/)
          .toSorted()
          .join(' '),
      ),
    )
    .toSorted()
    .join('\n');
}

describe('RulesetProgram', () => {
  test('writes nothing when it starts on a kernel that is as wanted', async () => {
    const wanted = { policy: somePlan(), nat: NAT };
    const kernel = new FakeNftables();
    expect(await program(kernel).apply(wanted)).toBeGreaterThan(0);
    expect(kernel.commits).toHaveLength(1);
    expect(await program(kernel).apply(wanted)).toBe(0);
    expect(kernel.commits).toHaveLength(1);
  });

  test('goes from any plan to any other in one transaction, and ends where a fresh start does', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(plan, { minLength: 2, maxLength: 4 }), fc.boolean(), async (plans, byDelta) => {
        const kernel = new FakeNftables();
        const ours = program(kernel);
        let before: HostPolicy = EMPTY;
        await ours.apply({ policy: EMPTY, nat: NAT });
        for (const policy of plans) {
          const commits = kernel.commits.length;
          await ours.apply({ policy, nat: NAT }, byDelta ? { policy: policyDelta(before, policy) } : undefined);
          expect(kernel.commits.length - commits).toBeLessThanOrEqual(1);
          before = policy;
        }
        const fresh = new FakeNftables();
        await program(fresh).apply({ policy: before, nat: NAT });
        expect(canonical(kernel)).toBe(canonical(fresh));
        expect(await program(kernel).apply({ policy: before, nat: NAT })).toBe(0);
      }),
      { numRuns: 60 },
    );
  });

  test('a delta that meets a changed kernel ends where a fresh start does', async () => {
    const kernel = new FakeNftables();
    const ours = program(kernel);
    await ours.apply({ policy: somePlan(), nat: NAT });
    await kernel.commit([{ verb: 'delete', object: { kind: 'table', family: 'inet', name: 'calico' } }]);
    const next = hostPolicy({ ipSets: [netSet('s:one', ['192.168.0.9/32'])] });
    await ours.apply({ policy: next, nat: NAT }, { policy: policyDelta(somePlan(), next) });
    const fresh = new FakeNftables();
    await program(fresh).apply({ policy: next, nat: NAT });
    expect(canonical(kernel)).toBe(canonical(fresh));
  });

  test('a kernel that refuses keeps what it holds, and the next apply catches up', async () => {
    const kernel = new FakeNftables();
    const ours = program(kernel);
    await ours.apply({ policy: somePlan(), nat: NAT });
    const before = kernel.dump();
    kernel.failure = new KernelError({ operation: 'add rule', errno: 12, errnoName: 'ENOMEM' });
    await expect(ours.apply({ policy: EMPTY, nat: NAT }, { policy: policyDelta(somePlan(), EMPTY) })).rejects.toThrow(
      'cannot add rule: ENOMEM',
    );
    expect(kernel.dump()).toBe(before);
    kernel.failure = undefined;
    await ours.apply({ policy: EMPTY, nat: NAT }, { policy: policyDelta(EMPTY, EMPTY) });
    const fresh = new FakeNftables();
    await program(fresh).apply({ policy: EMPTY, nat: NAT });
    expect(canonical(kernel)).toBe(canonical(fresh));
  });

  test('replaces the table when a set of its name has another type', async () => {
    const kernel = new FakeNftables();
    const wanted = { policy: somePlan(), nat: NAT };
    await program(kernel).apply(wanted);
    const before = canonical(kernel);
    const other = new FakeNftables();
    const table = { family: 'inet', name: 'calico' } as const;
    await other.commit([
      { verb: 'add', object: { kind: 'table', ...table } },
      { verb: 'add', object: { kind: 'set', table, name: 's-one-v4', key: ['inet_service'] } },
    ]);
    await program(other).apply(wanted);
    expect(canonical(other)).toBe(before);
  });

  test('sends a large plan ahead in pieces, the hooks last', async () => {
    const members = Array.from({ length: 6_000 }, (_, i) => `10.0.${i >> 8}.${i & 255}/32`);
    const base = somePlan();
    const large = hostPolicy({
      ipSets: [...[...base.ipSets.values()].slice(1), netSet('s:one', members)],
      policies: [...base.policies.values()],
      endpoints: [...base.endpoints.values()],
    });
    const kernel = new FakeNftables();
    await program(kernel).apply({ policy: large, nat: NAT });
    const isHook = kernel.commits.map((operations) =>
      operations.some(({ verb, ...rest }) => verb === 'add' && 'object' in rest && 'base' in rest.object),
    );
    // The last is the ARP guard's table, or ours: both begin to judge only when all else is there.
    expect(isHook.indexOf(true)).toBe(isHook.length - 2);
    expect(kernel.commits.length).toBeGreaterThan(4);
    expect(await program(kernel).apply({ policy: large, nat: NAT })).toBe(0);
  });
});

function somePlan(): HostPolicy {
  return hostPolicy({
    ipSets: [netSet('s:one', MEMBERS), netSet('s:two', [])],
    policies: [
      policyPlan('np a/one', {
        ingress: [rulePlan({ source: { sets: ['s:one'] } })],
        egress: [rulePlan({ action: 'pass' })],
      }),
      policyPlan('pro p', { ingress: [rulePlan()], egress: [rulePlan()] }),
    ],
    endpoints: [
      endpointPlan('a/1', {
        addresses: ['192.168.0.1/32'],
        tiers: [{ name: 'default', ingress: ['np a/one'], egress: ['np a/one'], defaultAction: 'deny' }],
        profiles: ['pro p'],
      }),
    ],
  });
}
