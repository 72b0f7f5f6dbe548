import { describe, expect, test } from 'vitest';
import { until } from '../../lab/processes.js';
import { CALICO, FIRST, onEachEngine, removeAll, run, SECOND, useDocker } from '../setup/docker.js';

onEachEngine((generation) => {
  describe('hosts that form a swarm', () => {
    // A cluster store and a swarm exclude each other.
    const docker = useDocker({ generation, clusterStore: false });

    test('networks are made on each host and reach across, before and after; services are refused by the engine', async () => {
      const hosts = docker();
      await hosts.createNetwork(`${CALICO} before`);
      await run(hosts, FIRST, 'old', '--net before --restart always');
      const manager = hosts.lab.host(FIRST).addresses.ipv4;
      await hosts.docker(FIRST, `swarm init --advertise-addr ${manager}`);
      const token = await hosts.engine(FIRST).say(['swarm', 'join-token', '-q', 'worker']);
      await hosts.docker(SECOND, `swarm join --token ${token} ${manager}:2377`);
      await hosts.createNetwork(`${CALICO} after`);
      await run(hosts, FIRST, 'near', '--net after --restart always');
      await run(hosts, SECOND, 'far', '--net after');
      const address = await hosts.address(SECOND, 'far', 'after');
      await until('across hosts', () => hosts.pings(FIRST, 'near', address));

      const service = ['service', 'create', '--network', 'after', 'busybox'];
      expect(await hosts.engine(FIRST).refusal(service)).toMatch(/network after not found|No such network: after/);

      // The start of a host: calico-node and the engine know nothing, and the engine asks before it answers.
      await hosts.engine(FIRST).stop();
      await hosts.nodes.get(FIRST)?.kill('SIGKILL');
      await hosts.startNode(FIRST);
      await hosts.engine(FIRST).startAgain();
      await until('after a start of both', () => hosts.pings(FIRST, 'near', address), { deadlineMs: 30_000 });
      await hosts.docker(FIRST, `network create ${CALICO} later`);
      await removeAll(hosts, 'later', 'after', 'before');
    });
  });

  describe('a swarm on a host where somebody chose the scope global', () => {
    const docker = useDocker({
      generation,
      hosts: 1,
      clusterStore: false,
      nodeEnvironment: { CALICO_LIBNETWORK_SCOPE: 'global' },
    });

    test('node status says why the engine refuses networks, and what to do', async () => {
      const hosts = docker();
      const host = hosts.lab.host(FIRST);
      await hosts.docker(FIRST, `swarm init --advertise-addr ${host.addresses.ipv4}`);
      const create = ['network', 'create', ...CALICO.split(' '), 'refused'];
      expect(await hosts.engine(FIRST).refusal(create)).toContain('not supported in swarm mode');
      let status = '';
      await until('node status says so', async () => {
        status = (await host.exec(['calicoctl', 'node', 'status'], { check: false })).stdout;
        return status.includes('the engine is part of a swarm, and CALICO_LIBNETWORK_SCOPE=global');
      });
      expect(status).toContain("take CALICO_LIBNETWORK_SCOPE from calico-node's environment");
    });
  });
});
