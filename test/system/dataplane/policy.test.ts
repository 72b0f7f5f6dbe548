import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import {
  endpointPlan,
  hostPolicy,
  netSet,
  policyDelta,
  policyPlan,
  rulePlan,
} from '../../../src/dataplane/host-plan.fake.js';
import { TestHost, type TestWorkload, routingOf } from './test-host.js';

const A4 = '192.168.0.1';
const B4 = '192.168.0.2';
const A6 = 'fd80:24e2:f998:72d6::1';
const B6 = 'fd80:24e2:f998:72d6::2';

const OPEN = policyPlan('pro open', { ingress: [rulePlan()], egress: [rulePlan()] });
const TIER = { name: 'default', ingress: ['np shop/web'], egress: [], defaultAction: 'deny' } as const;
const endpointA = endpointPlan('shop/a', { addresses: [`${A4}/32`, `${A6}/128`], profiles: ['pro open'] });
const endpointB = endpointPlan('shop/b', { addresses: [`${B4}/32`, `${B6}/128`], profiles: ['pro open'] });

const EVERYTHING_OPEN = hostPolicy({ policies: [OPEN], endpoints: [endpointA, endpointB] });
const ONLY_80_FROM_A = hostPolicy({
  ipSets: [netSet('s:a', [`${A4}/32`, `${A6}/128`], "name == 'a'")],
  policies: [
    OPEN,
    policyPlan('np shop/web', {
      ingress: [
        rulePlan({ protocol: 6, source: { sets: ['s:a'] }, destination: { ports: [{ first: 80, last: 80 }] } }),
      ],
    }),
  ],
  endpoints: [endpointA, { ...endpointB, tiers: [TIER] }],
});

