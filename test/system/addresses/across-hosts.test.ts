import { describe, expect, test } from 'vitest';
import { until } from '../../../lab/processes.js';
import { oneSubnet } from '../../../lab/topology.js';
import type { LabWorkload } from '../../../lab/workload.js';
import { useCluster } from '../../setup/cluster.js';

const PROBES = [{ tcp: 80 }, { icmp: true }] as const;

describe('addresses that look special, from another host', () => {
  const cluster = useCluster(oneSubnet(2));

  test('the first and the last of a block are reached and kept out like any other, .0 and .255 among them', async () => {
    const add = (host: string, name: string, net: string, addresses: readonly string[]) =>
      cluster().addWorkload(host, name, { profiles: [net], addresses });
    const here = await add('calico-01', 'here', 'net1', ['192.168.9.9', 'fd80:24e2:f998:72d6::909']);
    const other = await add('calico-01', 'other', 'net2', ['192.168.9.10', 'fd80:24e2:f998:72d6::90a']);
    const edges: LabWorkload[] = [];
    for (const [last4, last6] of [
      ['0', ':'],
      ['63', ':3f'],
      ['192', ':c0'],
      ['255', ':ff'],
    ]) {
      const addresses = [`192.168.7.${last4}`, `fd80:24e2:f998:72d6:${last6}`];
      edges.push(await add('calico-02', `at-${last4}`, 'net1', addresses));
    }
    for (const edge of edges) {
      for (const family of [4, 6] as const) {
        await until(`here reaches ${edge.address(family)}`, () => here.can(edge, { tcp: 80 }, { family }));
        for (const probe of PROBES) {
          const what = `${edge.address(family)}, ${JSON.stringify(probe)}`;
          expect(await here.can(edge, probe, { family }), `to ${what}`).toBe(true);
          expect(await edge.can(here, probe, { family }), `from ${what}`).toBe(true);
          expect(await other.can(edge, probe, { family }), `from another network to ${what}`).toBe(false);
        }
      }
    }
  });

  test('an address lent from the block of another host is reached where it is, not where its block is', async () => {
    const add = (host: string, name: string, addresses: readonly string[]) =>
      cluster().addWorkload(host, name, { profiles: ['net1'], addresses });
    const owner = await add('calico-01', 'owner', ['192.168.11.1', 'fd80:24e2:f998:72d6::b01']);
    const guest = await add('calico-02', 'guest', ['192.168.11.2', 'fd80:24e2:f998:72d6::b02']);
    for (const family of [4, 6] as const) {
      await until('the owner reaches the guest', () => owner.can(guest, { tcp: 80 }, { family }));
      expect(await guest.can(owner, { icmp: true }, { family })).toBe(true);
    }
  });
});
