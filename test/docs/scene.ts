import { LabCluster } from '../../lab/cluster.js';
import { networkYaml } from '../../lab/demo-network.js';
import type { Lab } from '../../lab/lab.js';
import { until } from '../../lab/processes.js';

export const POOLS = ['192.168.0.0/16', 'fd80:24e2:f998:72d6::/64'] as const;

const NETWORKS = ['net1', 'net2', 'net3'] as const;

/** Name, host, network, number of the address. F and G have the first and the last address of a /24. */
const WORKLOADS = [
  ['A', 'calico-01', 'net1', '1.1'],
  ['B', 'calico-01', 'net2', '1.2'],
  ['C', 'calico-01', 'net1', '1.3'],
  ['D', 'calico-02', 'net3', '2.4'],
  ['E', 'calico-02', 'net1', '2.5'],
  ['F', 'calico-01', 'net1', '3.0'],
  ['G', 'calico-02', 'net1', '4.255'],
] as const;

/**
 * What the examples of the papers are run in: two hosts of one subnet with `calico-node`, a pool of each family, three networks, and seven
 * workloads that listen on TCP 80. Names and addresses are fixed, so that the papers can show them.
 */
export async function buildScene(lab: Lab): Promise<LabCluster> {
  const cluster = new LabCluster(lab);
  for (const { name } of lab.hosts)
    await cluster.startNode(name, { env: { IP6: 'autodetect', NO_DEFAULT_POOLS: 'true' } });
  for (const { name } of lab.hosts) await cluster.ready(name);
  for (const pool of POOLS) await cluster.calicoctl('calico-01', ['pool', 'add', pool]);
  await cluster.calicoctl('calico-01', ['apply', '-f', '-'], NETWORKS.map(networkYaml).join(''));
  for (const [name, host, network, number] of WORKLOADS) {
    const addresses = [`192.168.${number}`, `fd80:24e2:f998:72d6::${number.replace('.', ':')}`];
    const workload = await cluster.addWorkload(host, name, { profiles: [network], addresses });
    await workload.listen({ tcp: [80] });
  }
  const [a, e, g] = ['A', 'E', 'G'].map((name) => lab.workload(name));
  if (a === undefined || e === undefined || g === undefined) throw new Error('a workload is missing');
  for (const family of [4, 6] as const) {
    for (const other of [e, g]) {
      await until(`A reaches ${other.name} over IPv${family}`, () => a.can(other, { icmp: true }, { family }), {
        deadlineMs: 20_000,
      });
    }
  }
  return cluster;
}
