import { readFileSync, writeFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import type { BgpPeerPlan, BgpPlan } from '../plan/host-plan.js';
import { birdConfig } from './bird-config.js';

const peer = (fields: Partial<BgpPeerPlan>): BgpPeerPlan => ({
  name: 'Mesh_192_0_2_2',
  address: '192.0.2.2',
  localAsNumber: 64512,
  asNumber: 64512,
  sourceAddress: '192.0.2.1',
  passive: false,
  nextHop: 'auto',
  ...fields,
});

const plan: BgpPlan = {
  routerId: '192.0.2.1',
  asNumber: 64512,
  ipv4: { address: '192.0.2.1', subnet: '192.0.2.0/24' },
  ipv6: { address: '2001:db8::1', subnet: '2001:db8::/64' },
  listenPort: 1790,
  bindsToOwnAddress: true,
  ignoredInterfaces: ['docker*'],
  communities: [
    { cidr: '192.168.0.0/16', values: ['64512:120', '64512:1:2'] },
    { cidr: 'fd80:24e2:f998:72d6::/64', values: ['64512:121'] },
  ],
  debug: 'states',
  peers: [
    peer({
      name: 'Global_198_51_100_1_port_1791',
      address: '198.51.100.1',
      port: 1791,
      asNumber: 64513,
      nextHop: 'self',
      ttlSecurityHops: 2,
      maxRestartTimeSeconds: 90,
      keepaliveTimeSeconds: 20,
      password: 'se"cr\net',
      reachableBy: '192.0.2.254',
      allowedLocalAsNumbers: 1,
    }),
    peer({ passive: true }),
    peer({
      name: 'Node_2001_db8__2',
      address: '2001:db8::2',
      sourceAddress: '2001:db8::1',
      routeReflectorClusterId: '192.0.2.255',
      nextHop: 'keep',
    }),
  ],
  blocks: ['192.168.0.0/26', '192.168.9.7/32', 'fd80:24e2:f998:72d6::/122'],
  pools: [
    { cidr: '10.0.0.0/16', export: false, encapsulation: 'always' },
    { cidr: '192.168.0.0/16', export: true, encapsulation: 'none' },
    { cidr: '198.51.100.0/24', export: true, encapsulation: 'cross-subnet' },
    { cidr: 'fd80:24e2:f998:72d6::/64', export: true, encapsulation: 'none' },
  ],
};

describe('birdConfig()', () => {
  test('writes both families, every option of a peer, and every kind of pool', () => {
    const file = new URL('testdata/two-families.conf', import.meta.url);
    const text = birdConfig(plan, { logFile: '/var/log/calico/bird.log' });
    if (process.env['UPDATE_SCENARIOS'] === '1') writeFileSync(file, text);
    expect(text).toBe(readFileSync(file, 'utf8'));
  });

  test('leaves out what the host does not have', () => {
    const { ipv6: _, listenPort: _port, ...rest } = plan;
    const text = birdConfig({ ...rest, peers: [], blocks: [], pools: [], debug: 'none' }, { logFile: '/x' });
    expect(text).toContain('debug protocols off;');
    expect(text).not.toMatch(/2001:db8|protocol bgp|route /);
  });
});
