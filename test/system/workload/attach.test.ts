import { execFileSync, spawnSync } from 'node:child_process';
import fs from 'node:fs';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { parsePrefix } from '../../../src/net/prefix.js';
import { changeLink, createVeth, findLink } from '../../../src/netlink/route/link.js';
import { replaceRoute } from '../../../src/netlink/route/route.js';
import { NetlinkSocket } from '../../../src/netlink/socket.js';
import { NETLINK_ROUTE } from '../../../src/sys/constants.js';
import { NetworkNamespace } from '../../../src/sys/namespace.js';
import { writeSysctl } from '../../../src/sys/sysctl.js';
import { addWorkloadAddress, removeWorkloadAddress } from '../../../src/workload/address.js';
import { attachWorkload } from '../../../src/workload/attach.js';
import { detachWorkload } from '../../../src/workload/detach.js';
import { layLooseCable } from '../../../src/workload/loose-cable.js';
import { addSecondWay } from '../../../src/workload/second-way.js';

let host: NetworkNamespace;
let a: NetworkNamespace;
let b: NetworkNamespace;

function run(namespace: NetworkNamespace, command: string, ...args: readonly string[]): string {
  return namespace.run(() => execFileSync(command, args, { encoding: 'utf8' })).trim();
}

function reaches(namespace: NetworkNamespace, address: string): boolean {
  return namespace.run(() => spawnSync('ping', ['-c1', '-W1', '-n', address])).status === 0;
}

const A = { hostInterface: 'calia', addresses: ['192.168.0.5/32', 'fd80:24e2:f998:72d6::5/128'], mtu: 1440 };
const B = { hostInterface: 'calib', addresses: ['192.168.0.6', 'fd80:24e2:f998:72d6::6'], mtu: 1440 };

beforeEach(async () => {
  host = NetworkNamespace.create();
  a = NetworkNamespace.create();
  b = NetworkNamespace.create();
  // A host has a way out: without a default route the kernel proxies ARP for nothing.
  using socket = NetlinkSocket.open(NETLINK_ROUTE, { namespace: host });
  await createVeth(socket, { name: 'up0', peer: { name: 'up1' } });
  const index = (await findLink(socket, 'up0'))?.index ?? 0;
  await changeLink(socket, (await findLink(socket, 'up1'))?.index ?? 0, { up: true });
  await changeLink(socket, index, { up: true });
  await replaceRoute(socket, { destination: parsePrefix('0.0.0.0/0'), interfaceIndex: index });
  host.run(() => {
    writeSysctl('net/ipv4/ip_forward', 1);
    writeSysctl('net/ipv6/conf/all/forwarding', 1);
  });
});

afterEach(() => {
  for (const namespace of [host, a, b]) namespace.close();
});

describe('attachWorkload()', () => {
  test('two workloads of a host reach each other and their gateway answers, IPv4 and IPv6', async () => {
    const attached = await attachWorkload({ ...A, netns: a, hostNetns: host, mac: '02:00:5e:00:53:05' });
    await attachWorkload({ ...B, netns: b.path, hostNetns: host });
    expect(attached).toMatchObject({ mac: '02:00:5e:00:53:05', hostMac: 'ee:ee:ee:ee:ee:ee' });
    expect(reaches(a, '192.168.0.6')).toBe(true);
    expect(reaches(a, 'fd80:24e2:f998:72d6::6')).toBe(true);
    expect(reaches(b, 'fd80:24e2:f998:72d6::5')).toBe(true);
    expect(reaches(a, '192.168.0.7')).toBe(false);
    expect(run(a, 'ip', 'neigh', 'show', '169.254.1.1')).toContain('lladdr ee:ee:ee:ee:ee:ee');
    expect(run(a, 'ip', 'route')).toBe('default via 169.254.1.1 dev eth0 \n169.254.1.1 dev eth0 scope link');
    expect(run(a, 'ip', '-6', 'route', 'show', 'default')).toContain('default via fe80::ecee:eeff:feee:eeee dev eth0');
    expect(run(a, 'ip', '-o', 'link', 'show', 'eth0')).toContain('mtu 1440');
    expect(run(host, 'ip', 'route', 'show', '192.168.0.5')).toBe('192.168.0.5 dev calia scope link metric 1024');
  });

  test('doing it again gives the same; detaching removes all of it and says whether there was something', async () => {
    for (const addresses of [['192.168.0.5'], A.addresses]) {
      await attachWorkload({ ...A, addresses, netns: a, hostNetns: host });
    }
    expect(run(a, 'ip', '-o', 'addr', 'show', 'eth0', 'scope', 'global').split('\n')).toHaveLength(2);
    expect(await detachWorkload({ hostInterface: 'calia', hostNetns: host })).toBe(true);
    expect(await detachWorkload({ hostInterface: 'calia', hostNetns: host })).toBe(false);
    expect(run(host, 'ip', 'route', 'show', '192.168.0.5')).toBe('');
    expect(run(a, 'ip', '-o', 'link')).not.toContain('eth0');
  });

  test('an address that is another workload’s is refused, and nothing is left', async () => {
    await attachWorkload({ ...A, netns: a, hostNetns: host });
    const attempt = attachWorkload({ ...B, addresses: ['192.168.0.5'], netns: b, hostNetns: host });
    await expect(attempt).rejects.toThrowError(
      'cannot attach the namespace at calib: 192.168.0.5/32 leads to interface "calia" already',
    );
    expect(run(host, 'ip', '-o', 'link')).not.toContain('calib');
    expect(run(b, 'ip', '-o', 'link')).not.toContain('eth0');
    expect(run(host, 'ip', 'route', 'show', '192.168.0.5')).toBe('192.168.0.5 dev calia scope link metric 1024');
  });

  test('bad input is refused before anything is touched', async () => {
    const before = fs.readdirSync('/proc/self/fd').length;
    await attachWorkload({ ...A, netns: a, hostNetns: host });
    await expect(attachWorkload({ ...A, netns: '/run/netns/none', hostNetns: host })).rejects.toThrowError(
      'cannot attach the namespace "/run/netns/none" at calia: cannot open /run/netns/none: ENOENT',
    );
    await expect(attachWorkload({ ...A, addresses: ['192.168.0.0/24'], netns: a })).rejects.toThrowError(
      /"192\.168\.0\.0\/24" is not a workload's address/,
    );
    expect(run(host, 'ip', '-o', 'link')).toContain('calia');
    expect(fs.readdirSync('/proc/self/fd').length).toBe(before);
  });
});

