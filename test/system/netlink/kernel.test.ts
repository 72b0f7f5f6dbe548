import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { parseAddress } from '../../../src/net/address.js';
import { formatPrefix, parsePrefix } from '../../../src/net/prefix.js';
import { isErrno, NetlinkError } from '../../../src/netlink/errors.js';
import { NLM_F_DUMP, oneRequest } from '../../../src/netlink/message.js';
import { monitorNftables, monitorRoutes, type RouteEvent, type RouteTopic } from '../../../src/netlink/monitor.js';
import { listInterfaceAddresses, replaceInterfaceAddress } from '../../../src/netlink/route/address.js';
import { deleteInterfaceAddress } from '../../../src/netlink/route/address.js';
import { changeLink, createVeth, deleteLink, findLink, listLinks } from '../../../src/netlink/route/link.js';
import { deleteNeighbour, listNeighbours, replaceNeighbour } from '../../../src/netlink/route/neighbour.js';
import {
  addRoute,
  changeRoutes,
  completeRoute,
  deleteRoute,
  listRoutes,
  type NewRoute,
  type Route,
  replaceRoute,
} from '../../../src/netlink/route/route.js';
import { NetlinkSocket } from '../../../src/netlink/socket.js';
import { NETLINK_NETFILTER, NETLINK_ROUTE } from '../../../src/sys/constants.js';
import { EEXIST, ENODEV, ENOENT } from '../../../src/sys/errno.js';
import { NetworkNamespace } from '../../../src/sys/namespace.js';

let namespace: NetworkNamespace;
let socket: NetlinkSocket;
let descriptorsBefore: number;

function openDescriptors(): number {
  return fs.readdirSync('/proc/self/fd').length;
}

/** What the tool of everybody else sees. */
function ip(...args: readonly string[]): string {
  return namespace.run(() => execFileSync('ip', args, { encoding: 'utf8' })).trim();
}

beforeEach(async () => {
  // The event loop's own descriptors exist from the first use on.
  using warm = NetworkNamespace.create();
  using first = monitorRoutes({ topics: ['link'], namespace: warm, listener: () => undefined });
  first.close();
  warm.close();
  descriptorsBefore = openDescriptors();
  namespace = NetworkNamespace.create();
  socket = NetlinkSocket.open(NETLINK_ROUTE, { namespace });
  await createVeth(socket, { name: 'v0', mtu: 1400, peer: { name: 'v1', mac: '02:00:5e:00:53:01', mtu: 1400 } });
});

afterEach(() => {
  socket.close();
  namespace.close();
  expect(openDescriptors()).toBe(descriptorsBefore);
});

async function indexOf(name: string): Promise<number> {
  return (await findLink(socket, name))?.index ?? -1;
}

async function upWithAddress(): Promise<number> {
  const index = await indexOf('v0');
  await changeLink(socket, await indexOf('v1'), { up: true });
  await changeLink(socket, index, { up: true });
  await replaceInterfaceAddress(socket, { interfaceIndex: index, prefix: parsePrefix('192.0.2.1/24') });
  await replaceInterfaceAddress(socket, { interfaceIndex: index, prefix: parsePrefix('2001:db8::1/64'), noDad: true });
  return index;
}

