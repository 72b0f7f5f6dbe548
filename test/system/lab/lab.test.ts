import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { afterAll, describe, expect, test } from 'vitest';
import { Lab } from '../../../lab/lab.js';
import { insideNetwork } from '../../../lab/namespaces.js';
import { identify, isAlive, repositoryRoot, run, until } from '../../../lab/processes.js';
import type { Finished } from '../../../lab/processes.js';
import { readRecord, sweepDeadLabs } from '../../../lab/state.js';
import { loneHost, twoSubnets } from '../../../lab/topology.js';
import { useLab } from '../../setup/lab.js';

describe('a lab', () => {
  const lab = useLab(twoSubnets());

  test('has hosts with names, files and process numbers of their own', async () => {
    const host = lab().host('calico-01');
    host.writeFile('/var/lib/calico/note', 'one');
    expect((await host.exec(['hostname'])).stdout.trim()).toBe('calico-01');
    expect((await host.exec(['ls', '/var/lib/calico'])).stdout.trim()).toBe('note');
    expect((await lab().host('calico-02').exec(['ls', '/var/lib/calico', '/run/calico'])).stdout).not.toContain('note');
    expect((await host.exec(['bash', '-c', 'echo $$; ls -d /proc/[0-9]* | wc -l'])).stdout).toMatch(
      /^\d{1,3}\n\d{1,2}\n$/,
    );
    expect((await host.exec(['ls', '/sys/class/net'])).stdout.split('\n')).toContain('eth0');
  });

  test('routes between hosts of one subnet and of two, in both families', async () => {
    const [one, two, three] = lab().hosts;
    for (const other of [two, three]) {
      for (const address of [other?.addresses.ipv4 ?? '', other?.addresses.ipv6 ?? '']) {
        const { stdout } = (await one?.exec(['ping', '-c1', '-W1', address])) ?? { stdout: '' };
        // One hop less to live behind the router.
        expect(stdout).toContain(other === two ? 'ttl=64' : 'ttl=63');
      }
    }
  });

  test('has an etcd that every host reaches', async () => {
    const { stdout, stderr } = await lab()
      .host('calico-03')
      .exec(['etcdctl', 'endpoint', 'health'], {
        env: { ETCDCTL_API: '3', ETCDCTL_ENDPOINTS: lab().etcdEndpoint },
      });
    expect(stdout + stderr).toContain('is healthy');
  });

  test('says who reaches whom by TCP, UDP and ICMP in both families, and who does not', async () => {
    const a = await lab().addWorkload('calico-01', 'A', { addresses: ['192.168.0.5', 'fd80:24e2:f998:72d6::5'] });
    const b = await lab().addWorkload('calico-01', 'B', { addresses: ['192.168.0.6', 'fd80:24e2:f998:72d6::6'] });
    await lab().host('calico-01').exec(['sysctl', '-qw', 'net.ipv4.ip_forward=1', 'net.ipv6.conf.all.forwarding=1']);
    for (const family of [4, 6] as const) {
      for (const probe of [{ tcp: 80 }, { udp: 53 }, { icmp: true }] as const) {
        expect(await a.can(b, probe, { family }), `${JSON.stringify(probe)} over IPv${family}`).toBe(true);
      }
    }
    const meter = a.ping(b);
    await wait(200);
    await lab().host('calico-01').exec(['ip', 'route', 'del', '192.168.0.6']);
    await wait(200);
    expect(await a.can(b, { tcp: 80 })).toBe(false);
    expect(await a.can(b, { icmp: true })).toBe(false);
    expect(await a.can(b, { tcp: 80 }, { family: 6 })).toBe(true);
    await lab().host('calico-01').exec(['ip', 'route', 'add', '192.168.0.6', 'dev', b.hostInterface]);
    await until('the ping comes back', () => a.can(b, { icmp: true }));
    await wait(100);
    const count = await meter.stop();
    expect(count.lost).toBeGreaterThan(10);
    expect(count.received).toBeGreaterThan(10);
    await lab().removeWorkload('A');
    await lab().removeWorkload('B');
    await until(
      'the cables are gone',
      async () => !(await lab().host('calico-01').exec(['ip', 'link'])).stdout.includes('cali'),
    );
  });

  test('counts kernel writes from outside: some when there are, none when there are none', async () => {
    const host = lab().host('calico-02');
    const quiet = await host.countKernelWrites(async () => {
      await host.exec(['nft', 'list', 'ruleset']);
    });
    expect(quiet.lines).toEqual([]);
    const busy = await host.countKernelWrites(async () => {
      await host.exec(['nft', 'add table inet t; add chain inet t c']);
      await host.exec(['ip', 'route', 'add', 'blackhole', '192.0.2.0/24']);
    });
    expect(busy.count).toBe(3);
  });
});

