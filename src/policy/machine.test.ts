import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { ResourceUpdate } from '../api/resource-update.js';
import { printHostPolicy } from '../plan/print.js';
import { PolicyMachine } from './machine.js';
import { PlanCopy } from './plan-copy.fake.js';
import { updateOf } from './scenario.fake.js';

/** A datastore's content: by `KIND KEY`, the object. */
type Store = ReadonlyMap<string, { readonly spec?: unknown; readonly labels?: unknown }>;

function put(identity: string, object: { spec?: unknown; labels?: unknown } | undefined): ResourceUpdate {
  const [kind = '', key = ''] = identity.split(' ');
  return updateOf(kind, key, object);
}

/** The updates that lead from one content to another. */
function updatesBetween(from: Store, to: Store): ResourceUpdate[] {
  const gone = [...from.keys()].filter((identity) => !to.has(identity)).map((identity) => put(identity, undefined));
  const changed = [...to].filter(([identity, object]) => from.get(identity) !== object);
  return [...gone, ...changed.map(([identity, object]) => put(identity, object))];
}

function planFromScratch(store: Store): string {
  const machine = new PolicyMachine({ hostname: 'here' });
  machine.apply(updatesBetween(new Map(), store));
  machine.flush();
  return printHostPolicy(machine.state);
}

// ------------------------------------------------------------------------------------------------------------ named states

const endpoint = (spec: object, labels: object = {}) => ({
  spec: { node: 'here', orchestrator: 'cni', interfaceName: 'cali1', ipNetworks: ['192.0.2.1/32'], ...spec },
  labels,
});
const remote = (address: string, labels: object, spec: object = {}) =>
  endpoint({ node: 'there', interfaceName: 'cali9', ipNetworks: [address], ...spec }, labels);
const allow = (source: object, more: object = {}) => ({ action: 'Allow', source, ...more });

const web = endpoint({ profiles: ['net1'] }, { role: 'web' });
const dbPolicy = { spec: { selector: "role == 'web'", ingress: [allow({ selector: "role == 'db'" })] } };
const tier = { spec: { order: 100, defaultAction: 'Pass' } };

