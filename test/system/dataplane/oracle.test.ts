import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import {
  endpointPlan,
  hostPolicy,
  netSet,
  policyPlan,
  portSet,
  rulePlan,
} from '../../../src/dataplane/host-plan.fake.js';
import type { HostPolicy, MatchPlan, RulePlan, TierPlan } from '../../../src/plan/host-plan.js';
import { evaluatePacket, printVerdict } from '../../../src/policy/evaluate.js';
import { printHostPolicy } from '../../../src/plan/print.js';
import type { Probe } from './packet-port.js';
import { TestHost, type TestWorkload } from './test-host.js';

const A4 = '192.168.0.1';
const B4 = '192.168.0.2';
const A6 = 'fd80:24e2:f998:72d6::1';
const B6 = 'fd80:24e2:f998:72d6::2';
const PREFIXES = [`${A4}/32`, `${B4}/32`, '192.168.0.0/30', '192.168.0.0/24', '10.0.0.0/8', '0.0.0.0/0'];
const PREFIXES_6 = [`${A6}/128`, `${B6}/128`, 'fd80:24e2:f998:72d6::/64', '2001:db8::/32', '::/0'];
const ALL_PREFIXES = [...PREFIXES, ...PREFIXES_6];
const PORTS = [53, 80, 81, 8080];
const SET_IDS = ['s:one', 's:two'];
const PORT_SET_IDS = ['n:web'];
const PORT_MEMBERS = [A4, B4, A6, B6].flatMap((address) =>
  ['tcp', 'udp'].flatMap((protocol) => PORTS.map((port) => `${address},${protocol}:${port}`)),
);

const some = <T>(values: readonly T[], maxLength = 2): fc.Arbitrary<T[]> =>
  fc.uniqueArray(fc.constantFrom(...values), { maxLength });
const seldom = <T>(values: fc.Arbitrary<T[]>): fc.Arbitrary<T[]> =>
  fc.oneof({ weight: 4, arbitrary: fc.constant([] as T[]) }, { weight: 1, arbitrary: values });
const range = fc
  .tuple(fc.constantFrom(...PORTS), fc.integer({ min: 0, max: 30 }))
  .map(([first, more]) => ({ first, last: first + more }));

const side = (withPorts: boolean): fc.Arbitrary<MatchPlan> =>
  fc.record({
    nets: seldom(some(ALL_PREFIXES, 3)),
    notNets: seldom(some(ALL_PREFIXES)),
    sets: seldom(some(SET_IDS)),
    notSets: seldom(some(SET_IDS)),
    ports: withPorts ? seldom(fc.array(range, { maxLength: 3 })) : fc.constant([]),
    notPorts: withPorts ? seldom(fc.array(range, { maxLength: 2 })) : fc.constant([]),
    portSets: withPorts ? seldom(some(PORT_SET_IDS)) : fc.constant([]),
    notPortSets: withPorts ? seldom(some(PORT_SET_IDS)) : fc.constant([]),
  });

/** A family stays only where each list that is not empty has an entry of it: what policy promises of its plans. */
function reduced(rule: RulePlan): RulePlan | undefined {
  const lists = [rule.source, rule.destination].flatMap(({ nets, notNets }) => [nets, notNets]);
  const families = rule.families.filter((family) =>
    lists.every((list) => list.length === 0 || list.some((prefix) => prefix.includes(':') === (family === 6))),
  );
  const everything = lists[1]?.concat(lists[3] ?? []) ?? [];
  const left = families.filter((family) => !everything.includes(family === 4 ? '0.0.0.0/0' : '::/0'));
  return left.length === 0 ? undefined : { ...rule, families: left };
}

const rule: fc.Arbitrary<RulePlan | undefined> = fc
  .record({
    action: fc.constantFrom('allow', 'allow', 'deny', 'pass', 'log'),
    families: fc.constantFrom<(readonly (4 | 6)[])[]>([4, 6], [4, 6], [4], [6]),
    protocol: fc.constantFrom(undefined, 6, 6, 17, 1, 58),
    notProtocol: fc.constantFrom(undefined, undefined, undefined, 6, 17),
    icmpType: fc.constantFrom(undefined, 8, 13, 128),
    ends: fc.boolean().chain((ports) => fc.tuple(side(ports), side(ports))),
  })
  .map(({ action, families, protocol, notProtocol, icmpType, ends: [source, destination] }) => {
    const icmpFamilies = protocol === 1 ? [4 as const] : protocol === 58 ? [6 as const] : families;
    const isIcmp = protocol === 1 || protocol === 58;
    const hasPorts = protocol === 6 || protocol === 17;
    const portless = { ports: [], notPorts: [], portSets: [], notPortSets: [] };
    return reduced(
      rulePlan({
        action,
        families: icmpFamilies,
        ...(protocol === undefined ? {} : { protocol }),
        ...(notProtocol === undefined || protocol !== undefined ? {} : { notProtocol }),
        ...(isIcmp && icmpType !== undefined ? { icmp: { type: icmpType } } : {}),
        source: hasPorts ? source : { ...source, ...portless },
        destination: hasPorts ? destination : { ...destination, ...portless },
      }),
    );
  });

