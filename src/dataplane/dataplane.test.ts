import { beforeEach, describe, expect, test } from 'vitest';
import { FakeClock } from '../base/clock.fake.js';
import { KernelError, UnavailableError } from '../base/errors.js';
import { FakeNftables } from '../nftables/kernel.fake.js';
import type { HostRouting, RoutePlan } from '../plan/host-plan.js';
import { Dataplane, type DataplaneWanted, type EndpointStatus, type RepairCause } from './dataplane.js';
import type { DriftListener } from './drift.js';
import { FakeHostKernel } from './host-kernel.fake.js';
import { EMPTY_ROUTING, endpointPlan, hostPolicy, policyPlan, rulePlan } from './host-plan.fake.js';
import { DEFAULT_SETTINGS } from './settings.js';

const OPEN = policyPlan('pro open', { ingress: [rulePlan()], egress: [rulePlan()] });
const ROUTE: RoutePlan = {
  destination: '192.168.0.1/32',
  type: 'unicast',
  device: 'calia',
  scope: 'link',
  protocol: 3,
  metric: 0,
};
const ROUTING: HostRouting = {
  ...EMPTY_ROUTING,
  routes: new Map([[ROUTE.destination, ROUTE]]),
  neighbours: new Map([['192.168.0.1 calia', { address: '192.168.0.1', device: 'calia', mac: '02:00:5e:00:53:01' }]]),
};
const WANTED: DataplaneWanted = {
  policy: hostPolicy({
    policies: [OPEN],
    endpoints: [endpointPlan('shop/a', { addresses: ['192.168.0.1/32'], profiles: ['pro open'] })],
  }),
  routing: ROUTING,
};
const NOTHING: DataplaneWanted = { policy: hostPolicy({}), routing: EMPTY_ROUTING };

