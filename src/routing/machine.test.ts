import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { printHostRouting } from '../plan/print.js';
import { RoutingMachine } from './machine.js';
import { printBgpPlan, RoutingCopy, updateOf } from './scenario.fake.js';

type Content = Readonly<Record<string, unknown>>;
/** A datastore's content: by `KIND NAME`, the object. */
type Store = Map<string, Content>;

function apply(machine: RoutingMachine, identity: string, content: Content | undefined): void {
  const [kind = '', name = ''] = identity.split(' ');
  machine.apply([updateOf(kind, name, content)]);
}

function print(routing: Pick<RoutingMachine, 'state' | 'bgp'>): string {
  return `${printHostRouting(routing.state)}\n${printBgpPlan(routing.bgp)}`;
}

function problemsOf(machine: RoutingMachine): string {
  const lines = [...machine.problems].map(([id, problems]) => `${id}: ${problems.join('; ')}`);
  return lines.toSorted().join('\n');
}

function planFromScratch(store: Store): string {
  const machine = new RoutingMachine({ hostname: 'here' });
  for (const [identity, content] of store) apply(machine, identity, content);
  machine.flush();
  return `${print(machine)}\n${problemsOf(machine)}`;
}

const cidr = fc.constantFrom('192.168.0.0/26', '192.168.0.64/26', '192.168.1.1/32');
const host = fc.constantFrom('here', 'there', 'over');
const address = fc.constantFrom('192.168.0.1/32', '192.168.0.2/32', '192.168.1.1/32', '2001:db8::1/128');
const nodeAddress = fc.constantFrom('192.0.2.1/24', '192.0.2.2/24', '192.0.2.10/24');
const optional = <T>(value: fc.Arbitrary<T>): fc.Arbitrary<T | undefined> => fc.option(value, { nil: undefined });

const endpoint = fc.tuple(
  fc.constantFrom('a', 'b', 'c').map((name) => `WorkloadEndpoint ${name}`),
  fc.record({
    node: fc.constantFrom('here', 'there'),
    interfaceName: fc.constantFrom('cali1', 'cali2'),
    mac: optional(fc.constantFrom('ee:ee:ee:ee:ee:01', 'ee:ee:ee:ee:ee:02')),
    ipNetworks: fc.uniqueArray(address, { maxLength: 3 }),
  }),
);
const block = fc.tuple(
  cidr.map((name) => `IPAMBlock ${name}`),
  fc.record({ affinity: optional(host.map((name) => `host:${name}`)) }),
);
const affinity = fc.tuple(
  fc.tuple(host, cidr).map(([owner, name]) => `BlockAffinity host:${owner}/${name}`),
  fc.record({ state: fc.constantFrom('', 'confirmed', 'pending', 'pendingDeletion') }),
);
const pool = fc.tuple(
  fc.constantFrom('IPPool p', 'IPPool q'),
  fc.record({
    cidr: fc.constantFrom('192.168.0.0/16', '2001:db8::/64'),
    natOutgoing: fc.boolean(),
    disableBGPExport: fc.boolean(),
    ipipMode: fc.constantFrom('Never', 'Always', 'CrossSubnet'),
  }),
);
const node = fc.tuple(
  host.map((name) => `Node ${name}`),
  fc.record({
    labels: fc.record({ rack: fc.constantFrom('r1', 'r2') }),
    bgp: optional(
      fc.record({
        ipv4Address: optional(nodeAddress),
        ipv6Address: optional(fc.constantFrom('2001:db8::1/64', '2001:db8::2/64')),
        asNumber: optional(fc.constantFrom(64512, 64513)),
        routeReflectorClusterID: optional(fc.constant('192.0.2.255')),
      }),
    ),
  }),
);
const configuration = fc.tuple(
  fc.constantFrom('BGPConfiguration default', 'BGPConfiguration node.here', 'BGPConfiguration node.there'),
  fc.record({ nodeToNodeMeshEnabled: optional(fc.boolean()), listenPort: optional(fc.constantFrom(179, 1790)) }),
);
const peer = fc.tuple(
  fc.constantFrom('BGPPeer x', 'BGPPeer y'),
  fc.oneof(
    fc.record({
      node: optional(host),
      peerIP: nodeAddress.map((text) => text.replace('/24', '')),
      asNumber: fc.constant(64512),
    }),
    fc.record({
      nodeSelector: fc.constantFrom("rack == 'r1'", ''),
      peerSelector: fc.constantFrom("rack == 'r2'", 'bad ('),
    }),
  ),
);

