import { describe, expect, test } from 'vitest';
import { printOperation } from '../../nftables/print-operation.js';
import { endpointPlan, hostPolicy, netSet, policyDelta, policyPlan, portSet, rulePlan } from '../host-plan.fake.js';
import { DEFAULT_SETTINGS, type DataplaneSettings } from '../settings.js';
import { transactionsOf } from '../table-change.js';
import { committedAfter, wholeTable } from '../table-diff.js';
import type { WantedTable } from '../wanted-table.js';
import { Ruleset } from './ruleset.js';
import type { HostPolicy, IpSetPlan, PolicyPlan } from '../../plan/host-plan.js';

const NOTHING = hostPolicy({});

function rulesetOf(policy: HostPolicy, settings: Partial<DataplaneSettings> = {}): Ruleset {
  const ruleset = new Ruleset({ ...DEFAULT_SETTINGS, ...settings });
  for (const _ of ruleset.change(policyDelta(NOTHING, policy), policy));
  return ruleset;
}

function printWhole(table: WantedTable): string {
  return transactionsOf(wholeTable(table, 'create'), new Map())
    .flat()
    .map((operation) => `${printOperation(operation)}\n`)
    .join('');
}

/** The sets of lists, with their members. */
function printLists(table: WantedTable): string {
  return printWhole(table)
    .split('\n')
    .filter((line) => /^add (set|element) inet calico (ports|nets)/.test(line))
    .map((line) => `${line.replace(/^add (set|element) inet calico /, '')}\n`)
    .join('');
}

/** Only the rules of the chains whose names begin so. */
function printChains(table: WantedTable, prefix: string): string {
  return printWhole(table)
    .split('\n')
    .filter((line) => line.startsWith(`add rule inet calico ${prefix}`))
    .map((line) => line.slice('add rule inet calico '.length))
    .join('\n');
}

function printChange(ruleset: Ruleset, from: HostPolicy, to: HostPolicy): string {
  const committed = committedAfter(ruleset.table);
  ruleset.table.forgetChanges();
  for (const _ of ruleset.change(policyDelta(from, to), to));
  return transactionsOf(ruleset.table.takeChange(committed), new Map()).flat().map(printOperation).join('\n');
}

const DEFAULT_TIER = { name: 'default', ingress: ['np shop/web'], egress: [], defaultAction: 'deny' } as const;
const WEB = policyPlan('np shop/web', {
  ingress: [rulePlan({ protocol: 6, source: { sets: ['s:db'] }, destination: { ports: [{ first: 80, last: 80 }] } })],
});
const NET1 = policyPlan('pro net1', { ingress: [rulePlan({ source: { sets: ['s:net1'] } })], egress: [rulePlan()] });
const SHOP = hostPolicy({
  ipSets: [
    netSet('s:db', ['192.168.0.7/32', '2001:db8::7/128']),
    netSet('s:net1', ['192.168.0.1/32'], "net == 'net1'"),
  ],
  policies: [WEB, NET1],
  endpoints: [
    endpointPlan('shop/a', { addresses: ['192.168.0.1/32'], tiers: [DEFAULT_TIER], profiles: ['pro net1'] }),
    endpointPlan('shop/b', { addresses: ['192.168.0.2/32'], tiers: [DEFAULT_TIER], profiles: ['pro net1'] }),
  ],
});

