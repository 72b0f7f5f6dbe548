import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { ResourceUpdate } from '../api/resource-update.js';
import type { Rule } from '../api/rule.js';
import { validate } from '../api/validate.js';
import { type Direction, evaluatePacket, type Packet } from '../policy/evaluate.js';
import { PolicyMachine } from '../policy/machine.js';
import { updateOf } from '../policy/scenario.fake.js';
import { canReach } from './reach.js';
import { unreachableRules } from './unreachable-rules.js';

/** Mostly nothing, or no rule would cover another. */
const rarely = <T>(arbitrary: fc.Arbitrary<T>) =>
  fc.oneof({ weight: 3, arbitrary: fc.constant(undefined) }, { weight: 1, arbitrary });
const some = <T>(...values: T[]) => rarely(fc.constantFrom(...values));
const NETS = ['10.0.0.0/8', '10.0.1.0/24', '10.0.1.7/32', '192.0.2.0/24', '0.0.0.0/0'];
const lists = (values: readonly (string | number)[]) =>
  rarely(fc.uniqueArray(fc.constantFrom(...values), { minLength: 1, maxLength: 2 }));
const side = fc.record({
  nets: lists(NETS),
  notNets: lists(NETS.slice(0, 4)),
  selector: some("a == 'x'", "a == 'x' && b == 'y'", 'has(b)', 'all()'),
  notSelector: some("a == 'x'", 'has(b)'),
  ports: lists([53, 80, '50:60', '1:100', 'dns']),
  notPorts: lists([53, '50:60', 80]),
});
/** Fields that the protocol does not have are left out. */
const rule = fc
  .record({
    action: fc.constantFrom('Allow', 'Deny', 'Log', 'Pass'),
    protocol: fc.constantFrom('TCP', 'UDP', 'ICMP', undefined),
    notProtocol: some('TCP', 'UDP'),
    icmp: some({ type: 8 }, { type: 8, code: 0 }),
    notICMP: some({ type: 8 }, { type: 8, code: 0 }),
    source: side,
    destination: side,
  })
  .map(({ icmp, notICMP, source, destination, ...rest }) => {
    if (rest.protocol === 'ICMP') return { ...rest, icmp, notICMP, ...withoutPorts(source, destination) };
    return rest.protocol === undefined
      ? { ...rest, ...withoutPorts(source, destination) }
      : { ...rest, source, destination };
  });

function withoutPorts(source: object, destination: object): object {
  const none = { ports: undefined, notPorts: undefined };
  return { source: { ...source, ...none }, destination: { ...destination, ...none } };
}

function plain<T>(value: T): T {
  return JSON.parse(JSON.stringify(value)) as T;
}

/** Rules that somebody could have typed. */
const rules = fc.array(rule, { minLength: 2, maxLength: 12 }).map((list) =>
  plain(list).filter(
    (each) =>
      validate({
        apiVersion: 'projectcalico.org/v3',
        kind: 'GlobalNetworkPolicy',
        metadata: { name: 'p' },
        spec: { ingress: [each] },
      }).length === 0,
  ),
) as unknown as fc.Arbitrary<readonly Rule[]>;

const ADDRESSES = ['10.0.1.7', '10.0.1.8', '10.0.2.1', '10.9.9.9', '192.0.2.1', '203.0.113.1'];
const packet: fc.Arbitrary<Packet> = fc.record({
  source: fc.constantFrom(...ADDRESSES),
  destination: fc.constantFrom(...ADDRESSES),
  protocol: fc.constantFrom(1, 6, 17, 47),
  sourcePort: fc.constantFrom(53, 55, 80, 81, 40_000),
  destinationPort: fc.constantFrom(53, 55, 80, 81),
  icmp: fc.constantFrom({ type: 8, code: 0 }, { type: 8, code: 1 }, { type: 0, code: 0 }),
});

function workload(name: string, address: string, labels: object, ports: readonly object[] = []): ResourceUpdate {
  const spec = { node: 'here', orchestrator: 'cni', interfaceName: `cali${name}`, ipNetworks: [address], ports };
  return updateOf('WorkloadEndpoint', `shop/${name}`, { spec, labels });
}

const dns = { name: 'dns', protocol: 'UDP', port: 53 };

function machineWith(direction: Direction, list: readonly Rule[]): PolicyMachine {
  const machine = new PolicyMachine({ hostname: 'here' });
  const types = [direction === 'ingress' ? 'Ingress' : 'Egress'];
  machine.apply([
    workload('a', '10.0.1.7', { a: 'x' }, [dns]),
    workload('b', '10.0.2.1', { a: 'x', b: 'y' }),
    workload('c', '192.0.2.1', { b: 'y' }),
    updateOf('GlobalNetworkPolicy', 'p', { spec: { types, selector: "a == 'x' && !has(b)", [direction]: list } }),
  ]);
  machine.flush();
  return machine;
}

