import { beforeEach, describe, expect, test } from 'vitest';
import { FakeClock } from '../base/clock.fake.js';
import { parsePrefix } from '../net/prefix.js';
import { type NewRoute, completeRoute, routeKey } from '../netlink/route/route.js';
import type { RoutePlan } from '../plan/host-plan.js';
import { FakeHostKernel } from './host-kernel.fake.js';
import { Links } from './links.js';
import { RouteTable } from './routes.js';
import { DEFAULT_SETTINGS } from './settings.js';

function workloadRoute(destination: string, device: string): RoutePlan {
  return { destination, type: 'unicast', device, scope: 'link', protocol: 3, metric: 0 };
}

function blockRoute(destination: string): RoutePlan {
  return { destination, type: 'blackhole', scope: 'global', protocol: 80, metric: 0 };
}

function mapOf(...routes: readonly RoutePlan[]): ReadonlyMap<string, RoutePlan> {
  return new Map(routes.map((route) => [route.destination, route]));
}

describe('RouteTable', () => {
  let kernel: FakeHostKernel;
  let links: Links;
  let clock: FakeClock;
  let table: RouteTable;

  beforeEach(() => {
    kernel = new FakeHostKernel();
    links = new Links();
    clock = new FakeClock();
    table = new RouteTable({ kernel, links, settings: DEFAULT_SETTINGS, clock });
    links.put(kernel.addLink('eth0', 1), clock.monotonicMs());
    links.put(kernel.addLink('calia', 2), clock.monotonicMs());
    links.put(kernel.addLink('calib', 3), clock.monotonicMs());
  });

  function given(route: NewRoute): void {
    kernel.routes.set(routeKey(route), completeRoute(route));
  }

  test('adds what is missing, once', async () => {
    table.want(mapOf(workloadRoute('192.168.0.1/32', 'calia'), blockRoute('192.168.0.0/26')));
    expect((await table.flush()).writes).toBe(2);
    expect(kernel.listing()).toEqual(['192.168.0.0/26 blackhole - proto 80', '192.168.0.1/32 unicast 2 proto 3']);
    await table.resync();
    expect((await table.flush()).writes).toBe(0);
    expect(table.isComplete('calia')).toBe(true);
  });

  test('takes the metric 1024 that IPv6 gives for 0 as the same route', async () => {
    table.want(mapOf(workloadRoute('2001:db8::1/128', 'calia')));
    await table.flush();
    await table.resync();
    expect((await table.flush()).writes).toBe(0);
  });

  test('waits for a device, and programs it when it is up', async () => {
    table.want(mapOf(workloadRoute('192.168.0.9/32', 'calic')));
    expect(await table.flush()).toEqual({ writes: 0, failures: [] });
    expect(table.isComplete('calic')).toBe(false);
    links.put(kernel.addLink('calic', 4), clock.monotonicMs());
    table.linkChanged('calic', 4);
    expect((await table.flush()).writes).toBe(1);
    expect(table.isComplete('calic')).toBe(true);
  });

  test('an address that moves loses its connections between the old route and the new', async () => {
    table.want(mapOf(workloadRoute('192.168.0.1/32', 'calia')));
    await table.flush();
    kernel.takeLog();
    const moved = workloadRoute('192.168.0.1/32', 'calib');
    table.want(mapOf(moved), { set: mapOf(moved), removed: new Set() });
    await table.flush();
    expect(kernel.takeLog()).toEqual([
      'delete 192.168.0.1/32 dev #2 in table main',
      'forget flows of 192.168.0.1',
      'replace 192.168.0.1/32 dev #3 in table main',
    ]);
  });

  test('an address whose link went keeps its connections until the plan lets it go', async () => {
    table.want(mapOf(workloadRoute('192.168.0.1/32', 'calia')));
    await table.flush();
    kernel.takeLog();
    const link = links.get('calia');
    if (link !== undefined) links.drop(link);
    kernel.links.delete('calia');
    table.linkChanged('calia', 2);
    await table.flush();
    expect(kernel.takeLog()).toEqual([]);
    table.want(new Map(), { set: new Map(), removed: new Set(['192.168.0.1/32']) });
    await table.flush();
    expect(kernel.takeLog()).toEqual(['forget flows of 192.168.0.1']);
  });

  test('leaves unknown routes of workload interfaces their grace, and removes those of our protocol at once', async () => {
    given({ destination: parsePrefix('192.168.0.7/32'), interfaceIndex: 2 });
    given({ destination: parsePrefix('10.9.0.0/26'), interfaceIndex: 1, protocol: 80 });
    given({ destination: parsePrefix('203.0.113.0/24'), interfaceIndex: 1, protocol: 4 });
    given({ destination: parsePrefix('fe80::/64'), interfaceIndex: 2, protocol: 2 });
    await table.resync();
    await table.flush();
    expect(kernel.listing()).toEqual([
      '192.168.0.7/32 unicast 2 proto 3',
      '203.0.113.0/24 unicast 1 proto 4',
      'fe80::/64 unicast 2 proto 2',
    ]);
    expect(table.nextDueMs()).toBe(clock.monotonicMs() + 10_000);
    await clock.advance(10_000);
    await table.flush();
    expect(kernel.listing()).toEqual(['203.0.113.0/24 unicast 1 proto 4', 'fe80::/64 unicast 2 proto 2']);
    expect(kernel.takeLog()).toContain('forget flows of 192.168.0.7');
    expect(table.nextDueMs()).toBeUndefined();
  });

  test('adopts a route that was there before its endpoint was known', async () => {
    given({ destination: parsePrefix('192.168.0.7/32'), interfaceIndex: 2 });
    await table.resync();
    await table.flush();
    const known = workloadRoute('192.168.0.7/32', 'calia');
    table.want(mapOf(known), { set: mapOf(known), removed: new Set() });
    await table.flush();
    await clock.advance(20_000);
    await table.flush();
    expect(kernel.listing()).toEqual(['192.168.0.7/32 unicast 2 proto 3']);
  });

  test('puts back what somebody deleted or changed, and leaves its own news alone', async () => {
    table.want(mapOf(workloadRoute('192.168.0.1/32', 'calia')));
    await table.flush();
    const route = completeRoute({ destination: parsePrefix('192.168.0.1/32'), interfaceIndex: 2 });
    expect(table.routeChanged('set', route)).toBe(false);
    kernel.routes.clear();
    expect(table.routeChanged('deleted', route)).toBe(true);
    await table.flush();
    expect(kernel.listing()).toEqual(['192.168.0.1/32 unicast 2 proto 3']);
    const stolen = completeRoute({ destination: parsePrefix('192.168.0.1/32'), interfaceIndex: 1 });
    kernel.routes.set(routeKey(stolen), stolen);
    expect(table.routeChanged('set', stolen)).toBe(true);
    await table.flush();
    expect(kernel.listing()).toEqual(['192.168.0.1/32 unicast 2 proto 3']);
  });

  test('tries again what the kernel refused', async () => {
    table.want(mapOf(workloadRoute('192.168.0.1/32', 'calia')));
    kernel.addLink('calia', 2, false);
    const first = await table.flush();
    expect(first.failures.map(({ code }) => code)).toEqual(['ERR_CALI_KERNEL_ENETDOWN']);
    kernel.addLink('calia', 2, true);
    expect((await table.flush()).writes).toBe(1);
  });
});