const STATES: Readonly<Record<string, Store>> = {
  nothing: new Map(),
  'one endpoint': new Map([['WorkloadEndpoint shop/web', web]]),
  'one endpoint with its profile': new Map<string, object>([
    ['WorkloadEndpoint shop/web', web],
    ['Profile net1', { spec: { ingress: [allow({ selector: "net == 'net1'" })], labelsToApply: { net: 'net1' } } }],
  ]),
  'a policy nobody here needs': new Map([['NetworkPolicy shop/p', dbPolicy]]),
  'a policy and whom it names': new Map<string, object>([
    ['WorkloadEndpoint shop/web', web],
    ['WorkloadEndpoint shop/db', remote('192.0.2.9/32', { role: 'db' })],
    ['NetworkPolicy shop/p', dbPolicy],
  ]),
  'an address that two have': new Map<string, object>([
    ['WorkloadEndpoint shop/web', web],
    ['WorkloadEndpoint shop/db', remote('192.0.2.9/32', { role: 'db' })],
    ['WorkloadEndpoint shop/db2', remote('192.0.2.9/32', { role: 'db' })],
    ['NetworkPolicy shop/p', dbPolicy],
  ]),
  'the address with another': new Map<string, object>([
    ['WorkloadEndpoint shop/web', web],
    ['WorkloadEndpoint shop/db2', remote('192.0.2.9/32', { role: 'db' })],
    ['WorkloadEndpoint shop/db3', remote('192.0.2.9/32', { role: 'web' })],
    ['NetworkPolicy shop/p', dbPolicy],
  ]),
  'tiers and named ports': new Map<string, object>([
    ['WorkloadEndpoint shop/web', web],
    ['Tier security', tier],
    [
      'WorkloadEndpoint shop/db',
      remote('192.0.2.9/32', { role: 'db' }, { ports: [{ name: 'sql', protocol: 'TCP', port: 5432 }] }),
    ],
    [
      'GlobalNetworkPolicy sec',
      { spec: { tier: 'security', order: 1, egress: [{ action: 'Pass', destination: { ports: ['sql'] } }] } },
    ],
    [
      'NetworkPolicy shop/p',
      {
        spec: {
          order: 3,
          selector: "role == 'web'",
          types: ['Egress'],
          egress: [{ action: 'Allow', protocol: 'TCP', destination: { selector: "role == 'db'", ports: ['sql', 80] } }],
        },
      },
    ],
  ]),
  'the tier is missing': new Map<string, object>([
    ['WorkloadEndpoint shop/web', web],
    [
      'GlobalNetworkPolicy sec',
      { spec: { tier: 'security', order: 1, egress: [{ action: 'Pass', destination: { ports: ['sql'] } }] } },
    ],
    ['NetworkPolicy shop/p', { spec: { order: 1, egress: [{ action: 'Deny' }] } }],
  ]),
  'two name one interface': new Map<string, object>([
    ['WorkloadEndpoint shop/web', web],
    ['WorkloadEndpoint shop/aaa', endpoint({ ipNetworks: ['192.0.2.5/32'] }, { role: 'db' })],
    ['NetworkPolicy shop/p', dbPolicy],
  ]),
  'the endpoint is elsewhere': new Map<string, object>([
    ['WorkloadEndpoint shop/web', endpoint({ node: 'there', profiles: ['net1'] }, { role: 'web' })],
    ['WorkloadEndpoint shop/aaa', endpoint({ interfaceName: 'cali7', ipNetworks: ['192.0.2.5/32'] }, { role: 'web' })],
    ['NetworkPolicy shop/p', dbPolicy],
  ]),
  'network sets and namespaces': new Map<string, object>([
    ['WorkloadEndpoint shop/web', endpoint({ profiles: ['kns.shop'] }, { role: 'web' })],
    ['Profile kns.shop', { spec: { labelsToApply: { 'pcns.team': 'a' } } }],
    ['Profile kns.lab', { spec: { labelsToApply: { 'pcns.team': 'b' } } }],
    ['NetworkSet lab/s', { spec: { nets: ['198.51.100.0/24', '198.51.100.7'] }, labels: { role: 'db' } }],
    ['GlobalNetworkSet g', { spec: { nets: ['198.51.100.0/25'] }, labels: { role: 'db' } }],
    [
      'NetworkPolicy shop/p',
      {
        spec: {
          ingress: [
            allow({ namespaceSelector: "team == 'b'" }),
            allow({ selector: "role == 'db'", namespaceSelector: 'global()' }),
          ],
        },
      },
    ],
  ]),
  'the namespace is relabelled': new Map<string, object>([
    ['WorkloadEndpoint shop/web', endpoint({ profiles: ['kns.shop'] }, { role: 'web' })],
    ['Profile kns.shop', { spec: { labelsToApply: { 'pcns.team': 'b' } } }],
    ['NetworkSet lab/s', { spec: { nets: ['198.51.100.0/24', '198.51.100.7'] }, labels: { role: 'db' } }],
    [
      'NetworkPolicy shop/p',
      {
        spec: {
          ingress: [
            allow({ namespaceSelector: "team == 'b'" }),
            allow({ selector: "role == 'db'", namespaceSelector: 'global()' }),
          ],
        },
      },
    ],
  ]),
};

const VARIANTS: Readonly<
  Record<string, (updates: readonly ResourceUpdate[]) => readonly (readonly ResourceUpdate[])[]>
> = {
  'as they come': (updates) => [updates],
  'in reverse': (updates) => [updates.toReversed()],
  'one by one': (updates) => updates.map((update) => [update]),
  'each twice': (updates) => [updates.flatMap((update) => [update, update])],
  'there and back': (updates) => [
    updates.map((update) => ({ ...update, value: undefined }) as ResourceUpdate),
    updates,
  ],
};

/** Walks through the states, flushing after each batch or only at each state's end; checks plan and deltas at each state. */
function walk(names: readonly string[], variant: string, flushesEachBatch: boolean): void {
  const machine = new PolicyMachine({ hostname: 'here' });
  const copy = new PlanCopy();
  let before: Store = new Map();
  for (const name of names) {
    const store = STATES[name] ?? new Map();
    for (const batch of VARIANTS[variant]?.(updatesBetween(before, store)) ?? []) {
      machine.apply(batch);
      if (flushesEachBatch) copy.apply(machine.flush());
    }
    copy.apply(machine.flush());
    before = store;
    expect(`${name}\n${printHostPolicy(machine.state)}`).toBe(`${name}\n${planFromScratch(store)}`);
    expect(printHostPolicy(copy)).toBe(printHostPolicy(machine.state));
  }
}