const step = fc.record({
  object: fc.oneof<fc.Arbitrary<[string, Content]>[]>(endpoint, block, affinity, pool, node, configuration, peer),
  isDeleted: fc.boolean(),
  isFlushed: fc.boolean(),
});

describe('RoutingMachine', () => {
  test('has the plan of the datastore whatever the history, and its deltas add up to it', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 40 }), (history) => {
        const machine = new RoutingMachine({ hostname: 'here' });
        const copy = new RoutingCopy();
        const store: Store = new Map();
        for (const { object, isDeleted, isFlushed } of history) {
          const [identity, content] = object;
          if (isDeleted) store.delete(identity);
          else store.set(identity, content);
          apply(machine, identity, isDeleted ? undefined : content);
          if (isFlushed) copy.apply(machine.flush());
        }
        copy.apply(machine.flush());
        const expected = planFromScratch(store);
        expect(`${print(machine)}\n${problemsOf(machine)}`).toBe(expected);
        expect(print(copy)).toBe(print(machine));
        expect(planFromScratch(new Map([...store].toReversed()))).toBe(expected);
      }),
      { numRuns: 400 },
    );
  });

  test('says nothing when nothing changed', () => {
    const machine = new RoutingMachine({ hostname: 'here' });
    const tell = (): void => {
      apply(machine, 'Node here', { bgp: { ipv4Address: '192.0.2.1/24' } });
      apply(machine, 'IPPool p', { cidr: '192.168.0.0/16', natOutgoing: true });
      apply(machine, 'IPAMBlock 192.168.0.0/26', { affinity: 'host:here' });
      apply(machine, 'WorkloadEndpoint a', { node: 'here', interfaceName: 'cali1', ipNetworks: ['192.168.0.1/32'] });
    };
    tell();
    machine.flush();
    tell();
    const flush = machine.flush();
    expect([...flush.routing.routes.set, ...flush.routing.routes.removed]).toEqual([]);
    expect([flush.routing.nat, 'bgp' in flush]).toEqual([undefined, false]);
  });

  test('says that this host no longer speaks BGP', () => {
    const machine = new RoutingMachine({ hostname: 'here' });
    apply(machine, 'Node here', { bgp: { ipv4Address: '192.0.2.1/24' } });
    expect(machine.flush().bgp?.routerId).toBe('192.0.2.1');
    apply(machine, 'Node here', undefined);
    const flush = machine.flush();
    expect(['bgp' in flush, flush.bgp]).toEqual([true, undefined]);
  });

  test('takes protocol, metrics and router id as told, also later', () => {
    const machine = new RoutingMachine({ hostname: 'here', routerId: 'hash' });
    apply(machine, 'Node here', { bgp: { ipv4Address: '192.0.2.1/24' } });
    apply(machine, 'IPAMBlock 192.168.0.0/26', { affinity: 'host:here' });
    apply(machine, 'WorkloadEndpoint a', {
      node: 'here',
      interfaceName: 'cali1',
      ipNetworks: ['192.168.0.1/32', '2001:db8::1/128'],
    });
    machine.flush();
    machine.configure({ deviceRouteProtocol: 88, ipv4Metric: 77, ipv6Metric: 66 });
    expect(machine.flush().routing.routes.set.size).toBe(3);
    const facts = [...machine.state.routes.values()].map(({ protocol, metric }) => `${protocol} ${metric}`);
    expect(facts.toSorted()).toEqual(['88 66', '88 77', '88 77']);
    expect(machine.bgp?.routerId).toBe('220.236.145.80');
  });
});
