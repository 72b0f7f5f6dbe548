import { existsSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import type { DockerCluster } from '../../lab/docker-cluster.js';
import { until } from '../../lab/processes.js';
import { CALICO, FIRST, onEachEngine, removeAll, run, SECOND, useDocker } from '../setup/docker.js';

const TEXT = 'served on docker0';

/** A web server on Docker's own bridge, published on the host. @returns its address on the bridge */
async function publishOnBridge(hosts: DockerCluster, name: string, port: number): Promise<string> {
  const serve = `echo ${TEXT} >/tmp/index.html; httpd -f -h /tmp`;
  await hosts.engine(FIRST).docker(['run', '--name', name, '-d', '-p', `${port}:80`, 'busybox', 'sh', '-c', serve]);
  return hosts.address(FIRST, name, 'bridge');
}

/** What the other host gets from a port of the first one. */
async function fetched(hosts: DockerCluster, port: number): Promise<string> {
  const url = `http://${hosts.lab.host(FIRST).addresses.ipv4}:${port}/`;
  const asked = await hosts.lab.host(SECOND).exec(['curl', '-s', '--max-time', '2', url], { check: false });
  return asked.stdout.trim();
}

interface Pair {
  readonly ipv4: string;
  readonly ipv6: string;
}

/** Containers `near` and `far` of a network over both hosts that reach each other. @returns where `far` is */
async function startPair(hosts: DockerCluster, network: string): Promise<Pair> {
  // What a test that failed left.
  await removeAll(hosts);
  await hosts.createNetwork(`${CALICO} --ipv6 ${network}`);
  await run(hosts, FIRST, 'near', `--net ${network}`);
  await run(hosts, SECOND, 'far', `--net ${network}`);
  const ipv4 = await hosts.address(SECOND, 'far', network);
  const ipv6 = await hosts.address(SECOND, 'far', network, 6);
  await until('across hosts', () => pairPings(hosts, { ipv4, ipv6 }));
  return { ipv4, ipv6 };
}

async function pairPings(hosts: DockerCluster, { ipv4, ipv6 }: Pair): Promise<boolean> {
  const four = await hosts.pings(FIRST, 'near', ipv4);
  return four && hosts.pings(FIRST, 'near', ipv6, { family: 6 });
}

onEachEngine((generation) => {
  describe('beside an engine with --icc=false', () => {
    const docker = useDocker({ generation, engineArguments: ['--icc=false'] });
    const first = (...words: string[]) => docker().lab.host(FIRST).exec(words);

    test('containers on docker0 are published and kept from each other as before, those of Calico reach each other', async () => {
      const hosts = docker();
      const pair = await startPair(hosts, 'icc');
      const bridge = await publishOnBridge(hosts, 'front', 8080);
      await run(hosts, FIRST, 'plain', '');
      expect(await fetched(hosts, 8080)).toBe(TEXT);
      expect(await hosts.pings(FIRST, 'plain', bridge), 'one docker0 container to another').toBe(false);
      expect(await hosts.pings(FIRST, 'plain', hosts.lab.host(SECOND).addresses.ipv4), 'outwards').toBe(true);
      expect(await hosts.pings(FIRST, 'plain', pair.ipv4), 'from docker0 to a Calico network').toBe(false);
      expect(await pairPings(hosts, pair)).toBe(true);
      await removeAll(hosts, 'icc');
    });

    test("a rule in DOCKER-USER goes on judging Docker's own containers, and is left where it is", async () => {
      const hosts = docker();
      const pair = await startPair(hosts, 'user');
      await publishOnBridge(hosts, 'front', 8081);
      expect(await fetched(hosts, 8081)).toBe(TEXT);
      const rule = ['DOCKER-USER', '-i', 'eth0', '-p', 'tcp', '--dport', '80', '-j', 'DROP'];
      await first('iptables', '-I', ...rule);
      expect(await fetched(hosts, 8081)).toBe('');
      expect(await pairPings(hosts, pair)).toBe(true);
      await first('iptables', '-D', ...rule);
      expect(await fetched(hosts, 8081)).toBe(TEXT);
      await removeAll(hosts, 'user');
    });

    // What an engine 28 writes, on one that does not: its packages are not among Debian's.
    test('the rules of Docker 28, simulated: raw drops for published containers, FORWARD drops of both families', async () => {
      const hosts = docker();
      const pair = await startPair(hosts, 'raw');
      const bridge = await publishOnBridge(hosts, 'front', 8082);
      // Not busybox's wget, which ends by a signal where it is statically linked.
      const direct = ['exec', 'near', 'sh', '-c', `printf 'GET / HTTP/1.0\\r\\n\\r\\n' | nc -w 2 ${bridge} 80`];
      const reaches = async () => (await hosts.engine(FIRST).docker(direct, { check: false })).stdout.includes(TEXT);
      await until('the server on docker0, by its address there', reaches);
      const raw = [
        ['-d', `${bridge}/32`, '!', '-i', 'docker0', '-j', 'DROP'],
        ['-d', '127.0.0.1/32', '!', '-i', 'lo', '-p', 'tcp', '--dport', '8082', '-j', 'DROP'],
      ];
      for (const rule of raw) await first('iptables', '-t', 'raw', '-A', 'PREROUTING', ...rule);
      for (const program of ['iptables', 'ip6tables']) await first(program, '-P', 'FORWARD', 'DROP');
      expect(await pairPings(hosts, pair)).toBe(true);
      expect(await fetched(hosts, 8082)).toBe(TEXT);
      expect(await reaches(), "Docker's drop is Docker's to say").toBe(false);
      for (const rule of raw) await first('iptables', '-t', 'raw', '-D', 'PREROUTING', ...rule);
      for (const program of ['iptables', 'ip6tables']) await first(program, '-P', 'FORWARD', 'ACCEPT');
      await removeAll(hosts, 'raw');
    });

    test.skipIf(!existsSync('/usr/sbin/ufw'))('ufw enabled, reloaded and disabled', async () => {
      const hosts = docker();
      const pair = await startPair(hosts, 'ufw');
      await publishOnBridge(hosts, 'front', 8083);
      await first('ufw', '--force', 'enable');
      expect((await first('ufw', 'status', 'verbose')).stdout).toMatch(/Status: active[^]*(deny|disabled) \(routed\)/);
      expect((await first('iptables', '-S', 'FORWARD')).stdout).toContain('-P FORWARD DROP');
      await until('with ufw', () => pairPings(hosts, pair));
      expect(await fetched(hosts, 8083)).toBe(TEXT);
      await first('ufw', 'reload');
      await until('after its reload', () => pairPings(hosts, pair));
      await run(hosts, FIRST, 'later', '--net ufw');
      expect(await hosts.pings(FIRST, 'later', 'near')).toBe(true);
      await first('ufw', 'disable');
      await until('without ufw', () => pairPings(hosts, pair));
      await removeAll(hosts, 'ufw');
    });

    test('a table as firewalld writes it: refuses what its zones do not know, lets through what they trust', async () => {
      const hosts = docker();
      const pair = await startPair(hosts, 'firewalld');
      const load = (trusted: string) => hosts.lab.host(FIRST).exec(['nft', '-f', '-'], { input: firewalld(trusted) });
      await load('');
      expect(await hosts.pings(FIRST, 'near', pair.ipv4), 'no zone has the interface').toBe(false);
      await load('iifname "cali*" accept\n    oifname "cali*" accept');
      expect(await pairPings(hosts, pair), 'a trusted zone has cali+').toBe(true);
      expect((await first('nft', 'list', 'table', 'inet', 'firewalld')).stdout).toContain('admin-prohibited');
      await first('nft', 'delete', 'table', 'inet', 'firewalld');
      await removeAll(hosts, 'firewalld');
    });
  });

  describe('beside an engine with the legacy iptables', () => {
    const docker = useDocker({ generation, legacyIptables: true });

    test('traffic passes although the engine and its owner drop what they forward, and docker0 is published', async () => {
      const hosts = docker();
      const host = hosts.lab.host(FIRST);
      expect((await host.exec(['iptables-legacy', '-S'])).stdout).toContain('DOCKER-USER');
      for (const program of ['iptables-legacy', 'ip6tables-legacy'])
        await host.exec([program, '-P', 'FORWARD', 'DROP']);
      const pair = await startPair(hosts, 'legacy');
      await publishOnBridge(hosts, 'front', 8084);
      expect(await fetched(hosts, 8084)).toBe(TEXT);
      await hosts.engine(FIRST).stop();
      await hosts.engine(FIRST).startAgain();
      await hosts.docker(FIRST, 'start near front');
      await until('after the engine wrote its rules anew', () => pairPings(hosts, pair));
      expect(await fetched(hosts, 8084)).toBe(TEXT);
      await removeAll(hosts, 'legacy');
    });
  });
});

/** The forwarding half of firewalld's table, with what a trusted zone adds. */
function firewalld(trusted: string): string {
  return `
table inet firewalld {}
delete table inet firewalld
table inet firewalld {
  chain filter_FORWARD {
    type filter hook forward priority filter + 10; policy accept;
    ct state { established, related } accept
    ct status dnat accept
    iifname "lo" accept
    ${trusted}
    ct state invalid drop
    reject with icmpx admin-prohibited
  }
}
`;
}