describe('PolicyMachine', () => {
  const names = Object.keys(STATES);
  const everyPair = names.flatMap((a) => names.flatMap((b) => [a, b]));

  describe.each(Object.keys(VARIANTS))('with updates %s', (variant) => {
    test.each([
      ['forward', names],
      ['backward', names.toReversed()],
      ['from every state to every other', everyPair],
    ])('has the plan of the datastore, %s', (_, order) => {
      walk(order, variant, false);
      walk(order, variant, true);
    });
  });

  test('ends at the last plan when all states are squashed into one batch', () => {
    const machine = new PolicyMachine({ hostname: 'here' });
    let before: Store = new Map();
    const updates = names.flatMap((name) => {
      const store = STATES[name] ?? new Map();
      const between = updatesBetween(before, store);
      before = store;
      return between;
    });
    machine.apply(updates);
    machine.flush();
    expect(printHostPolicy(machine.state)).toBe(planFromScratch(before));
  });

  test('says nothing when nothing changed', () => {
    const machine = new PolicyMachine({ hostname: 'here' });
    const updates = updatesBetween(new Map(), STATES['tiers and named ports'] ?? new Map());
    machine.apply(updates);
    machine.flush();
    machine.apply(updates.map((update) => structuredClone(update)));
    const { ipSets, members, policies, endpoints } = machine.flush();
    expect([ipSets.set.size, ipSets.removed.size, members.size, policies.set.size, policies.removed.size]).toEqual([
      0, 0, 0, 0, 0,
    ]);
    expect([endpoints.set.size, endpoints.removed.size]).toEqual([0, 0]);
  });

  test('keeps the state of the last flush until the next', () => {
    const machine = new PolicyMachine({ hostname: 'here' });
    const store = STATES['a policy and whom it names'] ?? new Map();
    machine.apply(updatesBetween(new Map(), store));
    machine.flush();
    const before = printHostPolicy(machine.state);
    machine.apply(updatesBetween(store, STATES['the endpoint is elsewhere'] ?? new Map()));
    expect(printHostPolicy(machine.state)).toBe(before);
  });

  test('can do the work of a flush in small pieces', () => {
    const machine = new PolicyMachine({ hostname: 'here' });
    const store = STATES['an address that two have'] ?? new Map();
    machine.apply(updatesBetween(new Map(), store));
    let pieces = 1;
    while (!machine.advance(1)) pieces += 1;
    machine.flush();
    expect(pieces).toBeGreaterThan(3);
    expect(printHostPolicy(machine.state)).toBe(planFromScratch(store));
  });
});

// ------------------------------------------------------------------------------------------------------------ random histories

