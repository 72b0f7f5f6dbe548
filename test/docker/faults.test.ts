import { readFileSync } from 'node:fs';
import { setTimeout as wait } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import type { DockerCluster } from '../../lab/docker-cluster.js';
import { until } from '../../lab/processes.js';
import { untilNothingIsLeft } from '../setup/docker-census.js';
import { CALICO, FIRST, onEachEngine, removeAll, run, SECOND, useDocker } from '../setup/docker.js';

/** Containers that run here now. */
async function running(hosts: DockerCluster): Promise<number> {
  return (await hosts.engine(FIRST).say(['ps', '-q'])).split('\n').filter((id) => id !== '').length;
}

/** How many addresses are in use, where nothing is left behind. */
async function inUse(hosts: DockerCluster): Promise<number> {
  return (await untilNothingIsLeft(hosts, FIRST)).ipam.length;
}

onEachEngine((generation) => {
  describe('an engine or a plugin that is killed', () => {
    const docker = useDocker({ generation, hosts: 1 });

    test('engine and plugin that end at once, as at a power failure, leave nothing, and what is to start again does', async () => {
      const hosts = docker();
      await hosts.createNetwork(`${CALICO} killed`);
      for (const index of [1, 2, 3]) await run(hosts, FIRST, `gone-${index}`, '--net killed');
      await run(hosts, FIRST, 'back', '--net killed --restart always --label org.projectcalico.label.role=back');
      await hosts.engine(FIRST).kill();
      await hosts.nodes.get(FIRST)?.kill('SIGKILL');
      await hosts.startNode(FIRST);
      await hosts.engine(FIRST).startAgain();
      await until('the container that restarts', async () => (await running(hosts)) === 1, {
        deadlineMs: 40_000,
      });
      expect(await inUse(hosts)).toBe(1);
      await run(hosts, FIRST, 'peer', '--net killed');
      expect(await hosts.pings(FIRST, 'peer', 'back')).toBe(true);
      const labelled = async () =>
        (await hosts.cluster.client.list('WorkloadEndpoint', 'libnetwork')).some(
          ({ value }) => value.metadata.labels?.['role'] === 'back',
        );
      await until('its label, which the engine did not say while it started', labelled, { everyMs: 200 });
      await removeAll(hosts, 'killed');
      expect(await inUse(hosts)).toBe(0);
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
      await inUse(hosts);
      await run(hosts, FIRST, 'late', '--net churned');
      expect(await hosts.pings(FIRST, 'late', 'steady')).toBe(true);
      await removeAll(hosts, 'churned');
      expect(await inUse(hosts)).toBe(0);
    });

    test('a hundred containers started at once all have an address of their own, and are gone at once', async () => {
      const hosts = docker();
      await hosts.createNetwork(`${CALICO} crowd`);
      const names = Array.from({ length: 100 }, (_, index) => `crowd-${index}`);
      const startedMs = performance.now();
      await Promise.all(
        names.map((name) =>
          hosts
            .engine(FIRST)
            .docker(['run', '-d', '-i', '--net', 'crowd', '--name', name, 'busybox'], { timeoutMs: 110_000 }),
        ),
      );
      console.log(`${generation}: ${names.length} at once in ${Math.round(performance.now() - startedMs)} ms`);
      const { engine, ipam, interfaces } = await untilNothingIsLeft(hosts, FIRST);
      expect(new Set(engine).size).toBe(100);
      expect([ipam.length, interfaces.length]).toEqual([100, 100]);
      expect(await hosts.pings(FIRST, 'crowd-0', 'crowd-99')).toBe(true);
      await removeAll(hosts, 'crowd');
      expect(await inUse(hosts)).toBe(0);
    });
  });

  describe('a datastore that stands still', () => {
    // Not on the cluster store of 20.10: that is the same etcd, and the engine itself would wait.
    const docker = useDocker({ generation, hosts: 1, clusterStore: false });

    /** Stops etcd for the time of some work; gives what the work gave. */
    async function whileStopped<T>(hosts: DockerCluster, work: () => Promise<T>): Promise<T> {
      const [etcd] = await hosts.lab.underlay.pidsOf('etcd');
      if (etcd === undefined) throw new Error('there is no etcd');
      // nsenter(1), its parent, stops itself when its child stops, and wakes it when it goes on.
      const parent = Number(/PPid:\s+(\d+)/.exec(readFileSync(`/proc/${etcd.pid}/status`, 'utf8'))?.[1]);
      process.kill(etcd.pid, 'SIGSTOP');
      try {
        return await work();
      } finally {
        for (const pid of [parent, etcd.pid]) process.kill(pid, 'SIGCONT');
      }
    }

    test('for seconds is waited for; for long, the user reads what ails, and nothing is left', async () => {
      const hosts = docker();
      await hosts.createNetwork(`${CALICO} slow`);
      await run(hosts, FIRST, 'steady', '--net slow');
      const started = whileStopped(hosts, () => wait(5_000));
      await run(hosts, FIRST, 'patient', '--net slow');
      await started;
      expect(await hosts.pings(FIRST, 'patient', 'steady')).toBe(true);

      await whileStopped(hosts, async () => {
        const startedMs = performance.now();
        const words = ['run', '--net', 'slow', '--name', 'refused', '-d', 'busybox', 'sleep', '60'];
        expect(await hosts.engine(FIRST).refusal(words)).toMatch(
          /etcd at http:\S+: no answer in time|the datastore did not answer within 25 s/,
        );
        // Once our patience for the address; a place on the network costs as much once more, and giving it back.
        expect(performance.now() - startedMs).toBeLessThan(60_000);
        expect(await hosts.pings(FIRST, 'patient', 'steady'), 'without the datastore').toBe(true);
      });
      await hosts.docker(FIRST, 'rm -f refused');
      await until('the datastore again', () => run(hosts, FIRST, 'again', '--net slow').then(() => true), {
        deadlineMs: 30_000,
        everyMs: 1_000,
      });
      expect(await inUse(hosts)).toBe(3);
      await removeAll(hosts, 'slow');
      expect(await inUse(hosts)).toBe(0);
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
      expect(await running(hosts)).toBe(1);
      expect(await hosts.pings(FIRST, 'here', address)).toBe(true);
      expect(await inUse(hosts)).toBe(1);
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