describe('addWorkloadAddress()', () => {
  test.each([
    { mayForward: true, forwarding: '1' },
    { mayForward: false, forwarding: '0' },
  ])('leaves forwarding as attaching made it, $forwarding, in both families', async ({ mayForward, forwarding }) => {
    const where = { netns: a, hostNetns: host, hostInterface: 'calia' };
    const settings = (): string =>
      run(a, 'sysctl', '-n', 'net.ipv4.ip_forward', 'net.ipv6.conf.all.forwarding', 'net.ipv6.conf.eth0.forwarding');
    for (const [first = '', second = ''] of [A.addresses, A.addresses.toReversed()]) {
      await attachWorkload({ ...A, addresses: [first], mayForward, netns: a, hostNetns: host });
      await addWorkloadAddress({ ...where, address: second });
      expect(settings()).toBe([forwarding, forwarding, forwarding].join('\n'));
    }
  });

  test('a second address, and a first of the other family, work until removed', async () => {
    await attachWorkload({ ...A, addresses: ['192.168.0.5'], netns: a, hostNetns: host });
    await attachWorkload({ ...B, netns: b, hostNetns: host });
    const where = { netns: a, hostNetns: host, hostInterface: 'calia' };
    await addWorkloadAddress({ ...where, address: '192.168.0.9' });
    await addWorkloadAddress({ ...where, address: '192.168.0.9/32' });
    await addWorkloadAddress({ ...where, address: 'fd80:24e2:f998:72d6::9' });
    expect(reaches(b, '192.168.0.9')).toBe(true);
    expect(reaches(b, 'fd80:24e2:f998:72d6::9')).toBe(true);
    expect(await removeWorkloadAddress({ ...where, address: '192.168.0.9' })).toBe(true);
    expect(await removeWorkloadAddress({ ...where, address: '192.168.0.9' })).toBe(false);
    expect(reaches(b, '192.168.0.9')).toBe(false);
    expect(reaches(b, '192.168.0.5')).toBe(true);
    await expect(addWorkloadAddress({ ...where, address: '192.168.0.6' })).rejects.toThrowError(
      'cannot add 192.168.0.6/32 to the workload at calia: 192.168.0.6/32 leads to interface "calib" already',
    );
    expect(run(a, 'ip', '-o', 'addr')).not.toContain('192.168.0.6');
    await expect(addWorkloadAddress({ ...where, hostInterface: 'calix', address: '192.168.0.9' })).rejects.toThrowError(
      'cannot add 192.168.0.9/32 to the workload at calix: the workload is not attached: there is no interface calix',
    );
  });
});

describe('addSecondWay()', () => {
  test('waits for the namespace, and for the interface to come there and be up', async () => {
    await attachWorkload({ ...A, netns: a, hostNetns: host });
    const second = { hostInterface: 'calisecond', addresses: ['192.168.0.9', 'fd80:24e2:f998:72d6::9'] };
    await layLooseCable({ ...second, looseInterface: 'tempsecond', mtu: 1_440, hostNetns: host });
    expect(await addSecondWay({ ...second, netns: '/run/netns/no-such', hostNetns: host })).toBe(false);
    expect(await addSecondWay({ ...second, netns: '/proc/self/mounts', hostNetns: host })).toBe(false);
    expect(await addSecondWay({ ...second, netns: a, hostNetns: host })).toBe(false);
    run(host, 'ip', 'link', 'set', 'tempsecond', 'netns', a.path);
    expect(await addSecondWay({ ...second, netns: a, hostNetns: host })).toBe(false);
    for (const address of second.addresses) run(a, 'ip', 'address', 'add', address, 'dev', 'tempsecond', 'nodad');
    run(a, 'ip', 'link', 'set', 'tempsecond', 'up');
    expect(await addSecondWay({ ...second, netns: a, hostNetns: host })).toBe(true);
    expect(run(a, 'ip', 'route', 'get', '203.0.113.1', 'from', '192.168.0.9')).toContain('dev tempsecond');
    expect(run(a, 'ip', 'route', 'get', '203.0.113.1')).not.toContain('tempsecond');
  });
});