describe('Dataplane', () => {
  let kernel: FakeHostKernel;
  let nftables: FakeNftables;
  let clock: FakeClock;
  let dataplane: Dataplane;
  let drift: DriftListener | undefined;
  let status: Record<string, EndpointStatus>;
  let repairs: RepairCause[];
  let failures: string[];
  let legacy: string;
  let legacySyncs: string[];

  function open(): Dataplane {
    return new Dataplane(
      DEFAULT_SETTINGS,
      {
        nftables,
        kernel,
        clock,
        watch: (listener) => {
          drift = listener;
          return { close: () => undefined };
        },
        legacyIptables: {
          inUse: () => legacy,
          sync: () => {
            legacySyncs.push(legacy);
            return Promise.resolve(0);
          },
        },
        close: () => undefined,
      },
      {
        onEndpointStatus: (changed) => {
          status = { ...status, ...Object.fromEntries(changed) };
        },
        onRepair: (_writes, cause) => repairs.push(cause),
        onFailure: (error) => failures.push(error.message),
      },
    );
  }

  /** Work that nobody awaits: repairs run in their own turns. */
  async function settle(): Promise<void> {
    for (let i = 0; i < 50; i += 1) await clock.nextTurn();
  }

  beforeEach(async () => {
    kernel = new FakeHostKernel();
    nftables = new FakeNftables();
    clock = new FakeClock();
    status = {};
    repairs = [];
    failures = [];
    legacy = '';
    legacySyncs = [];
    for (const name of ['net/netfilter/nf_conntrack_acct', 'net/ipv4/ip_forward', 'net/ipv6/conf/all/forwarding']) {
      kernel.settings.set(name, '0');
    }
    dataplane = open();
    await dataplane.start();
  });

  test('writes nothing before the first apply, whatever the kernel tells', async () => {
    drift?.onTablesChanged(undefined);
    drift?.onRouteEvents([{ kind: 'link', change: 'set', causedBy: 0, link: kernel.addLink('calia', 2) }]);
    await settle();
    expect(nftables.commits).toHaveLength(0);
    expect(kernel.takeLog()).toEqual([]);
  });

  test('brings an endpoint up: rules, settings, route, neighbour', async () => {
    kernel.addLink('calia', 2);
    const report = await dataplane.apply(WANTED);
    expect(report.failures).toEqual([]);
    expect(report.endpoints).toEqual(new Map([['shop/a', 'up']]));
    expect(status).toEqual({ 'shop/a': 'up' });
    expect(kernel.takeLog()).toEqual([
      'replace 192.168.0.1/32 dev #2 in table main',
      'neighbour 192.168.0.1 2 02:00:5e:00:53:01',
    ]);
    expect(kernel.settings.get('net/ipv4/conf/calia/proxy_arp')).toBe('1');
    expect(kernel.settings.get('net/ipv4/conf/calia/rp_filter')).toBe('2');
    expect(kernel.settings.get('net/ipv4/ip_forward')).toBe('1');
  });

  test("an endpoint that names the host's uplink changes nothing there and stays down", async () => {
    kernel.addLink('eth0', 2);
    const uplinkSettings = () => [...kernel.settings].filter(([name]) => name.includes('eth0'));
    const before = uplinkSettings();
    const wanted: DataplaneWanted = {
      policy: hostPolicy({
        policies: [OPEN],
        endpoints: [endpointPlan('shop/a', { interfaceName: 'eth0', addresses: ['192.168.0.1/32'] })],
      }),
      routing: {
        ...EMPTY_ROUTING,
        routes: new Map([[ROUTE.destination, { ...ROUTE, device: 'eth0' }]]),
        neighbours: new Map([
          ['192.168.0.1 eth0', { address: '192.168.0.1', device: 'eth0', mac: '02:00:5e:00:53:01' }],
        ]),
      },
    };
    expect((await dataplane.apply(wanted)).endpoints).toEqual(new Map([['shop/a', 'down']]));
    expect(kernel.takeLog()).toEqual([]);
    expect(uplinkSettings()).toEqual(before);
  });

  test('a second dataplane on the same kernel writes nothing', async () => {
    kernel.addLink('calia', 2);
    await dataplane.apply(WANTED);
    await dataplane.close();
    dataplane = open();
    await dataplane.start();
    expect((await dataplane.apply(WANTED)).kernelWrites).toBe(0);
  });

  test('an interface that comes later is programmed when its link is told', async () => {
    expect((await dataplane.apply(WANTED)).endpoints).toEqual(new Map([['shop/a', 'down']]));
    drift?.onRouteEvents([{ kind: 'link', change: 'set', causedBy: 0, link: kernel.addLink('calia', 2) }]);
    await settle();
    expect(status).toEqual({ 'shop/a': 'up' });
    expect(kernel.listing()).toEqual(['192.168.0.1/32 unicast 2 proto 3']);
    expect(repairs).toEqual(['link']);
    // Somebody deletes the route.
    const [route] = await kernel.listRoutes();
    if (route === undefined) throw new Error('there is no route');
    kernel.routes.clear();
    drift?.onRouteEvents([{ kind: 'route', change: 'deleted', causedBy: 0, route }]);
    await settle();
    expect(kernel.listing()).toEqual(['192.168.0.1/32 unicast 2 proto 3']);
    expect(repairs).toEqual(['link', 'damage']);
  });

  test('an endpoint whose interface refuses its settings stays down and is tried again', async () => {
    kernel.addLink('calia', 2);
    kernel.readOnly.add('net/ipv4/conf/calia/proxy_arp');
    const report = await dataplane.apply(WANTED);
    expect(report.failures.map(({ message }) => message)).toEqual([
      'cannot write net/ipv4/conf/calia/proxy_arp: EROFS',
    ]);
    expect(status).toEqual({ 'shop/a': 'down' });
    kernel.readOnly.clear();
    await clock.advance(10_000);
    await settle();
    expect(status).toEqual({ 'shop/a': 'up' });
  });

  test('rules that the kernel refuses fail the apply before any route is touched', async () => {
    kernel.addLink('calia', 2);
    nftables.failure = new KernelError({ operation: 'add table inet calico', errno: 1, errnoName: 'EPERM' });
    await expect(dataplane.apply(WANTED)).rejects.toThrow('cannot add table inet calico: EPERM');
    expect(kernel.takeLog()).toEqual([]);
    nftables.failure = undefined;
    // Whatever the delta says: what the failed apply would have done is done as well.
    expect((await dataplane.apply(WANTED, {})).endpoints).toEqual(new Map([['shop/a', 'up']]));
  });

  test('a failed apply is tried again by itself', async () => {
    kernel.addLink('calia', 2);
    await dataplane.apply(NOTHING);
    nftables.failure = new KernelError({ operation: 'add table inet calico', errno: 12, errnoName: 'ENOMEM' });
    await expect(dataplane.apply(WANTED)).rejects.toThrow('ENOMEM');
    nftables.failure = undefined;
    await clock.advance(10_000);
    await settle();
    expect(status).toEqual({ 'shop/a': 'up' });
    expect(nftables.dump()).toContain('"calia" : goto eg-');
  });

  test('repairs a table that somebody deleted, and tries again when the repair fails', async () => {
    await dataplane.apply(WANTED);
    const before = nftables.dump();
    await nftables.commit([{ verb: 'delete', object: { kind: 'table', family: 'inet', name: 'calico' } }]);
    nftables.failure = new KernelError({ operation: 'add table inet calico', errno: 12, errnoName: 'ENOMEM' });
    drift?.onTablesChanged([{ family: 'inet', name: 'calico' }]);
    await settle();
    expect(failures).toEqual(['cannot add table inet calico: ENOMEM']);
    nftables.failure = undefined;
    await clock.advance(10_000);
    await settle();
    expect(sorted(nftables.dump())).toBe(sorted(before));
    expect(repairs).toEqual(['damage']);
  });

  test('a route that a broken repair could not set is set by the next', async () => {
    await dataplane.apply(WANTED);
    kernel.failure = new UnavailableError('ERR_CALI_TEST_LOST', 'answers were lost');
    drift?.onRouteEvents([{ kind: 'link', change: 'set', causedBy: 0, link: kernel.addLink('calia', 2) }]);
    await settle();
    expect(failures).toEqual(['answers were lost']);
    expect(kernel.listing()).toEqual([]);
    kernel.failure = undefined;
    await clock.advance(10_000);
    await settle();
    expect(kernel.listing()).toEqual(['192.168.0.1/32 unicast 2 proto 3']);
  });

  test('puts its rules back into a table of iptables, and leaves the others there alone', async () => {
    await dataplane.apply(WANTED);
    const table = { family: 'ip', name: 'filter' } as const;
    await nftables.commit([{ verb: 'flush', object: { kind: 'table', ...table } }]);
    drift?.onTablesChanged([table]);
    await settle();
    const seen = await nftables.readTable(table);
    expect([...(seen?.chains ?? [])].map(([name, { rules }]) => `${name} ${rules.length}`)).toEqual([
      'FORWARD 3',
      'INPUT 2',
    ]);
  });

  test('news of other tables, and of links that are none of ours, cost nothing', async () => {
    await dataplane.apply(WANTED);
    const commits = nftables.commits.length;
    drift?.onTablesChanged([{ family: 'ip', name: 'nat' }]);
    drift?.onRouteEvents([{ kind: 'link', change: 'set', causedBy: 0, link: kernel.addLink('docker0', 9) }]);
    await settle();
    expect(nftables.commits).toHaveLength(commits);
    expect(repairs).toEqual([]);
  });

  test('legacy iptables that somebody begins to use with a new interface gets its rules, once', async () => {
    await dataplane.apply(WANTED);
    expect(legacySyncs).toEqual(['']);
    legacy = 'iptables-legacy';
    const link = kernel.addLink('docker0', 9);
    drift?.onRouteEvents([{ kind: 'link', change: 'set', causedBy: 0, link }]);
    await settle();
    drift?.onRouteEvents([{ kind: 'link', change: 'set', causedBy: 0, link: { ...link, isUp: !link.isUp } }]);
    await settle();
    expect(legacySyncs).toEqual(['', 'iptables-legacy']);
  });

  test('lost notifications: everything is compared again', async () => {
    kernel.addLink('calia', 2);
    await dataplane.apply(WANTED);
    kernel.routes.clear();
    drift?.onRouteEvents([{ kind: 'overrun' }]);
    await settle();
    expect(kernel.listing()).toEqual(['192.168.0.1/32 unicast 2 proto 3']);
  });

  test('removes all it had made when nothing is wanted any more', async () => {
    kernel.addLink('calia', 2);
    await dataplane.apply(WANTED);
    kernel.takeLog();
    const report = await dataplane.apply(NOTHING);
    expect(report.endpoints.size).toBe(0);
    expect(kernel.listing()).toEqual([]);
    expect(kernel.takeLog()).toEqual([
      'delete 192.168.0.1/32 dev #2 in table main',
      'forget flows of 192.168.0.1',
      'delete neighbour 192.168.0.1 2',
    ]);
  });

  test('closing twice is fine, and leaves everything in place', async () => {
    kernel.addLink('calia', 2);
    await dataplane.apply(WANTED);
    const before = nftables.dump();
    await dataplane.close();
    await dataplane.close();
    expect(nftables.dump()).toBe(before);
    expect(kernel.listing()).toHaveLength(1);
  });
});

function sorted(dump: string): string {
  return dump
    .split(/\n(?=\t\S|table)/)
    .toSorted()
    .join('\n');
}
