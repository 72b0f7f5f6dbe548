import { describe, expect, test } from 'vitest';
import type { DockerCluster } from '../../lab/docker-cluster.js';
import { until } from '../../lab/processes.js';
import { CALICO, FIRST, onEachEngine, removeAll, run, SECOND, useDocker } from '../setup/docker.js';

/** What the datastore and the kernel hold for a host's containers. */
async function held(hosts: DockerCluster, host: string) {
  const endpoints = (await hosts.cluster.client.list('WorkloadEndpoint', 'libnetwork'))
    .map(({ value }) => value.spec)
    .filter(({ node }) => node === host);
  const blocks = (await hosts.cluster.datastore.list('IPAMBlock')).items;
  const addresses = blocks.flatMap(({ value }) =>
    value.allocations.filter((index) => index !== null && value.attributes[index]?.handle_id === `libnetwork.${host}`),
  );
  const links = (await hosts.lab.host(host).exec(['ip', '-o', 'link'])).stdout.match(/ cali[0-9a-f]{11}/g) ?? [];
  return { endpoints: endpoints.length, addresses: addresses.length, interfaces: links.length };
}

async function running(hosts: DockerCluster, host: string): Promise<number> {
  return (await hosts.engine(host).say(['ps', '-q'])).split('\n').filter((id) => id !== '').length;
}

/** One endpoint, address and interface for each running container, and not one more. */
async function untilClean(hosts: DockerCluster, host: string): Promise<void> {
  let last = '';
  await until(
    `nothing left behind on ${host}`,
    async () => {
      const count = await running(hosts, host);
      last = JSON.stringify({ count, ...(await held(hosts, host)) });
      if (last !== JSON.stringify({ count, endpoints: count, addresses: count, interfaces: count }))
        throw new Error(last);
      return true;
    },
    { deadlineMs: 80_000, everyMs: 500 },
  );
}

onEachEngine((generation) => {
  describe('an engine or a plugin that is killed', () => {
    const docker = useDocker({ generation, hosts: 1 });

    test('an engine killed with its containers leaves nothing once it is back', async () => {
      const hosts = docker();
      await hosts.createNetwork(`${CALICO} killed`);
      for (const index of [1, 2, 3]) await run(hosts, FIRST, `gone-${index}`, '--net killed');
      await run(hosts, FIRST, 'back', '--net killed --restart always');
      await hosts.engine(FIRST).kill();
      await hosts.engine(FIRST).startAgain();
      await until('the container that restarts', async () => (await running(hosts, FIRST)) === 1, {
        deadlineMs: 40_000,
      });
      await untilClean(hosts, FIRST);
      await run(hosts, FIRST, 'peer', '--net killed');
      expect(await hosts.pings(FIRST, 'peer', 'back')).toBe(true);
      await removeAll(hosts, 'killed');
      await untilClean(hosts, FIRST);
    });

    test('a plugin killed amid starts and stops is back before the engine gives up, and nothing is left', async () => {
      const hosts = docker();
      await hosts.createNetwork(`${CALICO} churned`);
      await run(hosts, FIRST, 'steady', '--net churned');
      const churn = async (): Promise<void> => {
        for (let round = 0; round < 6; round += 1) {
          const name = `churn-${round}`;
          await hosts.docker(FIRST, `run --net churned --name ${name} -tid busybox`, { check: false });
          await hosts.docker(FIRST, `rm -f ${name}`, { check: false });
        }
      };
      const work = churn();
      for (let kill = 0; kill < 3; kill += 1) {
        await hosts.nodes.get(FIRST)?.kill('SIGKILL');
        await hosts.startNode(FIRST);
      }
      await work;
      await untilClean(hosts, FIRST);
      await run(hosts, FIRST, 'late', '--net churned');
      expect(await hosts.pings(FIRST, 'late', 'steady')).toBe(true);
      await removeAll(hosts, 'churned');
      await untilClean(hosts, FIRST);
    });

    test('forty containers started at once all have an address of their own, and are gone at once', async () => {
      const hosts = docker();
      await hosts.createNetwork(`${CALICO} crowd`);
      const names = Array.from({ length: 40 }, (_, index) => `crowd-${index}`);
      await Promise.all(names.map((name) => run(hosts, FIRST, name, '--net crowd')));
      const addresses = new Set<string>();
      for (const name of names) addresses.add(await hosts.address(FIRST, name, 'crowd'));
      expect(addresses.size).toBe(40);
      expect(await held(hosts, FIRST)).toEqual({ endpoints: 40, addresses: 40, interfaces: 40 });
      expect(await hosts.pings(FIRST, 'crowd-0', 'crowd-39')).toBe(true);
      await removeAll(hosts, 'crowd');
      expect(await held(hosts, FIRST)).toEqual({ endpoints: 0, addresses: 0, interfaces: 0 });
    });
  });

  describe('an engine with --live-restore', () => {
    const docker = useDocker({ generation, engineArguments: ['--live-restore'] });

    test('containers, their policy and their connections outlive the engine and the plugin', async () => {
      const hosts = docker();
      await hosts.createNetwork(`${CALICO} live`);
      await run(hosts, FIRST, 'here', '--net live');
      await run(hosts, SECOND, 'there', '--net live');
      const address = await hosts.address(SECOND, 'there', 'live');
      await until('across hosts', () => hosts.pings(FIRST, 'here', address));
      await hosts.engine(FIRST).stop();
      await hosts.nodes.get(FIRST)?.kill('SIGKILL');
      await hosts.startNode(FIRST);
      await hosts.engine(FIRST).startAgain();
      expect(await running(hosts, FIRST)).toBe(1);
      expect(await hosts.pings(FIRST, 'here', address)).toBe(true);
      await untilClean(hosts, FIRST);
      expect(await hosts.pings(FIRST, 'here', address)).toBe(true);
      await removeAll(hosts, 'live');
    });
  });

  describe('a host whose FORWARD policy the engine sets to DROP', () => {
    const docker = useDocker({ generation, engineArguments: [] });

    test('traffic of Calico networks passes, the policy stays, and containers on docker0 work', async () => {
      const hosts = docker();
      const host = hosts.lab.host(FIRST);
      await host.exec(['iptables', '-P', 'FORWARD', 'DROP']);
      await hosts.createNetwork(`${CALICO} beside`);
      await run(hosts, FIRST, 'near', '--net beside');
      await run(hosts, SECOND, 'far', '--net beside');
      const address = await hosts.address(SECOND, 'far', 'beside');
      await until('across hosts', () => hosts.pings(FIRST, 'near', address));
      await run(hosts, FIRST, 'plain', '');
      expect(await hosts.pings(FIRST, 'plain', hosts.lab.underlay.addresses.ipv4)).toBe(true);
      expect((await host.exec(['iptables', '-S', 'FORWARD'])).stdout).toContain('-P FORWARD DROP');
      await hosts.engine(FIRST).stop();
      await hosts.engine(FIRST).startAgain();
      await hosts.docker(FIRST, 'start near');
      await until('after the engine wrote its rules anew', () => hosts.pings(FIRST, 'near', address));
      await removeAll(hosts, 'beside');
    });
  });
});