describe('enforcement between two workloads of a host', () => {
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

  const tcp = (source: string, destination: string, destinationPort: number): Promise<boolean> =>
    host.arrives(a, b, { source, destination, protocol: 6, sourcePort: 40_000 + destinationPort, destinationPort });

  test('nothing passes before an endpoint is known, everything its policy allows afterwards, in both families', async () => {
    await host.apply(hostPolicy({}));
    expect(await tcp(A4, B4, 80)).toBe(false);
    expect(await tcp(A6, B6, 80)).toBe(false);
    await host.apply(EVERYTHING_OPEN, { policy: policyDelta(hostPolicy({}), EVERYTHING_OPEN) });
    expect(await tcp(A4, B4, 81)).toBe(true);
    expect(await tcp(A6, B6, 81)).toBe(true);
    expect(host.pings(a.namespace, B4)).toBe(true);
    expect(host.pings(a.namespace, B6)).toBe(true);
    expect(host.pings(host.outside, B4)).toBe(true);
  });

  test('a policy edit lets one port through and closes it again', async () => {
    await host.apply(EVERYTHING_OPEN);
    const writes = await host.apply(ONLY_80_FROM_A, { policy: policyDelta(EVERYTHING_OPEN, ONLY_80_FROM_A) });
    expect(writes).toBeGreaterThan(0);
    expect(await tcp(A4, B4, 80)).toBe(true);
    expect(await tcp(A6, B6, 80)).toBe(true);
    expect(await tcp(A4, B4, 443)).toBe(false);
    expect(host.pings(host.outside, B4)).toBe(false);
    await host.apply(EVERYTHING_OPEN, { policy: policyDelta(ONLY_80_FROM_A, EVERYTHING_OPEN) });
    expect(await tcp(A4, B4, 444)).toBe(true);
  });

  test('what an endpoint may send from is what is routed to it', async () => {
    await host.apply(EVERYTHING_OPEN);
    expect(
      await host.arrives(a, b, { source: '192.168.0.9', destination: B4, protocol: 17, destinationPort: 53 }),
    ).toBe(false);
    expect(
      await host.arrives(a, b, {
        source: 'fd80:24e2:f998:72d6::9',
        destination: B6,
        protocol: 17,
        destinationPort: 53,
      }),
    ).toBe(false);
    expect(host.run('nft', 'list', 'counter', 'inet', 'calico', 'spoofed-source')).toMatch(/packets [1-9]/);
  });

  test('a workload does not reach its host, the host reaches it, and iptables counts the drop', async () => {
    await host.apply(EVERYTHING_OPEN);
    expect(host.pings(a.namespace, '198.51.100.1')).toBe(false);
    expect(host.pings(a.namespace, '2001:db8::1')).toBe(false);
    expect(host.pings(host.namespace, A4)).toBe(true);
    expect(host.pings(host.namespace, A6)).toBe(true);
    expect(host.run('iptables-save', '-c')).toMatch(/\[[1-9]\d*:\d+\] -A INPUT -i cali\+ -j DROP/);
    await host.dataplane({ endpointToHostAction: 'accept' });
    await host.apply(EVERYTHING_OPEN);
    expect(host.pings(a.namespace, '198.51.100.1')).toBe(true);
    expect(host.pings(a.namespace, '2001:db8::1')).toBe(true);
    expect(host.run('iptables-save')).not.toMatch(/-A INPUT .*-j DROP/);
  });

  test('iptables with FORWARD at DROP does not stop what policy allows', async () => {
    await host.apply(ONLY_80_FROM_A);
    for (const program of ['iptables', 'ip6tables']) host.run(program, '-P', 'FORWARD', 'DROP');
    expect(await tcp(A4, B4, 80)).toBe(true);
    expect(await tcp(A6, B6, 80)).toBe(true);
    expect(await tcp(A4, B4, 443)).toBe(false);
    expect(host.run('iptables-save', '-c')).toMatch(/-A FORWARD -m mark --mark 0x10000\/0x10000 .*-j ACCEPT/);
  });

  test('masquerades what leaves a pool with natOutgoing, and nothing that stays inside', async () => {
    const nat = { masqueradedPools: ['192.168.0.0/16'], allPools: ['192.168.0.0/16', 'fd80:24e2:f998:72d6::/64'] };
    await host.apply(EVERYTHING_OPEN);
    expect(host.pings(a.namespace, '198.51.100.2')).toBe(true);
    const dataplane = await host.dataplane();
    await dataplane.apply({ policy: EVERYTHING_OPEN, routing: { ...routingOf(EVERYTHING_OPEN), nat } });
    expect(host.attempt(host.outside, 'ip', 'route', 'del', '192.168.0.0/16').status).toBe(0);
    expect(host.pings(a.namespace, '198.51.100.2')).toBe(true);
    expect(await tcp(A4, B4, 80)).toBe(true);
  });

  test('the duplicate-address probe of a workload stays unanswered, its gateway answers', async () => {
    await host.apply(EVERYTHING_OPEN);
    const request = (target: readonly number[], sender: readonly number[]): Buffer =>
      Buffer.concat([
        Buffer.alloc(6, 0xff),
        Buffer.from(a.mac.replaceAll(':', ''), 'hex'),
        Buffer.from([8, 6, 0, 1, 8, 0, 6, 4, 0, 1]),
        Buffer.from(a.mac.replaceAll(':', ''), 'hex'),
        Buffer.from([...sender, 0, 0, 0, 0, 0, 0, ...target]),
      ]);
    const isReply = Buffer.from([8, 6, 0, 1, 8, 0, 6, 4, 0, 2]);
    a.port.drain();
    a.port.send(request([192, 168, 0, 1], [0, 0, 0, 0]));
    expect(await a.port.hears(isReply, 50)).toBe(false);
    a.port.send(request([169, 254, 1, 1], [192, 168, 0, 1]));
    expect(await a.port.hears(isReply, 500)).toBe(true);
  });

  test('a restart with nothing changed writes nothing and interrupts nothing', async () => {
    await host.apply(ONLY_80_FROM_A);
    await host.dataplane();
    expect(await host.apply(ONLY_80_FROM_A)).toBe(0);
    expect(await tcp(A4, B4, 80)).toBe(true);
  });

  test('a restart finds lists at the ends of what there is as it left them', async () => {
    const ends = rulePlan({
      protocol: 17,
      source: {
        nets: ['0.0.0.0/0', '::/0'],
        notNets: ['0.0.0.0/32', '255.255.255.255/32', '2001:db8::/33', '2001:db8:8000::/33'],
      },
      destination: {
        ports: [
          { first: 0, last: 79 },
          { first: 9000, last: 65_535 },
        ],
      },
    });
    const policies = [...ONLY_80_FROM_A.policies].map(
      ([id, plan]) => [id, { ...plan, ingress: [...plan.ingress, ends] }] as const,
    );
    const policy = { ...ONLY_80_FROM_A, policies: new Map(policies) };
    await host.apply(policy);
    expect(host.run('nft', 'list', 'table', 'inet', 'calico')).toContain('elements = { 0-79, 9000-65535 }');
    await host.dataplane();
    expect(await host.apply(policy)).toBe(0);
  });

  test('removes what it finds in its table and does not want', async () => {
    await host.apply(EVERYTHING_OPEN);
    const before = host.run('nft', '--stateless', 'list', 'ruleset');
    await host.dataplane();
    await host.apply(ONLY_80_FROM_A);
    host.run('nft', 'add set inet calico leftover { type ipv4_addr; }');
    host.run('nft', 'add rule inet calico forward-survivors accept');
    await host.dataplane();
    expect(await host.apply(EVERYTHING_OPEN)).toBeGreaterThan(0);
    expect(host.run('nft', '--stateless', 'list', 'ruleset')).toBe(before);
  });
});