describe('links', () => {
  test('a veth has MAC and MTU from its first moment, and changes as asked', async () => {
    expect(await findLink(socket, 'v1')).toMatchObject({
      kind: 'veth',
      mac: '02:00:5e:00:53:01',
      mtu: 1400,
      isUp: false,
    });
    const index = await indexOf('v1');
    await changeLink(socket, index, {
      up: true,
      mtu: 1300,
      name: 'web',
      mac: '02:00:5e:00:53:02',
      addressGeneration: 'none',
    });
    expect(ip('-d', 'link', 'show', 'web')).toMatch(/UP.*mtu 1300[\s\S]*02:00:5e:00:53:02[\s\S]*addrgenmode none/);
    await changeLink(socket, await indexOf('v0'), { up: true });
    expect(await findLink(socket, 'web')).toMatchObject({ index, isUp: true, isRunning: true });
    expect(await deleteLink(socket, index)).toBe(true);
    expect(await deleteLink(socket, 'v0')).toBe(false);
    expect((await listLinks(socket)).map(({ name }) => name)).toEqual(['lo']);
  });

  test('one end of a veth is born in, or moved to, another namespace', async () => {
    using other = NetworkNamespace.create();
    using otherSocket = NetlinkSocket.open(NETLINK_ROUTE, { namespace: other });
    await createVeth(otherSocket, { name: 'eth0', peer: { name: 'cali0', namespace } });
    expect(await findLink(socket, 'cali0')).toMatchObject({ kind: 'veth' });
    await changeLink(socket, await indexOf('v1'), { namespace: other });
    expect((await listLinks(otherSocket)).map(({ name }) => name).toSorted()).toEqual(['eth0', 'lo', 'v1']);
  });

  test('what the kernel refuses carries the errno, its words and the attempt', async () => {
    const taken = await createVeth(socket, { name: 'v0', peer: { name: 'v9' } }).catch((error: unknown) => error);
    expect(isErrno(taken, EEXIST)).toBe(true);
    expect(String(taken)).toBe('KernelError: cannot create veth link v0 with peer v9: EEXIST');
    const index = await indexOf('v0');
    const mtu = await changeLink(socket, index, { mtu: 9 }).catch((error: unknown) => error);
    expect(mtu).toBeInstanceOf(NetlinkError);
    expect(String(mtu)).toMatch(/cannot change link \d+ \(mtu 9\): EINVAL \(kernel: "mtu less than device minimum"\)/);
  });
});