const rules = fc.array(rule, { maxLength: 4 }).map((list) => list.filter((r) => r !== undefined));
const POLICY_IDS = ['gnp p1', 'gnp p2', 'np shop/p3', 'pro x'];
const order = some(POLICY_IDS.slice(0, 3), 3);

const tiers: fc.Arbitrary<TierPlan[]> = fc.array(
  fc.record({
    name: fc.constantFrom('first', 'default'),
    ingress: order,
    egress: order,
    defaultAction: fc.constantFrom('deny', 'pass'),
  }),
  { maxLength: 2 },
);

const policy: fc.Arbitrary<HostPolicy> = fc
  .record({
    sets: fc.tuple(some(ALL_PREFIXES, 5), some(ALL_PREFIXES, 5)),
    portMembers: some(PORT_MEMBERS, 8),
    policies: fc.tuple(...POLICY_IDS.map(() => fc.tuple(rules, rules))),
    tiers: fc.tuple(tiers, tiers),
    profiles: fc.tuple(some(['pro x', 'pro open']), some(['pro x', 'pro open'])),
  })
  .map(({ sets, portMembers, policies, tiers: [tiersA, tiersB], profiles: [profilesA, profilesB] }) =>
    hostPolicy({
      ipSets: [netSet('s:one', sets[0]), netSet('s:two', sets[1]), portSet('n:web', portMembers)],
      policies: [
        ...policies.map(([ingress, egress], i) => policyPlan(POLICY_IDS[i] ?? '', { ingress, egress })),
        policyPlan('pro open', { ingress: [rulePlan()], egress: [rulePlan()] }),
      ],
      endpoints: [
        endpointPlan('shop/a', { addresses: [`${A4}/32`, `${A6}/128`], tiers: tiersA, profiles: profilesA }),
        endpointPlan('shop/b', { addresses: [`${B4}/32`, `${B6}/128`], tiers: tiersB, profiles: profilesB }),
      ],
    }),
  );

const probe: fc.Arbitrary<Probe> = fc
  .record({
    family: fc.constantFrom(4, 6),
    kind: fc.constantFrom('tcp', 'udp', 'icmp'),
    ports: fc.tuple(fc.constantFrom(...PORTS), fc.constantFrom(...PORTS)),
    type: fc.constantFrom(0, 1),
  })
  .map(({ family, kind, ports: [sourcePort, destinationPort], type }) => {
    const ends = family === 4 ? { source: A4, destination: B4 } : { source: A6, destination: B6 };
    // Echo or time-stamp request; of ICMPv6 only echo begins a tracked flow.
    const types = family === 4 ? [8, 13] : [128, 128];
    if (kind === 'icmp') return { ...ends, protocol: family === 4 ? 1 : 58, icmp: { type: types[type] ?? 8, code: 0 } };
    return { ...ends, protocol: kind === 'tcp' ? 6 : 17, sourcePort, destinationPort };
  });

describe('the kernel and the evaluator', () => {
  let host: TestHost;
  let a: TestWorkload;
  let b: TestWorkload;

  beforeEach(async () => {
    host = await TestHost.make();
    a = await host.workload('a', [A4, A6]);
    b = await host.workload('b', [B4, B6]);
  });

  afterEach(async () => {
    await host.close();
  });

  test('agree on every packet, whatever the policy and the one before it', { timeout: 120_000 }, async () => {
    const seen = { allow: 0, deny: 0 };
    await fc.assert(
      fc.asyncProperty(policy, fc.array(probe, { minLength: 6, maxLength: 6 }), async (wanted, probes) => {
        await host.apply(wanted);
        for (const packet of probes) {
          const egress = evaluatePacket(wanted, 'shop/a', 'egress', packet);
          const ingress = evaluatePacket(wanted, 'shop/b', 'ingress', packet);
          const expected = egress.action === 'allow' && ingress.action === 'allow';
          seen[expected ? 'allow' : 'deny'] += 1;
          await host.forgetFlows(A4, B4, A6, B6);
          const arrived = await host.arrives(a, b, packet, expected ? 200 : 2);
          const why = `${JSON.stringify(packet)}\negress ${printVerdict(egress)}\ningress ${printVerdict(ingress)}`;
          expect(arrived, `${why}\n${printHostPolicy(wanted)}`).toBe(expected);
        }
      }),
      { numRuns: 150, ...(process.env['TEST_SEED'] === undefined ? {} : { seed: Number(process.env['TEST_SEED']) }) },
    );
    // A property that only ever sees one outcome proves nothing.
    expect(Math.min(seen.allow, seen.deny)).toBeGreaterThan(30);
  });
});