const label = fc.constantFrom('a', 'b', 'c');
const value = fc.constantFrom('x', 'y');
const labelSet = fc.dictionary(label, value, { maxKeys: 3 });
const selector = fc.oneof(
  fc.constantFrom(
    'all()',
    '',
    'has(a)',
    '!has(b)',
    "a == 'x' && b == 'y'",
    "a == 'x' || !has(c)",
    "c in {'x', 'y'}",
    "a != 'x'",
  ),
  fc.tuple(label, value).map(([name, text]) => `${name} == '${text}'`),
);
const nets = fc.subarray(['192.0.2.0/24', '2001:db8::/32', '198.51.100.0/25']);
const ports = fc.subarray<number | string>([80, '90:99', 'http']);
const optional = <T>(arbitrary: fc.Arbitrary<T>) => fc.option(arbitrary, { nil: undefined });
const side = fc.record(
  {
    selector,
    notSelector: selector,
    namespaceSelector: fc.constantFrom('all()', 'global()', "a == 'x'", '!has(a)'),
    nets,
    notNets: nets,
    ports,
    notPorts: ports,
  },
  { requiredKeys: [] },
);
const rule = fc.record(
  {
    action: fc.constantFrom('Allow', 'Deny', 'Pass', 'Log'),
    protocol: fc.constantFrom('TCP', 'UDP', 'ICMP', 'ICMPv6'),
    source: side,
    destination: side,
  },
  { requiredKeys: ['action'] },
);
const policySpec = fc.record(
  {
    tier: fc.constantFrom('default', 'one', 'two'),
    order: fc.nat(3),
    selector,
    namespaceSelector: optional(fc.constantFrom('all()', "a == 'x'")),
    types: fc.subarray(['Ingress', 'Egress']),
    ingress: fc.array(rule, { maxLength: 3 }),
    egress: fc.array(rule, { maxLength: 2 }),
  },
  { requiredKeys: [] },
);
const address = fc.constantFrom('192.0.2.1/32', '192.0.2.2/32', '2001:db8::1/128', '198.51.100.1');
const change = fc.oneof(
  fc.tuple(
    fc.constantFrom('WorkloadEndpoint s/1', 'WorkloadEndpoint s/2', 'WorkloadEndpoint t/3', 'WorkloadEndpoint t/4'),
    optional(
      fc.record({
        labels: labelSet,
        spec: fc.record({
          node: fc.constantFrom('here', 'here', 'there'),
          orchestrator: fc.constant('cni'),
          interfaceName: fc.constantFrom('cali1', 'cali2', 'cali3'),
          ipNetworks: fc.uniqueArray(address, { maxLength: 2 }),
          profiles: fc.uniqueArray(fc.constantFrom('p', 'q', 'kns.s'), { maxLength: 2 }),
          ports: fc.subarray([
            { name: 'http', protocol: 'TCP', port: 80 },
            { name: 'http', protocol: 'UDP', port: 81 },
          ]),
        }),
      }),
    ),
  ),
  fc.tuple(
    fc.constantFrom('NetworkSet s/n', 'GlobalNetworkSet g'),
    optional(fc.record({ labels: labelSet, spec: fc.record({ nets }) })),
  ),
  fc.tuple(
    fc.constantFrom('Profile p', 'Profile q', 'Profile kns.s'),
    optional(
      fc.record({
        spec: fc.record({
          labelsToApply: fc.dictionary(fc.constantFrom('a', 'b', 'pcns.a'), value, { maxKeys: 2 }),
          ingress: fc.array(rule, { maxLength: 2 }),
        }),
      }),
    ),
  ),
  fc.tuple(
    fc.constantFrom('NetworkPolicy s/1', 'NetworkPolicy t/1', 'GlobalNetworkPolicy 1', 'GlobalNetworkPolicy 2'),
    optional(fc.record({ spec: policySpec })),
  ),
  fc.tuple(
    fc.constantFrom('Tier one', 'Tier two', 'Tier default'),
    optional(fc.record({ spec: fc.record({ order: fc.nat(2), defaultAction: fc.constantFrom('Deny', 'Pass') }) })),
  ),
);

describe('PolicyMachine under random updates', () => {
  test('has the plan that is computed from scratch, and its deltas lead there', () => {
    const history = fc.array(fc.tuple(fc.array(change, { minLength: 1, maxLength: 4 }), fc.boolean()), {
      maxLength: 15,
    });
    fc.assert(
      fc.property(history, (batches) => {
        const machine = new PolicyMachine({ hostname: 'here' });
        const copy = new PlanCopy();
        const store = new Map<string, object>();
        for (const [changes, isFlushed] of batches) {
          for (const [identity, object] of changes) {
            if (object === undefined) store.delete(identity);
            else store.set(identity, object);
          }
          machine.apply(changes.map(([identity, object]) => put(identity, object)));
          if (!isFlushed) machine.advance(3);
          else {
            copy.apply(machine.flush());
            expect(printHostPolicy(machine.state)).toBe(planFromScratch(store));
          }
        }
        copy.apply(machine.flush());
        expect(printHostPolicy(machine.state)).toBe(planFromScratch(store));
        expect(printHostPolicy(copy)).toBe(printHostPolicy(machine.state));
      }),
      { numRuns: Number(process.env['FC_RUNS'] ?? 150) },
    );
  });
});
