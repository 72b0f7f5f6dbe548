import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import type { HostProcess, LabHost } from '../../../lab/host.js';
import { until } from '../../../lab/processes.js';
import { twoSubnets } from '../../../lab/topology.js';
import type { LabWorkload } from '../../../lab/workload.js';
import { LocalApiClient } from '../../../src/localapi/client.js';
import type { AttachedWorkload } from '../../../src/localapi/protocol.js';
import { useLab } from '../../setup/lab.js';

const lab = useLab(twoSubnets());

function api(host: LabHost): LocalApiClient {
  return new LocalApiClient(host.path('/run/calico/calico.sock'));
}

async function startNode(host: LabHost, env: Record<string, string> = {}): Promise<HostProcess> {
  const node = await host.spawn(['calico-node'], {
    env: { ETCD_ENDPOINTS: lab().etcdEndpoint, ...env },
    log: '/var/log/calico/node.log',
  });
  await until(`${host.name} is programmed`, async () => (await api(host).status()).felix.isProgrammed, {
    deadlineMs: 20_000,
  });
  return node;
}

async function hasMesh(host: LabHost, peers: number): Promise<boolean> {
  const { bgp } = await api(host).status();
  return bgp.peers.filter(({ info }) => info === 'Established').length === peers;
}

/** The number a process has inside its own host. */
function innerPid(workload: LabWorkload): number {
  const status = readFileSync(`/proc/${workload.record.process.pid}/status`, 'utf8');
  return Number(/^NSpid:.*\s(\d+)$/m.exec(status)?.[1]);
}

async function attach(host: LabHost, name: string): Promise<{ workload: LabWorkload; made: AttachedWorkload }> {
  const workload = await lab().addWorkload(host.name, name, { addresses: [], attached: false });
  const made = await api(host).attach({
    netns: `/proc/${innerPid(workload)}/ns/net`,
    workload: `container-${name}`.toLowerCase(),
    profiles: ['projectcalico-default-allow'],
    ipv6: 1,
  });
  return { workload, made };
}

describe('calico-node on several hosts', () => {
  test('hosts mesh by themselves, workloads reach each other, and a killed supervisor costs nothing', async () => {
    const hosts = lab().hosts;
    const nodes = await Promise.all(hosts.map((host) => startNode(host, { IP6: 'autodetect' })));
    for (const host of hosts) {
      await until(`${host.name} has its sessions`, () => hasMesh(host, 2 * (hosts.length - 1)), { deadlineMs: 30_000 });
    }
    // Both in one subnet: between subnets their router would have to know the blocks.
    const [first, last] = hosts;
    if (first === undefined || last === undefined) throw new Error('the topology has three hosts');
    const a = await attach(first, 'A');
    const b = await attach(last, 'B');
    const [ipv4 = '', ipv6 = ''] = b.made.addresses.map((address) => address.replace(/\/.*$/, ''));
    for (const address of [ipv4, ipv6]) {
      await until(`A reaches B at ${address}`, () => a.workload.canReach(address, { icmp: true }), {
        deadlineMs: 15_000,
      });
    }
    const report = await first.exec(['calicoctl', 'node', 'status']);
    expect(report.stdout).toContain('Calico process is running.');
    expect(report.stdout).toMatch(
      new RegExp(`\\| ${last.addresses.ipv4} +\\| node-to-node mesh \\| up +\\| \\S+ +\\| Established +\\|`),
    );

    const bird = await first.pidsOf('bird');
    expect(bird).toHaveLength(1);
    const pings = a.workload.ping(ipv4);
    await nodes[0]?.kill('SIGKILL');
    const writes = await first.countKernelWrites(async () => {
      await startNode(first, { IP6: 'autodetect' });
      await until('the sessions are still there', () => hasMesh(first, 2 * (hosts.length - 1)));
    });
    const { lost } = await pings.stop();
    expect({ lost, writes }).toEqual({ lost: 0, writes: { count: 0, lines: [] } });
    expect(await first.pidsOf('bird')).toEqual(bird);

    expect(await api(last).detach(b.made)).toEqual({ wasAttached: true });
    expect(await a.workload.canReach(ipv4, { icmp: true })).toBe(false);
  });
});