describe('Ruleset', () => {
  test('renders a host with two workloads', async () => {
    const ruleset = rulesetOf(SHOP);
    ruleset.changeNat({ masqueradedPools: ['192.168.0.0/16'], allPools: ['192.168.0.0/16', '2001:db8::/64'] });
    await expect(printWhole(ruleset.table)).toMatchFileSnapshot('testdata/two-workloads.nft');
    await expect(printWhole(ruleset.arpTable)).toMatchFileSnapshot('testdata/two-workloads-arp.nft');
  });

  test('takes a new endpoint with known tiers and profiles as elements alone', () => {
    const more = hostPolicy({
      ipSets: [...SHOP.ipSets.values()],
      policies: [...SHOP.policies.values()],
      endpoints: [
        ...SHOP.endpoints.values(),
        endpointPlan('shop/c', { addresses: ['192.168.0.3/32'], tiers: [DEFAULT_TIER], profiles: ['pro net1'] }),
      ],
    });
    expect(printChange(rulesetOf(SHOP), SHOP, more).split('\n')).toEqual([
      expect.stringMatching(/^add element inet calico from-workload-chains { "calic" : goto eg-/),
      expect.stringMatching(/^add element inet calico to-workload-chains { "calic" : goto in-/),
    ]);
  });

  test('rewrites one chain for an edited policy', () => {
    const edited = withPolicy(SHOP, policyPlan('np shop/web', { ingress: [rulePlan({ action: 'deny' })] }));
    expect(printChange(rulesetOf(SHOP), SHOP, edited)).toBe(
      'flush chain inet calico pi-np/shop/web\nadd rule inet calico pi-np/shop/web drop comment "np shop/web ingress 0"',
    );
  });

  test('an edited list is a new set before the rule and the old one deleted after it, unless somebody else has that list', () => {
    const rules = (last: number): PolicyPlan =>
      policyPlan('np shop/web', {
        ingress: [
          rulePlan({
            protocol: 6,
            destination: {
              ports: [
                { first: 80, last: 80 },
                { first: 8000, last },
              ],
            },
          }),
        ],
      });
    const before = withPolicy(SHOP, rules(8010));
    const after = withPolicy(SHOP, rules(8020));
    const ruleset = rulesetOf(before);
    const change = printChange(ruleset, before, after).replaceAll(/ports-[-\w]+/g, 'LIST');
    expect(change.split('\n')).toEqual([
      'add set inet calico LIST { type inet_service; flags interval; }',
      'add element inet calico LIST { 80, 8000-8020 }',
      'flush chain inet calico pi-np/shop/web',
      'add rule inet calico pi-np/shop/web tcp dport @LIST accept comment "np shop/web ingress 0"',
      'delete set inet calico LIST',
    ]);
    const [rule] = rules(8020).ingress;
    if (rule === undefined) throw new Error('the policy has a rule');
    const shared = withPolicy(after, policyPlan('pro net1', { ingress: [rule], egress: [rulePlan()] }));
    expect(printChange(ruleset, after, shared)).not.toMatch(/ set /);
    expect(printChange(ruleset, shared, withPolicy(shared, WEB))).not.toMatch(/ set inet calico ports/);
  });

  test('tests for Pass in the tier once a policy can pass, and no longer when it cannot', () => {
    const passing = withPolicy(SHOP, policyPlan('np shop/web', { ingress: [rulePlan({ action: 'pass' })] }));
    const ruleset = rulesetOf(SHOP);
    const change = printChange(ruleset, SHOP, passing);
    expect(printChains(ruleset.table, 'in-tier-default').replaceAll(/in-tier-default-\w+/g, 'T')).toBe(
      [
        'T meta mark set meta mark & 0xfffdffff',
        'T jump pi-np/shop/web',
        'T meta mark & 0x00020000 == 0x00020000 return',
        'T counter name "ingress-end-of-tier-default" drop',
      ].join('\n'),
    );
    expect(change).toContain('flush chain inet calico in-tier-default');
    printChange(ruleset, passing, SHOP);
    expect(printChains(ruleset.table, 'in-tier-default')).not.toContain('return');
  });

  test('a set whose first prefix comes gets a second set, and its rules a second form, in the same transaction', () => {
    const withPrefix = withSet(SHOP, netSet('s:db', ['192.168.0.7/32', '2001:db8::7/128', '10.0.0.0/8']));
    const ruleset = rulesetOf(SHOP);
    const change = printChange(ruleset, SHOP, withPrefix).split('\n');
    expect(change[0]).toBe('add set inet calico s-db-v4-prefixes { type ipv4_addr; flags interval; comment "s:db"; }');
    expect(change).toContain(
      'add rule inet calico pi-np/shop/web tcp dport 80 ip saddr @s-db-v4-prefixes accept comment "np shop/web ingress 0"',
    );
    const back = printChange(ruleset, withPrefix, SHOP).split('\n');
    expect(back.at(-1)).toBe('delete set inet calico s-db-v4-prefixes');
    expect(back[0]).toBe('flush chain inet calico pi-np/shop/web');
  });

  test('changes members alone when only members changed', () => {
    const moved = withSet(SHOP, netSet('s:db', ['192.168.0.8/32', '2001:db8::7/128']));
    expect(printChange(rulesetOf(SHOP), SHOP, moved)).toBe(
      'delete element inet calico s-db-v4 { 192.168.0.7 }\nadd element inet calico s-db-v4 { 192.168.0.8 }',
    );
  });

  test('removes everything an endpoint brought when the last one goes', () => {
    const change = printChange(rulesetOf(SHOP), SHOP, NOTHING).split('\n');
    expect(change.filter((line) => line.startsWith('delete chain'))).toHaveLength(6);
    expect(change.filter((line) => line.startsWith('delete set'))).toHaveLength(4);
  });

  test('a policy that is not in the plan denies', () => {
    const missing = hostPolicy({ endpoints: [endpointPlan('shop/a', { profiles: ['pro gone'] })] });
    expect(printChains(rulesetOf(missing).table, 'in-').split('\n').at(-2)).toMatch(/^in-\w+ drop$/);
  });

  test('endpoint-to-host Accept marks what the policy let through, Return leaves it to others', () => {
    const accepting = printChains(rulesetOf(SHOP, { endpointToHostAction: 'accept' }).table, 'input-');
    expect(accepting).toContain('input-survivors iifname "cali*" meta mark set meta mark & 0xfffdffff | 0x00010000');
    const returning = printChains(rulesetOf(SHOP, { endpointToHostAction: 'return' }).table, 'input-');
    expect(returning).not.toMatch(/input-survivors|input-to-host/);
  });

  test('says so when the mark mask is too narrow', () => {
    expect(() => rulesetOf(SHOP, { markMask: 0x10000 })).toThrow('mark mask "0x10000" has fewer than two bits');
  });
});

describe('renderPolicyChain()', () => {
  test('expands rules to families and set forms, and keeps lists in sets of their own', async () => {
    const policy = policyPlan('gnp everything', {
      ingress: [
        rulePlan({ action: 'log' }),
        rulePlan({ families: [4], source: { nets: ['10.0.0.0/8', '10.1.0.0/16', '192.0.2.0/24'] } }),
        rulePlan({ families: [6], destination: { notNets: ['2001:db8::/64'] } }),
        rulePlan({
          protocol: 17,
          destination: {
            ports: [
              { first: 53, last: 53 },
              { first: 8000, last: 8010 },
              { first: 8005, last: 8020 },
            ],
          },
        }),
        rulePlan({ source: { sets: ['s:mixed'] }, destination: { notSets: ['s:mixed'] } }),
        rulePlan({ protocol: 6, destination: { ports: [{ first: 80, last: 80 }], portSets: ['n:http'] } }),
        rulePlan({ protocol: 6, source: { notPorts: [{ first: 1, last: 1023 }], notPortSets: ['n:http'] } }),
        rulePlan({ families: [4], protocol: 1, icmp: { type: 8 } }),
        rulePlan({ families: [6], protocol: 58, notIcmp: { type: 1, code: 4 } }),
        rulePlan({ notProtocol: 132, action: 'pass' }),
        rulePlan({ families: [4], source: { nets: ['0.0.0.0/0'] }, action: 'deny' }),
      ],
    });
    const all = hostPolicy({
      ipSets: [netSet('s:mixed', ['192.168.0.1/32', '10.0.0.0/8']), portSet('n:http', ['192.168.0.1,tcp:8080'])],
      policies: [policy],
      endpoints: [endpointPlan('shop/a', { profiles: ['gnp everything'] })],
    });
    const { table } = rulesetOf(all);
    await expect(`${printChains(table, 'pi-gnp/everything')}\n${printLists(table)}`).toMatchFileSnapshot(
      'testdata/every-match.txt',
    );
  });
});

function withPolicy(base: HostPolicy, policy: PolicyPlan): HostPolicy {
  return { ...base, policies: new Map([...base.policies, [policy.id, policy]]) };
}

function withSet(base: HostPolicy, plan: IpSetPlan): HostPolicy {
  return { ...base, ipSets: new Map([...base.ipSets, [plan.id, plan]]) };
}