describe('unreachableRules()', () => {
  test('names only rules that no packet gets to', () => {
    let found = 0;
    fc.assert(
      fc.property(rules, fc.array(packet, { minLength: 40, maxLength: 40 }), (list, packets) => {
        const unreachable = new Set(unreachableRules(list, undefined).map(({ index }) => index));
        found += unreachable.size;
        if (unreachable.size === 0) return;
        const { state } = machineWith('ingress', list);
        for (const each of packets) {
          const { trail } = evaluatePacket(state, 'shop/a', 'ingress', each);
          const reached = trail.filter(
            ({ policyId, rule: { index } }) => policyId === 'gnp p' && unreachable.has(index),
          );
          expect(reached).toEqual([]);
        }
      }),
      { numRuns: 600 },
    );
    expect(found).toBeGreaterThan(150);
  });

  const cases: readonly (readonly [string, object, object, boolean])[] = [
    ['everything', {}, { protocol: 'TCP', source: { selector: "a == 'x'" } }, true],
    ['a wider network', { source: { nets: ['10.0.0.0/8'] } }, { source: { nets: ['10.0.1.0/24'] } }, true],
    ['a narrower network', { source: { nets: ['10.0.1.0/24'] } }, { source: { nets: ['10.0.0.0/8'] } }, false],
    [
      'one selector of two',
      { source: { selector: "a == 'x'" } },
      { source: { selector: "a == 'x' && b == 'y'" } },
      true,
    ],
    ['all() leaves strangers', { source: { selector: 'all()' } }, {}, false],
    [
      'ranges that meet',
      { protocol: 'TCP', destination: { ports: ['1:80', '81:90'] } },
      { protocol: 'TCP', destination: { ports: ['70:90'] } },
      true,
    ],
    [
      'a port of many',
      { protocol: 'TCP', destination: { ports: [80] } },
      { protocol: 'TCP', destination: { ports: [80, 81] } },
      false,
    ],
    ['all but what it needs', { source: { notNets: ['192.0.2.0/24'] } }, { source: { nets: ['10.0.0.0/8'] } }, true],
    ['all but a part of it', { source: { notNets: ['10.0.1.0/24'] } }, { source: { nets: ['10.0.0.0/8'] } }, false],
    ['another protocol', { notProtocol: 'UDP' }, { protocol: 'TCP' }, true],
    ['another family', { ipVersion: 4 }, {}, false],
    [
      'an ICMP type with its codes',
      { protocol: 'ICMP', icmp: { type: 8 } },
      { protocol: 'ICMP', icmp: { type: 8, code: 0 } },
      true,
    ],
  ];
  test.each(cases)('a rule above takes %s', (_, above, below, isTaken) => {
    const list = [
      { action: 'Deny', ...above },
      { action: 'Allow', ...below },
    ] as unknown as readonly Rule[];
    expect(unreachableRules(list, undefined)).toEqual(isTaken ? [{ index: 1, takenBy: 0 }] : []);
    const logged = [
      { action: 'Log', ...above },
      { action: 'Allow', ...below },
    ] as unknown as readonly Rule[];
    expect(unreachableRules(logged, undefined)).toEqual([]);
  });
});

describe('canReach()', () => {
  test('says no only where no packet passes, and yes only where one does', () => {
    const seen = new Set<string>();
    fc.assert(
      fc.property(
        fc.constantFrom('ingress' as const, 'egress' as const),
        rules,
        fc.array(packet, { minLength: 40, maxLength: 40 }),
        (direction, list, packets) => {
          const { state } = machineWith(direction, list);
          const way = { direction, protocols: [6, 17], port: 53 };
          const reach = canReach(state, 'shop/a', way, { left: 5000 });
          seen.add(reach);
          const passes = packets.some(({ source, destination, protocol }) => {
            const ends =
              direction === 'egress' ? { source: '10.0.1.7', destination } : { source, destination: '10.0.1.7' };
            const each = { ...ends, protocol, sourcePort: 40_000, destinationPort: 53 };
            if (protocol !== 6 && protocol !== 17) return false;
            return evaluatePacket(state, 'shop/a', direction, each).action === 'allow';
          });
          if (passes) expect(reach).not.toBe('no');
          else expect(['yes', 'no', 'unknown']).toContain(reach);
        },
      ),
      { numRuns: 300 },
    );
    expect([...seen].toSorted()).toEqual(['no', 'unknown', 'yes']);
  });

  test('finds the one address that is let through', () => {
    const list = [
      { action: 'Deny', destination: { notNets: ['10.0.0.0/8'] } },
      { action: 'Deny', destination: { nets: ['10.0.0.0/9', '10.128.0.0/10', '10.192.0.0/11', '10.224.0.0/12'] } },
      { action: 'Allow', protocol: 'UDP', destination: { ports: [53] } },
    ] as unknown as readonly Rule[];
    const way = { direction: 'egress', protocols: [17], port: 53 } as const;
    expect(canReach(machineWith('egress', list).state, 'shop/a', way, { left: 100 })).toBe('yes');
    const closed = list.with(1, { action: 'Deny', destination: { nets: ['10.0.0.0/8'] } });
    expect(canReach(machineWith('egress', closed).state, 'shop/a', way, { left: 100 })).toBe('no');
    expect(canReach(machineWith('egress', closed).state, 'shop/a', way, { left: 1 })).toBe('unknown');
  });
});
