import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import { describe, expect, test } from 'vitest';
import { findDefaultRoute } from '../../../src/features/host-conditions.js';
import { kernelFeatures } from '../../../src/features/kernel-features.js';
import { FeatureProbe } from '../../../src/features/probe.js';
import { NetlinkSocket } from '../../../src/netlink/socket.js';
import { NETLINK_ROUTE } from '../../../src/sys/constants.js';
import { NetworkNamespace } from '../../../src/sys/namespace.js';

/** What the tool of everybody else says: it exits 0 when the kernel made the link. */
function ipMakes(kind: string, ...more: readonly string[]): boolean {
  using namespace = NetworkNamespace.create();
  try {
    namespace.run(() => execFileSync('ip', ['link', 'add', 'p0', 'type', kind, ...more], { stdio: 'pipe' }));
    return true;
  } catch {
    return false;
  }
}

describe('kernel features', () => {
  test('every probe can tell, agrees with ip, and leaves nothing', async () => {
    const probe = new FeatureProbe();
    NetworkNamespace.create().close();
    const before = fs.readdirSync('/proc/self/fd').length;
    const outcomes = new Map<string, string>();
    for (const feature of Object.values(kernelFeatures)) {
      const { outcome, reason } = await probe.check(feature);
      expect(reason).toBeUndefined();
      outcomes.set(feature.name, outcome);
    }
    for (const name of ['nf-tables', 'inet-nat', 'fib', 'conntrack-netlink', 'ipv6'])
      expect(outcomes.get(name)).toBe('yes');
    expect(outcomes.get('ipip') === 'yes').toBe(ipMakes('ipip'));
    expect(outcomes.get('wireguard') === 'yes').toBe(ipMakes('wireguard'));
    expect(outcomes.get('dummy') === 'yes').toBe(ipMakes('dummy'));
    expect(outcomes.get('vxlan') === 'yes').toBe(ipMakes('vxlan', 'id', '4096', 'dstport', '4789'));
    expect(fs.readdirSync('/proc/self/fd').length).toBe(before);
  });
});

describe('findDefaultRoute()', () => {
  test('finds the one with the lowest metric, or none', async () => {
    using namespace = NetworkNamespace.create();
    using socket = NetlinkSocket.open(NETLINK_ROUTE, { namespace });
    expect(await findDefaultRoute(socket, 4)).toBeUndefined();
    const ip = (...args: readonly string[]) => namespace.run(() => execFileSync('ip', args));
    ip('link', 'set', 'lo', 'up');
    ip('route', 'add', 'default', 'dev', 'lo', 'metric', '20');
    ip('route', 'add', 'default', 'dev', 'lo', 'metric', '10');
    expect(await findDefaultRoute(socket, 4)).toMatchObject({ metric: 10, interfaceIndex: 1 });
  });
});
