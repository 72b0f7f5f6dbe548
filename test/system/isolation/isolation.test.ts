import { beforeAll, describe, expect, test } from 'vitest';
import { groupsMatrix, matrixDifferences, measureMatrix } from '../../../lab/matrix.js';
import { twoSubnets } from '../../../lab/topology.js';
import type { LabWorkload } from '../../../lab/workload.js';
import { useCluster } from '../../setup/cluster.js';

describe('networks', () => {
  const cluster = useCluster(twoSubnets());
  let workloads: readonly LabWorkload[] = [];
  const wanted = groupsMatrix(['A', 'B', 'C', 'D', 'E', 'F'], [['A', 'C', 'E', 'F'], ['B'], ['D']]);

  beforeAll(async () => {
    const add = (host: string, name: string, net: string): Promise<LabWorkload> =>
      cluster().addWorkload(host, name, { profiles: [net] });
    workloads = await Promise.all([
      add('calico-01', 'A', 'net1'),
      add('calico-01', 'B', 'net2'),
      add('calico-01', 'C', 'net1'),
      add('calico-02', 'D', 'net3'),
      add('calico-02', 'E', 'net1'),
      add('calico-03', 'F', 'net1'),
    ]);
    await cluster().teachRouter();
  });

  test.each([4, 6] as const)(
    'members reach each other on one host, across hosts and subnets, others nobody, over IPv%i',
    async (family) => {
      for (const probe of [{ tcp: 80 }, { udp: 5000 }, { icmp: true }] as const) {
        // Routes travel: the first moments of a cluster are given to them.
        await expect
          .poll(async () => matrixDifferences(await measureMatrix(workloads, probe, family), wanted), {
            timeout: 15_000,
          })
          .toEqual([]);
      }
    },
  );

  test('a workload that leaves its network is alone, and back when it returns', async () => {
    const [a, , c] = workloads;
    if (a === undefined || c === undefined) throw new Error('the workloads are missing');
    expect(await a.can(c, { tcp: 80 })).toBe(true);
    const endpoint = (await cluster().client.list('WorkloadEndpoint')).find(({ value }) => value.spec.workload === 'C');
    if (endpoint === undefined) throw new Error('the endpoint of C is missing');
    const { resourceVersion: _, ...metadata } = endpoint.value.metadata;
    await cluster().client.update({
      ...endpoint.value,
      metadata,
      spec: { ...endpoint.value.spec, profiles: ['net2'] },
    });
    await expect.poll(() => a.can(c, { tcp: 80 }), { timeout: 5_000 }).toBe(false);
    await cluster().client.update({ ...endpoint.value, metadata });
    await expect.poll(() => a.can(c, { tcp: 80 }), { timeout: 5_000 }).toBe(true);
  });
});