describe('addresses, routes, neighbours', () => {
  test('addresses are added, listed as ip shows them, deleted', async () => {
    const index = await upWithAddress();
    expect(ip('-o', 'addr', 'show', 'v0')).toMatch(/192\.0\.2\.1\/24[\s\S]*2001:db8::1\/64/);
    const listed = await listInterfaceAddresses(socket, { interfaceIndex: index });
    expect(listed.filter(({ scope }) => scope === 0).map(({ prefix }) => prefix.length)).toEqual([24, 64]);
    const address = { interfaceIndex: index, prefix: parsePrefix('192.0.2.1/24') };
    expect(await deleteInterfaceAddress(socket, address)).toBe(true);
    expect(await deleteInterfaceAddress(socket, address)).toBe(false);
  });

  test('every kind of route we use is read back as it was asked for', async () => {
    const interfaceIndex = await upWithAddress();
    const routes: NewRoute[] = [
      { destination: parsePrefix('198.51.100.7/32'), interfaceIndex, protocol: 80 },
      {
        destination: parsePrefix('198.51.100.64/26'),
        gateway: parseAddress('192.0.2.9'),
        interfaceIndex,
        protocol: 80,
      },
      { destination: parsePrefix('198.51.100.128/26'), type: 'blackhole', protocol: 80 },
      {
        destination: parsePrefix('198.51.100.192/26'),
        gateway: parseAddress('203.0.113.1'),
        onlink: true,
        interfaceIndex,
        protocol: 80,
        mtu: 1200,
        metric: 5,
        table: 1000,
        preferredSource: parseAddress('192.0.2.1'),
      },
      {
        destination: parsePrefix('203.0.113.0/24'),
        protocol: 80,
        nextHops: [
          { gateway: parseAddress('192.0.2.9'), interfaceIndex, onlink: false, weight: 1 },
          { gateway: parseAddress('192.0.2.10'), interfaceIndex, onlink: true, weight: 3 },
        ],
      },
      { destination: parsePrefix('2001:db8:1::7/128'), interfaceIndex, protocol: 80 },
      {
        destination: parsePrefix('2001:db8:2::/64'),
        gateway: parseAddress('2001:db8::9'),
        interfaceIndex,
        protocol: 80,
      },
      { destination: parsePrefix('2001:db8:3::/64'), type: 'blackhole', protocol: 80 },
    ];
    for (const route of routes) await addRoute(socket, route);
    const seen = await listRoutes(socket, { protocol: 80 });
    expect(seen).toHaveLength(routes.length);
    for (const route of routes) expect(seen).toContainEqual(completeRoute(route));
    expect(ip('route', 'show', 'proto', '80', '198.51.100.7')).toBe('198.51.100.7 dev v0 scope link');
    expect(ip('route', 'show', 'table', '1000')).toContain(
      'via 203.0.113.1 dev v0 proto 80 src 192.0.2.1 metric 5 onlink mtu 1200',
    );
    expect(await listRoutes(socket, { protocol: 80, table: 1000 })).toHaveLength(1);
    expect(await listRoutes(socket, { table: 4711 })).toEqual([]);
    const refused = await changeRoutes(
      socket,
      [...routes, ...routes].map((route) => ({ verb: 'delete', route })),
    );
    expect(refused).toEqual([]);
    expect(await listRoutes(socket, { protocol: 80 })).toEqual([]);
  });

  test('replace takes the place of what has the same key; refusals of many are told by index', async () => {
    const interfaceIndex = await upWithAddress();
    const route: NewRoute = { destination: parsePrefix('198.51.100.7/32'), interfaceIndex, protocol: 80 };
    await addRoute(socket, route);
    await replaceRoute(socket, { ...route, gateway: parseAddress('192.0.2.9') });
    expect(await listRoutes(socket, { protocol: 80 })).toMatchObject([{ gateway: parseAddress('192.0.2.9') }]);
    const refused = await changeRoutes(socket, [
      { verb: 'add', route: { ...route, destination: parsePrefix('198.51.100.8/32') } },
      { verb: 'add', route },
      { verb: 'replace', route: { ...route, interfaceIndex: 4711, interfaceName: 'cali1' } },
      { verb: 'delete', route: { ...route, destination: parsePrefix('198.51.100.9/32') } },
    ]);
    expect(refused.map(({ index, error }) => [index, error.errno])).toEqual([
      [1, EEXIST],
      [2, ENODEV],
    ]);
    expect(refused[1]?.error.message).toBe('cannot replace route 198.51.100.7/32 dev cali1 in table main: ENODEV');
    expect(await deleteRoute(socket, route)).toBe(true);
    expect(await deleteRoute(socket, route)).toBe(false);
  });

  test('permanent neighbours and proxied addresses', async () => {
    const interfaceIndex = await upWithAddress();
    const neighbour = { interfaceIndex, destination: parseAddress('192.0.2.9'), mac: '02:00:5e:00:53:09' };
    const proxy = { interfaceIndex, destination: parseAddress('2001:db8::99'), isProxy: true };
    await replaceNeighbour(socket, neighbour);
    await replaceNeighbour(socket, proxy);
    expect(ip('neigh', 'show', '192.0.2.9')).toBe('192.0.2.9 dev v0 lladdr 02:00:5e:00:53:09 PERMANENT');
    expect(await listNeighbours(socket, { interfaceIndex })).toContainEqual({
      ...neighbour,
      state: 0x80,
      isProxy: false,
      isForwarding: false,
    });
    expect(await listNeighbours(socket, { interfaceIndex, which: 'proxies' })).toMatchObject([proxy]);
    expect(await deleteNeighbour(socket, neighbour)).toBe(true);
    expect(await deleteNeighbour(socket, proxy)).toBe(true);
    expect(await listNeighbours(socket, { which: 'proxies' })).toEqual([]);
  });

  test('20,000 routes go in, are listed and go out again, and the event loop turns meanwhile', async () => {
    const interfaceIndex = await upWithAddress();
    const routes = Array.from({ length: 20_000 }, (_, i) => ({
      destination: { address: { family: 4 as const, value: 0x0a000000 + i }, length: 32 },
      interfaceIndex,
      protocol: 80,
    }));
    let longestMs = 0;
    let last = performance.now();
    const ticker = setInterval(() => {
      longestMs = Math.max(longestMs, performance.now() - last);
      last = performance.now();
    }, 1);
    expect(
      await changeRoutes(
        socket,
        routes.map((route) => ({ verb: 'add', route })),
      ),
    ).toEqual([]);
    expect(await listRoutes(socket, { protocol: 80 })).toHaveLength(20_000);
    expect(
      await changeRoutes(
        socket,
        routes.map((route) => ({ verb: 'delete', route })),
      ),
    ).toEqual([]);
    clearInterval(ticker);
    expect(await listRoutes(socket, { protocol: 80 })).toEqual([]);
    expect(longestMs).toBeLessThan(500);
  });
});