describe('a lab that is over', () => {
  test('leaves no process, after stop() and after its owner was killed', async () => {
    const stopped = await Lab.start(loneHost());
    const [host] = stopped.hosts;
    const sleeper = await host?.spawn(['sleep', '1000']);
    await stopped.stop();
    expect(sleeper !== undefined && isAlive(sleeper.identity)).toBe(false);
    expect(readRecord(stopped.name)).toBeUndefined();

    const code =
      "const {Lab} = await import(process.argv[1] + '/dist/lab/lab.js'); const {loneHost} = await import(process.argv[1] + '/dist/lab/topology.js');" +
      'const lab = await Lab.start(loneHost(), {name: process.argv[2]}); console.log(lab.hosts[0].init.pid); setInterval(() => {}, 1e6);';
    const name = `killed-${process.pid}`;
    const owner = spawn(process.execPath, ['--input-type=module', '-e', code, repositoryRoot(), name], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const pid = await new Promise<number>((resolve) =>
      owner.stdout.once('data', (data: Buffer) => resolve(Number(data.toString()))),
    );
    const init = identify(pid);
    expect(init).toBeDefined();
    owner.kill('SIGKILL');
    await until('the host went with its owner', () => identify(pid) === undefined);
    await until('the record is swept', async () => {
      await sweepDeadLabs();
      return readRecord(name) === undefined;
    });
  });

  test('touches nothing of the machine', async () => {
    const look = async (): Promise<string> =>
      (await run(['bash', '-c', 'ip -o link; ip route; cat /proc/mounts; ls /run/netns /etc/calico 2>&1'])).stdout;
    const before = await look();
    const lab = await Lab.start(loneHost());
    await run(insideNetwork(lab.host('calico-01').init.pid, ['ip', 'link', 'add', 'extra', 'type', 'bridge']));
    const during = await look();
    await lab.stop();
    expect(during).toBe(before);
    expect(await look()).toBe(before);
  });
});

describe('the command line', () => {
  const name = `cli-${process.pid}`;
  const lab = (...args: readonly string[]): Promise<Finished> =>
    run([process.execPath, join(repositoryRoot(), 'dist/lab/main.js'), '--name', name, ...args]);

  afterAll(async () => {
    await lab('down');
  });

  test('up, exec, workload, can, down: each does what it says, from one process to the next', async () => {
    expect((await lab('exec', 'calico-01', 'true')).stderr).toContain('is not up');
    expect((await lab('up', 'nowhere')).stderr).toContain('there is no topology "nowhere"');
    expect((await lab('up', 'lone-host')).stdout).toContain('calico-01');
    expect((await lab('up', 'lone-host')).stderr).toContain('is up already');
    expect((await lab('exec', 'calico-01', 'hostname')).stdout).toBe('calico-01\n');
    expect((await lab('exec', 'calico-01', 'bash', '-c', 'exit 7')).status).toBe(7);
    expect((await lab('exec', 'calico-09', 'true')).stderr).toContain('has no host "calico-09"');
    await lab('workload', 'add', 'A', '--host', 'calico-01', '--address', '192.168.0.5');
    await lab('workload', 'add', 'B', '--host', 'calico-01', '--address', '192.168.0.6');
    await lab('exec', 'calico-01', 'sysctl', '-qw', 'net.ipv4.ip_forward=1');
    expect((await lab('can', 'A', 'B', 'tcp:80')).stdout).toBe('yes\n');
    await lab('exec', 'calico-01', 'sysctl', '-qw', 'net.ipv4.ip_forward=0');
    expect((await lab('can', 'A', 'B', 'tcp:80')).status).toBe(1);
    expect((await lab('status')).stdout).toMatch(/A +192\.168\.0\.5/);
    const inits = Object.values(readRecord(name)?.inits ?? {});
    expect((await lab('down')).status).toBe(0);
    expect(inits.length > 0 && !inits.some(isAlive)).toBe(true);
  });

  test.each([40, 120, 200, 280, 400])('killed %i ms into "up", "down" removes what is left', async (delayMs) => {
    const up = spawn(process.execPath, [join(repositoryRoot(), 'dist/lab/main.js'), '--name', name, 'up'], {
      stdio: 'ignore',
    });
    await wait(delayMs);
    up.kill('SIGKILL');
    const inits = Object.values(readRecord(name)?.inits ?? {});
    await lab('down');
    await until('the hosts are gone', () => !inits.some(isAlive));
    expect(readRecord(name)).toBeUndefined();
    expect((await lab('status')).stdout).toContain('is not up');
  });
});
