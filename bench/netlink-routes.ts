import { execFileSync } from 'node:child_process';
import { parsePrefix } from '../src/net/prefix.js';
import { changeLink, createVeth, findLink } from '../src/netlink/route/link.js';
import { addRoute, changeRoutes, deleteRoute, listRoutes, type NewRoute } from '../src/netlink/route/route.js';
import { NetlinkSocket } from '../src/netlink/socket.js';
import { NETLINK_ROUTE } from '../src/sys/constants.js';
import { NetworkNamespace } from '../src/sys/namespace.js';
import { attachWorkload } from '../src/workload/attach.js';
import { detachWorkload } from '../src/workload/detach.js';
import { lineOfTimes, timed } from './figures/figures.js';

/**
 * Routes through netlink in process, against `ip -batch` for many and against one `ip` process for one. In a namespace of its own.
 * And attaching a workload, against the `ip` commands that come to the same.
 */

const isShort = process.env['SHORT'] === '1';
const ROUTES = isShort ? 5_000 : 20_000;
const ROUNDS = isShort ? 3 : 5;

/** The best of some rounds: the machine is shared, and noise only ever adds. */
async function best(work: () => Promise<number>): Promise<number> {
  let least = Infinity;
  for (let round = 0; round < ROUNDS; round += 1) least = Math.min(least, await work());
  return least;
}

function routesOn(interfaceIndex: number): NewRoute[] {
  return Array.from({ length: ROUTES }, (_, i) => ({
    destination: { address: { family: 4 as const, value: 0x0a000000 + i }, length: 32 },
    interfaceIndex,
    protocol: 80,
  }));
}

async function benchMany(namespace: NetworkNamespace, socket: NetlinkSocket, interfaceIndex: number): Promise<void> {
  const routes = routesOn(interfaceIndex);
  const script = (verb: string): string =>
    routes.map((_, i) => `route ${verb} 10.${i >> 16}.${(i >> 8) & 255}.${i & 255}/32 dev v0 proto 80\n`).join('');
  const [add, remove] = [script('add'), script('del')];
  const batch = (input: string): Promise<void> => {
    namespace.run(() => execFileSync('ip', ['-batch', '-'], { input }));
    return Promise.resolve();
  };
  const ours = { add: Infinity, list: Infinity, remove: Infinity };
  const theirs = { add: Infinity, list: Infinity, remove: Infinity };
  const list = (): unknown =>
    namespace.run(() => execFileSync('ip', ['-N', 'route', 'show', 'proto', '80'], { maxBuffer: 2 ** 28 }));
  for (let round = 0; round < ROUNDS; round += 1) {
    const change = (verb: 'add' | 'delete') => () =>
      changeRoutes(
        socket,
        routes.map((route) => ({ verb, route })),
      );
    ours.add = Math.min(ours.add, await timed(change('add')));
    ours.list = Math.min(ours.list, await timed(() => listRoutes(socket, { family: 4, protocol: 80 })));
    ours.remove = Math.min(ours.remove, await timed(change('delete')));
    theirs.add = Math.min(theirs.add, await timed(() => batch(add)));
    theirs.list = Math.min(theirs.list, await timed(() => Promise.resolve(list())));
    theirs.remove = Math.min(theirs.remove, await timed(() => batch(remove)));
  }
  lineOfTimes('netlink add routes', ours.add, theirs.add);
  lineOfTimes('netlink list routes', ours.list, theirs.list);
  lineOfTimes('netlink delete routes', ours.remove, theirs.remove);
}

async function benchOne(namespace: NetworkNamespace, socket: NetlinkSocket, interfaceIndex: number): Promise<void> {
  const route: NewRoute = { destination: parsePrefix('198.51.100.7/32'), interfaceIndex, protocol: 80 };
  const ours = await best(async () => {
    const times = 200;
    const total = await timed(async () => {
      for (let i = 0; i < times; i += 1) {
        await addRoute(socket, route);
        await deleteRoute(socket, route);
      }
    });
    return total / (2 * times);
  });
  const theirs = await best(() =>
    timed(() => {
      namespace.run(() => {
        for (const verb of ['add', 'del']) execFileSync('ip', ['route', verb, '198.51.100.7/32', 'dev', 'v0']);
      });
      return Promise.resolve();
    }).then((total) => total / 2),
  );
  lineOfTimes('netlink one route', ours, theirs);
}

async function benchAttach(host: NetworkNamespace): Promise<void> {
  using workload = NetworkNamespace.create();
  const attachment = { netns: workload, hostNetns: host, hostInterface: 'cali0', mtu: 1440 };
  const addresses = ['192.168.0.5', 'fd80:24e2:f998:72d6::5'];
  const ours = await best(async () => {
    const total = await timed(() => attachWorkload({ ...attachment, addresses }));
    await detachWorkload({ hostNetns: host, hostInterface: 'cali0' });
    return total;
  });
  const inside = [
    'link set eth0 up',
    'route add 169.254.1.1 dev eth0',
    'route add default via 169.254.1.1',
    'addr add 192.168.0.5/32 dev eth0',
    '-6 route add default via fe80::ecee:eeff:feee:eeee dev eth0',
    '-6 addr add fd80:24e2:f998:72d6::5/128 dev eth0 nodad',
  ];
  const outside = [
    'link set cali0 up',
    'route add 192.168.0.5 dev cali0',
    '-6 route add fd80:24e2:f998:72d6::5 dev cali0',
  ];
  const ip = (namespace: NetworkNamespace, command: string): unknown =>
    namespace.run(() => execFileSync('ip', command.split(' ')));
  const theirs = await best(async () => {
    const total = await timed(() => {
      ip(workload, `link add eth0 type veth peer name cali0 address ee:ee:ee:ee:ee:ee netns ${host.path}`);
      for (const command of outside) ip(host, command);
      for (const command of inside) ip(workload, command);
      return Promise.resolve();
    });
    await detachWorkload({ hostNetns: host, hostInterface: 'cali0' });
    return total;
  });
  lineOfTimes('workload attach', ours, theirs);
}

using namespace = NetworkNamespace.create();
using socket = NetlinkSocket.open(NETLINK_ROUTE, { namespace });
await createVeth(socket, { name: 'v0', peer: { name: 'v1' } });
const interfaceIndex = (await findLink(socket, 'v0'))?.index ?? 0;
for (const name of ['v0', 'v1']) {
  await changeLink(socket, (await findLink(socket, name))?.index ?? 0, { up: true });
}
await benchMany(namespace, socket, interfaceIndex);
await benchOne(namespace, socket, interfaceIndex);
await benchAttach(namespace);
