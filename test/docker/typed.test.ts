import { describe, expect, test } from 'vitest';
import { until } from '../../lab/processes.js';
import { FIRST, onEachEngine, SECOND, useDocker } from '../setup/docker.js';

const STORE = 'ETCD_ENDPOINTS=http://172.18.18.1:2379';

onEachEngine((generation) => {
  describe('the tutorial as users type it', () => {
    const docker = useDocker({ generation, startsNodes: false });

    /** A line that must work; what it printed. */
    async function typed(host: string, line: string): Promise<string> {
      const { stdout, status } = await docker().typed(host, line);
      expect(status, `${line}\n${stdout}`).toBe(0);
      return stdout;
    }

    async function onHostsOfNetworks(line: string): Promise<void> {
      for (const host of docker().networkHosts) await typed(host, line);
    }

    async function startNodes(options: string): Promise<void> {
      for (const { name, addresses } of docker().lab.hosts) {
        const words = `--ip=${addresses.ipv4} --ip6=${addresses.ipv6} ${options}`;
        const said = await typed(name, `sudo ${STORE} calicoctl node --libnetwork ${words}`);
        expect(said).toMatch(/Calico node is running with id: [0-9a-f]+\n/);
        expect(said).toMatch(
          /\nCalico node running with libnetwork plugin enabled\nWaiting for successful startup\nCalico node started successfully\n$/,
        );
      }
    }

    async function address(host: string, container: string, network: string): Promise<string> {
      const found = await docker().address(host, container, network);
      expect(found).toMatch(/^\d+\./);
      return found;
    }

    const reaches = (host: string, from: string, to: string): Promise<boolean> => docker().pings(host, from, to);

    test('calico-node is a container; networks a to d; workloads A to E; then without a container', async () => {
      await startNodes('');
      for (const host of [FIRST, SECOND]) {
        expect(await typed(host, "docker ps --format '{{.Names}} {{.Image}}'")).toBe(
          'calico-node calico/node:latest\n',
        );
        expect(await typed(host, 'calicoctl status')).toMatch(/^calico-node container is running\. Status: Up /);
      }
      await networksOfAnyPool();
      await networkOfOnePool();
      await networkWithOptions();
      await severalNetworksAndAddresses();
      await withoutContainer();
    });

    async function networksOfAnyPool(): Promise<void> {
      await typed(FIRST, 'calicoctl pool add 192.168.0.0/16');
      for (const network of ['net1', 'net2', 'net3']) {
        await onHostsOfNetworks(`docker network create --driver calico --ipam-driver calico ${network}`);
      }
      await typed(FIRST, 'docker run --net net1 --name workload-A -tid busybox');
      await typed(FIRST, 'docker run --net net2 --name workload-B -tid busybox');
      await typed(FIRST, 'docker run --net net1 --name workload-C -tid busybox');
      await typed(SECOND, 'docker run --net net3 --name workload-D -tid busybox');
      await typed(SECOND, 'docker run --net net1 --name workload-E -tid busybox');
      const [b, d, e] = [
        await address(FIRST, 'workload-B', 'net2'),
        await address(SECOND, 'workload-D', 'net3'),
        await address(SECOND, 'workload-E', 'net1'),
      ];
      await until('A reaches E', () => reaches(FIRST, 'workload-A', e), { deadlineMs: 20_000 });
      expect(await reaches(FIRST, 'workload-A', 'workload-C.net1')).toBe(true);
      expect(await reaches(FIRST, 'workload-A', 'workload-E.net1')).toBe(true);
      for (const other of [b, d, 'workload-B', 'workload-B.net2']) {
        expect(await reaches(FIRST, 'workload-A', other)).toBe(false);
      }
    }

    async function networkOfOnePool(): Promise<void> {
      await typed(FIRST, 'calicoctl pool add 10.77.0.0/24 --ipip --nat-outgoing');
      await onHostsOfNetworks('docker network create --driver calico --ipam-driver calico --subnet=10.77.0.0/24 one');
      await typed(FIRST, 'docker run --net one --ip 10.77.0.100 --name fixed -tid busybox');
      await typed(FIRST, 'docker run --net one --name beside -tid busybox');
      expect(await address(FIRST, 'fixed', 'one')).toBe('10.77.0.100');
      await until('beside reaches fixed', () => reaches(FIRST, 'beside', '10.77.0.100'));
      await until('the way out', () => reaches(FIRST, 'fixed', docker().lab.underlay.addresses.ipv4));
      expect(await typed(FIRST, 'calicoctl pool show --ipv4')).toMatch(/10\.77\.0\.0\/24\s+\| ipip,nat-outgoing/);
      expect(await typed(FIRST, 'calicoctl node status')).toContain('pool "10-77-0-0-24" gets no tunnel on this host');
      // Networks of any pool would take from it, too.
      await typed(FIRST, 'docker rm -f fixed beside');
      await onHostsOfNetworks('docker network rm one');
      await typed(FIRST, 'calicoctl pool remove 10.77.0.0/24');
    }

    async function networkWithOptions(): Promise<void> {
      const options = '--opt nat-outgoing=true --opt ipip=true';
      await onHostsOfNetworks(`docker network create --driver calico ${options} --subnet=10.78.0.0/24 own`);
      await typed(FIRST, 'docker run --net own --ip 10.78.0.7 --name own-A -tid busybox');
      await typed(FIRST, 'docker run --net own --ip 10.78.0.8 --name own-B -tid busybox');
      await until('own-A reaches own-B', () => reaches(FIRST, 'own-A', '10.78.0.8'));
      expect(await typed(FIRST, 'calicoctl pool show --ipv4')).toMatch(/10\.78\.0\.0\/24\s+\| ipip,nat-outgoing/);
    }

    /** The container has the namespaces of containers that came after it. */
    async function severalNetworksAndAddresses(): Promise<void> {
      await typed(FIRST, 'docker network connect net2 workload-A');
      const b = await address(FIRST, 'workload-B', 'net2');
      await until('A reaches B', () => reaches(FIRST, 'workload-A', b));
      expect(await typed(FIRST, 'docker exec workload-A ip route')).toContain('default via 169.254.1.1 dev cali1');
      await typed(FIRST, 'calicoctl container workload-C ip add 192.168.77.1');
      await until('E reaches the second address of C', () => reaches(SECOND, 'workload-E', '192.168.77.1'));
    }

    async function withoutContainer(): Promise<void> {
      const e = await address(SECOND, 'workload-E', 'net1');
      for (const host of [FIRST, SECOND]) await typed(host, `sudo ${STORE} calicoctl node stop --force`);
      expect(await typed(FIRST, "docker ps --format '{{.Names}}'")).not.toContain('calico-node');
      expect(await reaches(FIRST, 'workload-A', e)).toBe(true);
      await startNodes('--runtime=none');
      expect(await typed(FIRST, 'calicoctl status')).toMatch(/^calico-node process \(pid \d+\) is running\./);
      await typed(FIRST, 'docker run --net net1 --name late -tid busybox');
      await until('late reaches E', () => reaches(FIRST, 'late', e));
      expect(await reaches(FIRST, 'late', await address(SECOND, 'workload-D', 'net3'))).toBe(false);
      for (const host of [FIRST, SECOND]) await typed(host, 'sudo calicoctl node stop --force');
    }
  });
});
