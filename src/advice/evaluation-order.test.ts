import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type Direction, evaluatePacket } from '../policy/evaluate.js';
import { PolicyMachine } from '../policy/machine.js';
import { updateOf } from '../policy/scenario.fake.js';
import { Cluster, type Fact } from './cluster.js';
import { evaluationOrder, type OrderedRules } from './evaluation-order.js';

const put = (kind: string, key: string, object: { spec?: unknown; labels?: unknown }) =>
  updateOf(kind, key, object) as Fact;
const KEY = { kind: 'WorkloadEndpoint', namespace: 'shop', name: 'w' } as const;

const workload = put('WorkloadEndpoint', 'shop/w', {
  spec: {
    node: 'here',
    orchestrator: 'cni',
    interfaceName: 'cali1',
    ipNetworks: ['192.0.2.1/32'],
    profiles: ['one', 'two'],
  },
  labels: { app: 'web' },
});
const log = [{ action: 'Log' }];
const profiles = ['one', 'two'].map((name) => put('Profile', name, { spec: { ingress: log, egress: log } }));

/** Tiers that pass and policies that only log: every one of them is seen on the way. */
const cluster = fc
  .record({
    tiers: fc.uniqueArray(fc.constantFrom('a', 'b', 'default', 'z'), { maxLength: 4 }),
    orders: fc.array(fc.option(fc.nat(3), { nil: undefined }), { minLength: 4, maxLength: 4 }),
    policies: fc.array(
      fc.record({
        name: fc.constantFrom('p', 'q', 'r.s', 'x', 'y'),
        namespace: fc.constantFrom('shop', 'other', undefined),
        tier: fc.constantFrom('a', 'b', 'default', 'z'),
        order: fc.option(fc.nat(3), { nil: undefined }),
        types: fc.constantFrom(['Ingress'], ['Egress'], ['Ingress', 'Egress']),
        selector: fc.constantFrom('', "app == 'web'", "app == 'db'"),
      }),
      { maxLength: 10 },
    ),
  })
  .map(({ tiers, orders, policies }) => [
    workload,
    ...profiles,
    ...['a', 'b', 'default', 'z']
      .map((name, i) =>
        put('Tier', name, { spec: JSON.parse(JSON.stringify({ order: orders[i], defaultAction: 'Pass' })) as object }),
      )
      .filter((_, i) => tiers.length > 2 || i > 0),
    ...policies.map(({ name, namespace, ...spec }) => {
      const kind = namespace === undefined ? 'GlobalNetworkPolicy' : 'NetworkPolicy';
      const rules = { ingress: log, egress: log };
      const object = { spec: JSON.parse(JSON.stringify({ ...spec, ...rules })) as object };
      return put(kind, namespace === undefined ? name : `${namespace}/${name}`, object);
    }),
  ]);

const WORDS = { NetworkPolicy: 'np', GlobalNetworkPolicy: 'gnp', Profile: 'pro' } as const;
const idOf = ({ kind, namespace, name }: OrderedRules) =>
  `${WORDS[kind]} ${namespace === undefined ? '' : `${namespace}/`}${name}`;

describe('evaluationOrder()', () => {
  test('is the order in which a packet meets policies', () => {
    fc.assert(
      fc.property(cluster, fc.constantFrom('ingress', 'egress'), (facts, direction: Direction) => {
        const machine = new PolicyMachine({ hostname: 'here' });
        machine.apply(facts);
        machine.flush();
        const ends = { source: '192.0.2.1', destination: '192.0.2.1' };
        const { trail } = evaluatePacket(machine.state, 'shop/w', direction, { ...ends, protocol: 6 });
        const [stage] = evaluationOrder(new Cluster(facts), KEY);
        const order = stage?.[direction];
        const inTiers = (order?.tiers ?? []).flatMap(({ tier, policies }) =>
          policies.map((each) => [tier, idOf(each)]),
        );
        const isDeniedEarly = (order?.tiers ?? []).findIndex(({ otherwise }) => otherwise === 'Deny');
        const expected = [...inTiers, ...(order?.profiles ?? []).map((each) => [undefined, idOf(each)])];
        const met = trail.map(({ tier, policyId }) => [tier, policyId]);
        expect(met).toEqual(isDeniedEarly < 0 ? expected : expected.slice(0, met.length));
        expect(order?.leavesTiers).toBe(isDeniedEarly < 0);
      }),
      { numRuns: 300 },
    );
  });

  test('a host endpoint has its stages, and global policies alone', () => {
    const gnp = (name: string, spec: object) =>
      put('GlobalNetworkPolicy', name, { spec: { types: ['Ingress'], ...spec } });
    const facts = [
      put('HostEndpoint', 'h', {
        spec: { node: 'n1', interfaceName: 'eth0', profiles: ['one'] },
        labels: { role: 'host' },
      }),
      ...profiles,
      put('Tier', 'default', { spec: { defaultAction: 'Deny' } }),
      gnp('raw', { doNotTrack: true, applyOnForward: true, ingress: [{ action: 'Allow', protocol: 'UDP' }] }),
      gnp('dnat', { preDNAT: true, applyOnForward: true }),
      gnp('both', { applyOnForward: true, selector: "role == 'host'", ingress: [{ action: 'Pass' }] }),
      gnp('own', { order: 1, ingress: [{ action: 'Deny', source: { nets: ['192.0.2.0/24'] } }] }),
      put('NetworkPolicy', 'shop/np', { spec: { types: ['Ingress'] } }),
    ];
    const stages = evaluationOrder(new Cluster(facts), { kind: 'HostEndpoint', name: 'h' });
    const brief = stages.map(({ stage, ingress }) => [
      stage,
      ingress.tiers.flatMap(({ policies, otherwise }) => [...policies.map(({ name }) => name), otherwise]),
      ingress.profiles.map(({ name }) => name),
      ingress.otherwise,
    ]);
    expect(brief).toEqual([
      ['untracked', ['raw', 'Pass'], [], 'Next'],
      ['preDNAT', ['dnat', 'Pass'], [], 'Next'],
      ['host', ['own', 'both', 'Deny'], ['one'], 'Deny'],
      ['forwarded', ['both', 'Deny'], [], 'Allow'],
    ]);
    expect(stages[2]?.ingress.tiers[0]?.policies[0]?.rules).toEqual([{ index: 0, text: 'Deny from 192.0.2.0/24' }]);
  });
});
