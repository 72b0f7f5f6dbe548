import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { beforeAll, describe, expect, test } from 'vitest';
import { ipBatch } from '../../../lab/namespaces.js';
import { until } from '../../../lab/processes.js';
import { twoSubnets } from '../../../lab/topology.js';
import type { LabWorkload } from '../../../lab/workload.js';
import { useCluster } from '../../setup/cluster.js';

/** What arrives at a workload that fits the filter while `attempt` runs; the listener is there before it begins. */
async function arrivals(at: LabWorkload, filter: string, attempt: () => Promise<void>): Promise<number> {
  const [program = '', ...words] = at.command(['tcpdump', '--immediate-mode', '-lni', 'eth0', '-Q', 'in', filter]);
  const listener = spawn(program, words, { stdio: ['ignore', 'pipe', 'pipe'] });
  let seen = '';
  listener.stdout.on('data', (text: Buffer) => (seen += text.toString()));
  const ended = once(listener, 'close');
  await once(listener.stderr, 'data');
  try {
    await attempt();
  } finally {
    listener.kill('SIGTERM');
    await ended;
  }
  return seen.split('\n').filter((line) => line !== '').length;
}

describe('a hostile workload', () => {
  const cluster = useCluster(twoSubnets());
  let a: LabWorkload;
  let b: LabWorkload;
  let c: LabWorkload;
  let e: LabWorkload;

  beforeAll(async () => {
    const add = (host: string, name: string, net: string): Promise<LabWorkload> =>
      cluster().addWorkload(host, name, { profiles: [net] });
    [a, b, c, e] = await Promise.all([
      add('calico-01', 'A', 'net1'),
      add('calico-01', 'B', 'net2'),
      add('calico-01', 'C', 'net1'),
      add('calico-02', 'E', 'net1'),
    ]);
    await until('C reaches E', () => c.can(e, { icmp: true }), { deadlineMs: 15_000 });
  });

  /** As B, with the address of C, which net1 lets in. */
  async function asC(family: 4 | 6, attempt: (source: string) => Promise<void>): Promise<void> {
    const source = c.address(family);
    const address = `${source}/${family === 4 ? 32 : 128}`;
    await b.exec(['ip', 'address', 'add', address, 'dev', 'eth0', ...(family === 6 ? ['nodad'] : [])]);
    try {
      await attempt(source);
    } finally {
      await b.exec(['ip', 'address', 'delete', address, 'dev', 'eth0']);
    }
  }

  test.each([4, 6] as const)(
    'that takes a member of another network for its address gets nothing through, IPv%i',
    async (family) => {
      for (const victim of [a, e]) {
        await asC(family, async (source) => {
          const ping = (): Promise<void> =>
            b
              .exec(['ping', '-c', '3', '-i', '0.05', '-W', '1', '-I', source, victim.address(family)], {
                check: false,
              })
              .then(() => undefined);
          expect(await arrivals(victim, family === 4 ? 'icmp' : 'icmp6[0] == 128', ping)).toBe(0);
        });
      }
      // The listener hears what does come.
      const honest = (): Promise<void> =>
        c.exec(['ping', '-c', '2', '-i', '0.05', a.address(family)]).then(() => undefined);
      expect(await arrivals(a, family === 4 ? 'icmp' : 'icmp6[0] == 128', honest)).toBe(2);
    },
  );

  test.each([4, 6] as const)('gets no fragment through either, IPv%i', async (family) => {
    const flood = (): Promise<void> =>
      b
        .exec(['ping', '-c', '3', '-i', '0.05', '-W', '1', '-s', '4000', a.address(family)], { check: false })
        .then(() => undefined);
    expect(await arrivals(a, family === 4 ? 'ip' : `ip6 src ${b.address(6)}`, flood)).toBe(0);
    const honest = await c.exec(['ping', '-c', '2', '-i', '0.05', '-W', '1', '-s', '4000', a.address(family)]);
    expect(honest.stdout).toContain('2 received');
  });

  test('does not get around policy by way of its host: not with IP options, nor with its routes', async () => {
    const hop = b.host.addresses.ipv4;
    const routed = (): Promise<void> =>
      b.exec(['ping', '-c', '2', '-i', '0.05', '-W', '1', '-R', a.address(4)], { check: false }).then(() => undefined);
    expect(await arrivals(a, 'icmp', routed)).toBe(0);
    await b.exec(['ip', 'route', 'replace', `${a.address(4)}/32`, 'via', '169.254.1.1', 'dev', 'eth0', 'onlink']);
    expect(await b.canReach(a.address(4), { icmp: true })).toBe(false);
    await b.exec(['ip', 'route', 'replace', `${a.address(4)}/32`, 'via', hop, 'dev', 'eth0', 'onlink']);
    expect(await b.canReach(a.address(4), { icmp: true })).toBe(false);
  });

  test('an interface of our prefix that no endpoint names carries nothing', async () => {
    const host = a.host;
    await host.exec(['ip', 'link', 'add', 'calideadbeef01', 'type', 'veth', 'peer', 'name', 'stray0']);
    await ipBatch(host.init.pid, [`link set stray0 netns ${b.record.process.pid}`]);
    const stray = '192.168.0.250';
    await host.exec(['ip', 'link', 'set', 'calideadbeef01', 'up']);
    await host.exec(['ip', 'route', 'add', `${stray}/32`, 'dev', 'calideadbeef01']);
    await host.exec(['sysctl', '-qw', 'net.ipv4.conf.calideadbeef01.proxy_arp=1']);
    await b.exec(['ip', 'address', 'add', `${stray}/32`, 'dev', 'stray0']);
    await b.exec(['ip', 'link', 'set', 'stray0', 'up']);
    await b.exec(['ip', 'route', 'replace', `${a.address(4)}/32`, 'dev', 'stray0', 'src', stray]);
    const tries = (): Promise<void> =>
      b
        .exec(['ping', '-c', '3', '-i', '0.1', '-W', '1', '-I', 'stray0', a.address(4)], { check: false })
        .then(() => undefined);
    expect(await arrivals(a, 'icmp', tries)).toBe(0);
    await b.exec(['ip', 'link', 'delete', 'stray0']);
  });
});
