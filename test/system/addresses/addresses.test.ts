import { describe, expect, test } from 'vitest';
import { oneSubnet } from '../../../lab/topology.js';
import { useCluster } from '../../setup/cluster.js';

describe('addresses that look special', () => {
  const cluster = useCluster(oneSubnet(1));

  test('.0 and .255 are ordinary ones: they reach, and are kept out, like any other', async () => {
    const add = (name: string, net: string, addresses: readonly string[]) =>
      cluster().addWorkload('calico-01', name, { profiles: [net], addresses });
    const zero = await add('zero', 'net1', ['192.168.7.0', 'fd80:24e2:f998:72d6::']);
    const last = await add('last', 'net1', ['192.168.7.255', 'fd80:24e2:f998:72d6::7f']);
    const other = await add('other', 'net2', ['192.168.7.64', 'fd80:24e2:f998:72d6::40']);
    for (const family of [4, 6] as const) {
      for (const probe of [{ tcp: 80 }, { icmp: true }] as const) {
        expect(await zero.can(last, probe, { family }), `.0 to .255, IPv${family}`).toBe(true);
        expect(await last.can(zero, probe, { family }), `.255 to .0, IPv${family}`).toBe(true);
        expect(await other.can(zero, probe, { family }), `from another network to .0, IPv${family}`).toBe(false);
        expect(await other.can(last, probe, { family }), `from another network to .255, IPv${family}`).toBe(false);
      }
    }
  });
});
