import { setTimeout as wait } from 'node:timers/promises';
import { beforeAll, describe, expect, test } from 'vitest';
import { until } from '../../../lab/processes.js';
import { oneSubnet } from '../../../lab/topology.js';
import { useCluster } from '../../setup/cluster.js';

describe('calico-node killed with SIGKILL', () => {
  const cluster = useCluster(oneSubnet(2));

  beforeAll(async () => {
    await cluster().addWorkload('calico-01', 'A', { profiles: ['net1'] });
    await cluster().addWorkload('calico-01', 'B', { profiles: ['net2'] });
    await cluster().addWorkload('calico-02', 'E', { profiles: ['net1'] });
    const [a, e] = [cluster().lab.workload('A'), cluster().lab.workload('E')];
    for (const family of [4, 6] as const)
      await until('routes have travelled', () => a.can(e, { icmp: true }, { family }));
  });

  test('loses no packet, opens nothing, writes nothing when it is back, and adopts BIRD', async () => {
    const host = cluster().lab.host('calico-01');
    const [a, b, e] = ['A', 'B', 'E'].map((name) => cluster().lab.workload(name));
    const node = cluster().nodes.get('calico-01');
    if (a === undefined || b === undefined || e === undefined || node === undefined)
      throw new Error('the cluster is incomplete');
    const bird = await host.pidsOf('bird');
    expect(bird).toHaveLength(1);
    const meters = ([4, 6] as const).map((family) => a.ping(e, { family, intervalMs: 2 }));
    const writes = await host.countKernelWrites(async () => {
      await node.kill('SIGKILL');
      await wait(500);
      expect(await b.can(a, { tcp: 80 }), 'while it is dead').toBe(false);
      cluster().nodes.set('calico-01', await cluster().startNode('calico-01'));
      await cluster().ready('calico-01');
      await wait(1_000);
    });
    for (const meter of meters) {
      const { sent, lost } = await meter.stop();
      expect(sent).toBeGreaterThan(300);
      expect(lost).toBe(0);
    }
    expect(writes.lines).toEqual([]);
    expect(await host.pidsOf('bird')).toEqual(bird);
    expect(await b.can(a, { tcp: 80 }), 'after').toBe(false);
    expect(await e.can(a, { tcp: 80 })).toBe(true);
  });
});