describe('who says no', () => {
  test('a protocol that is not there is a failed system call, an unknown message a refusal', async () => {
    expect(() => NetlinkSocket.open(31)).toThrowError(/^cannot open a netlink socket of protocol 31: EPROTONOSUPPORT$/);
    const unknown = await socket
      .request(oneRequest({ type: 99 }, (w) => w.header(12)))
      .catch((error: unknown) => error);
    expect(unknown).toBeInstanceOf(NetlinkError);
    const noPlace = await socket
      .dump(oneRequest({ type: 26, flags: NLM_F_DUMP }, (w) => w.header(4)))
      .catch((error: unknown) => error);
    expect(String(noPlace)).toContain('EINVAL (kernel: "Invalid header for FIB dump request")');
    expect(() => NetlinkSocket.open(NETLINK_ROUTE, { namespace: '/proc/self/no-such-namespace' })).toThrowError(
      /ENOENT/,
    );
    expect(() => namespace.run(() => Promise.resolve())).toThrowError(/synchronous/);
  });

  test('a netfilter socket refuses to find a table that is not there', async () => {
    using netfilter = NetlinkSocket.open(NETLINK_NETFILTER, { namespace });
    // nft list table inet calico
    const request = oneRequest({ type: (10 << 8) | 1, what: () => 'read table inet calico' }, (writer) => {
      writer.header(4).writeUInt8(1, 0);
      writer.string(1, 'calico');
    });
    const error = await netfilter.request(request).catch((refusal: unknown) => refusal);
    expect(isErrno(error, ENOENT)).toBe(true);
  });
});

function isLast(route: Route): boolean {
  return formatPrefix(route.destination) === '198.51.100.1/32';
}

describe('monitors', () => {
  /** Collects events until `isEnough`, then closes the monitor. */
  function collect(
    options: { topics: readonly RouteTopic[]; receiveQueueBytes?: number },
    isEnough: (events: readonly RouteEvent[]) => boolean,
  ): Promise<RouteEvent[]> {
    const events: RouteEvent[] = [];
    return new Promise((resolve) => {
      const monitor = monitorRoutes({
        ...options,
        namespace,
        listener: (batch) => {
          events.push(...batch);
          if (!isEnough(events)) return;
          monitor.close();
          resolve(events);
        },
      });
    });
  }

  test('a change by somebody else is told through the poll; ours carry our port id', async () => {
    const collected = collect({ topics: ['link', 'route'] }, (events) =>
      events.some((event) => event.kind === 'link' && event.change === 'deleted' && event.link.name === 'v0'),
    );
    ip('link', 'set', 'v0', 'mtu', '1234');
    await addRoute(socket, { destination: parsePrefix('198.51.100.0/24'), type: 'blackhole' });
    expect(await deleteLink(socket, 'v0')).toBe(true);
    const events = await collected;
    const withMtu = expect.objectContaining({ name: 'v0', mtu: 1234 }) as unknown;
    expect(events).toContainEqual(expect.objectContaining({ kind: 'link', change: 'set', link: withMtu }));
    expect(events).toContainEqual(expect.objectContaining({ kind: 'route', change: 'set', causedBy: socket.portId }));
  });

  test('unread notifications beyond the queue end in an overrun event, and the next change is told again', async () => {
    const interfaceIndex = await upWithAddress();
    let overran = false;
    const collected = collect({ topics: ['route'], receiveQueueBytes: 8192 }, (events) => {
      // The kernel answers the flood with one overrun; only then comes the change that must be told.
      if (!overran && events.some(({ kind }) => kind === 'overrun')) {
        overran = true;
        setImmediate(() => ip('route', 'add', '198.51.100.1/32', 'dev', 'v0'));
      }
      return events.some((event) => event.kind === 'route' && isLast(event.route));
    });
    const routes = Array.from({ length: 200 }, (_, i) => ({
      destination: { address: { family: 4 as const, value: 0x0a000000 + i }, length: 32 },
      interfaceIndex,
    }));
    await changeRoutes(
      socket,
      routes.map((route) => ({ verb: 'add', route })),
    );
    const events = await collected;
    expect(events.length).toBeLessThan(150);
    expect(overran).toBe(true);
  });

  test('a committed nf_tables transaction is told', async () => {
    const types = await new Promise<number[]>((resolve) => {
      const monitor = monitorNftables({
        namespace,
        listener: (events) => {
          monitor.close();
          resolve(events.map((event) => (event.kind === 'message' ? event.message.type & 0xff : -1)));
        },
      });
      namespace.run(() => execFileSync('nft', ['add', 'table', 'inet', 'other']));
    });
    // NFT_MSG_NEWTABLE, NFT_MSG_NEWGEN
    expect(types).toEqual([0, 15]);
  });
});
