import { describe, expect, test } from 'vitest';
import type { DockerCluster } from '../../lab/docker-cluster.js';
import { until } from '../../lab/processes.js';
import { CALICO, FIRST, onEachEngine, removeAll, run, SECOND, useDocker } from '../setup/docker.js';

/** What busybox says of a name (or address), inside a container, and how long it took. */
async function lookUp(
  hosts: DockerCluster,
  host: string,
  container: string,
  name: string,
): Promise<{ said: string; status: number; tookMs: number }> {
  const timed = `read s _ </proc/uptime; nslookup ${name}; r=$?; read e _ </proc/uptime; echo "$s $e"; exit $r`;
  const { stdout, status } = await hosts.engine(host).docker(['exec', container, 'sh', '-c', timed], { check: false });
  const [start = 0, end = 0] = (stdout.trim().split('\n').at(-1) ?? '').split(' ').map(Number);
  return { said: stdout, status: status ?? -1, tookMs: (end - start) * 1_000 };
}

onEachEngine((generation) => {
  describe('names of containers on other hosts', () => {
    const docker = useDocker({ generation });

    test('resolve on a network, by name, short id and alias, with and without its name, and back; nothing is configured', async () => {
      const hosts = docker();
      for (const network of ['net1', 'net2']) await hosts.createNetwork(`${CALICO} ${network}`);
      await run(hosts, SECOND, 'workload-E', '--net net1 --network-alias shop');
      // The first thing that a container does.
      await hosts.docker(FIRST, 'run --rm --net net1 busybox ping -c 1 -W 1 workload-E.net1');
      await run(hosts, FIRST, 'workload-A', '--net net1');
      await run(hosts, FIRST, 'workload-B', '--net net2');
      const address = await hosts.address(SECOND, 'workload-E', 'net1');
      const id = await hosts.engine(SECOND).say(['ps', '-q', '-f', 'name=workload-E']);
      for (const name of ['workload-E', 'workload-E.net1', 'WORKLOAD-E.net1', id]) {
        expect((await lookUp(hosts, FIRST, 'workload-A', name)).said).toContain(`Address: ${address}`);
      }
      await until('the alias', async () => (await lookUp(hosts, FIRST, 'workload-A', 'shop')).said.includes(address));
      expect((await lookUp(hosts, FIRST, 'workload-A', address)).said).toContain('name = workload-E.net1');
      expect(await hosts.pings(SECOND, 'workload-E', 'workload-A.net1')).toBe(true);
      for (const name of ['workload-E', 'workload-E.net1', 'workload-B.net2', address]) {
        const asker = name === 'workload-B.net2' ? 'workload-A' : 'workload-B';
        const { said, status, tookMs } = await lookUp(hosts, FIRST, asker, name);
        expect([name, status]).toEqual([name, 1]);
        expect(said).toContain('NXDOMAIN');
        expect(tookMs).toBeLessThan(200);
      }
      await removeAll(hosts, 'net1', 'net2');
    });

    test('follow a container that moves to another host, and one that is renamed or joins another network', async () => {
      const hosts = docker();
      for (const network of ['net1', 'net2']) await hosts.createNetwork(`${CALICO} ${network}`);
      await run(hosts, FIRST, 'watcher', '--net net1');
      await run(hosts, SECOND, 'mover', '--net net1');
      const finds = async (name: string): Promise<boolean> =>
        (await lookUp(hosts, FIRST, 'watcher', name)).status === 0;
      await until('mover', () => finds('mover.net1'));
      await hosts.docker(SECOND, 'rename mover renamed');
      await until('the new name', () => finds('renamed.net1'));
      expect(await finds('mover.net1')).toBe(false);
      await hosts.docker(SECOND, 'rm -f renamed');
      await until('the name gone', async () => !(await finds('renamed.net1')));
      await run(hosts, FIRST, 'renamed', '--net net1');
      await until('the container here', () => finds('renamed.net1'));
      await run(hosts, SECOND, 'other', '--net net2');
      expect(await finds('other.net2')).toBe(false);
      await hosts.docker(FIRST, 'network connect net2 watcher');
      await until('the second network', () => finds('other.net2'));
      await hosts.docker(FIRST, 'network disconnect net2 watcher');
      await until('the second network left', async () => !(await finds('other.net2')));
      await removeAll(hosts, 'net1', 'net2');
    });

    test('survive an engine that is killed, whose containers get new namespaces and addresses', async () => {
      const hosts = docker();
      await hosts.createNetwork(`${CALICO} net1`);
      await run(hosts, FIRST, 'asker', '--restart=always --net net1');
      await run(hosts, SECOND, 'far', '--net net1');
      await until('far', () => hosts.pings(FIRST, 'asker', 'far.net1'));
      await hosts.engine(FIRST).kill();
      await hosts.engine(FIRST).startAgain();
      await until('far again', () => hosts.pings(FIRST, 'asker', 'far.net1'), { deadlineMs: 30_000 });
      await until('asker again', () => hosts.pings(SECOND, 'far', 'asker.net1'), { deadlineMs: 30_000 });
      // A namespace that our sockets kept alive would keep its interface here.
      const interfaces = async (): Promise<number | undefined> =>
        (await hosts.lab.host(FIRST).exec(['ip', '-o', 'link'])).stdout.match(/ cali/g)?.length;
      await until('one interface', async () => (await interfaces()) === 1, { deadlineMs: 40_000 });
      expect(await lookUp(hosts, SECOND, 'far', 'asker.net1')).toMatchObject({ status: 0 });
      await removeAll(hosts, 'net1');
    });

    test("survive calico-node, without which the engine's own still resolve", async () => {
      const hosts = docker();
      await hosts.createNetwork(`${CALICO} net1`);
      await run(hosts, FIRST, 'asker', '--net net1');
      await run(hosts, FIRST, 'near', '--net net1');
      await run(hosts, SECOND, 'far', '--net net1');
      await until('far', () => hosts.pings(FIRST, 'asker', 'far.net1'));
      await hosts.nodes.get(FIRST)?.kill('SIGKILL');
      expect(await hosts.pings(FIRST, 'asker', 'near.net1')).toBe(true);
      await hosts.startNode(FIRST);
      await until('far again', () => hosts.pings(FIRST, 'asker', 'far.net1'));
      expect(await hosts.pings(FIRST, 'asker', 'near.net1')).toBe(true);
      await removeAll(hosts, 'net1');
    });
  });
});
