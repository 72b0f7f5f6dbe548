import { setTimeout as wait } from 'node:timers/promises';
import { afterEach, beforeAll, describe, expect, test } from 'vitest';
import type { HostProcess } from '../../../lab/host.js';
import { until } from '../../../lab/processes.js';
import { oneSubnet } from '../../../lab/topology.js';
import type { LabWorkload } from '../../../lab/workload.js';
import { useLab } from '../../setup/lab.js';
import { endpoint, type Entry, oldStylePolicy, profile } from './foreign-data.js';

const FELIX = `${process.cwd()}/dist/bin/calico-felix`;
const LOG = '/var/log/calico/felix-out.log';

describe('calico-felix alone, on an etcd that somebody else filled', () => {
  const lab = useLab(oneSubnet(1));
  let a: LabWorkload;
  let b: LabWorkload;
  let c: LabWorkload;
  let felix: HostProcess;

  /** From inside: the underlay's addresses mean something else to the machine itself. */
  async function etcdctl(...words: string[]): Promise<void> {
    const command = ['etcdctl', '--endpoints', lab().etcdEndpoint, ...words];
    await lab().underlay.exec(command, { env: { ETCDCTL_API: '3' } });
  }

  async function store(...entries: Entry[]): Promise<void> {
    for (const [path, value] of entries) await etcdctl('put', path, JSON.stringify(value));
  }

  async function forget([path]: Entry): Promise<void> {
    await etcdctl('del', path);
  }

  const log = (): string => lab().host('calico-01').readFile(LOG);

  async function startFelix(): Promise<void> {
    const host = lab().host('calico-01');
    host.writeFile(LOG, '');
    host.writeFile('/etc/calico/felix.cfg', '[global]\nLogSeverityScreen = debug\n');
    felix = await host.spawn([FELIX], { env: { ETCD_ENDPOINTS: lab().etcdEndpoint }, log: LOG });
    await until('the kernel is in line', () => log().includes('in line with the datastore'));
  }

  beforeAll(async () => {
    const add = (name: string, n: number): Promise<LabWorkload> =>
      lab().addWorkload('calico-01', name, { addresses: [`192.168.0.${n}`, `fd80:24e2:f998:72d6::${n}`] });
    a = await add('A', 1);
    b = await add('B', 2);
    c = await add('C', 255);
    await store(profile('net1'), profile('net2'));
    await store(endpoint(a, 'calico-01', 'net1'), endpoint(b, 'calico-01', 'net2'), endpoint(c, 'calico-01', 'net1'));
    await startFelix();
  });

  afterEach(async () => {
    await forget(oldStylePolicy(80));
    await until('the policy is gone', async () => !(await b.can(a, { tcp: 80 }, { timeoutMs: 100 })));
    await c.firstThrough(a, 81);
  });

  test('networks are islands, in both families; .255 is an address like any other', async () => {
    for (const family of [4, 6] as const) {
      for (const probe of [{ tcp: 80 }, { udp: 53 }, { icmp: true }] as const) {
        expect(await a.can(c, probe, { family }), `A to C, IPv${family}`).toBe(true);
        expect(await c.can(a, probe, { family }), `C to A, IPv${family}`).toBe(true);
        expect(await b.can(a, probe, { family, timeoutMs: 150 }), `B to A, IPv${family}`).toBe(false);
        expect(await a.can(b, probe, { family, timeoutMs: 150 }), `A to B, IPv${family}`).toBe(false);
      }
    }
  });

  test('a policy of an older key form opens one port to one workload, until it is gone', async () => {
    const policy = oldStylePolicy(80);
    await store(policy);
    await b.firstThrough(a, 80);
    expect(await b.can(a, { tcp: 81 }, { timeoutMs: 150 })).toBe(false);
    // The policy selects A: its profile no longer counts, so its own network has to knock at the same door.
    expect(await c.can(a, { tcp: 80 }, { timeoutMs: 150 })).toBe(false);
    await forget(policy);
    await c.firstThrough(a, 81);
    expect(await b.can(a, { tcp: 80 }, { timeoutMs: 150 })).toBe(false);
  });

  test('SIGKILL and a new start lose no packet, open nothing and write nothing', async () => {
    const meter = a.ping(c);
    await wait(100);
    const writes = await lab()
      .host('calico-01')
      .countKernelWrites(async () => {
        await felix.kill('SIGKILL');
        await wait(200);
        expect(await b.can(a, { tcp: 80 }, { timeoutMs: 150 })).toBe(false);
        await startFelix();
      });
    const { lost, received } = await meter.stop();
    expect(writes.lines).toEqual([]);
    expect(lost).toBe(0);
    expect(received).toBeGreaterThan(50);
  });

  test('a foreign flush is repaired and opens nothing meanwhile', async () => {
    const host = lab().host('calico-01');
    await host.exec(['nft', 'flush', 'ruleset']);
    await until('the table is back', async () =>
      (await host.exec(['nft', 'list', 'table', 'inet', 'calico'], { check: false })).stdout.includes('goto'),
    );
    expect(await b.can(a, { tcp: 80 }, { timeoutMs: 150 })).toBe(false);
    expect(await a.can(c, { tcp: 80 })).toBe(true);
  });

  test('with etcd out of reach it goes on enforcing, says what it waits for, and catches up', async () => {
    const host = lab().host('calico-01');
    await host.exec([
      'iptables',
      '-I',
      'OUTPUT',
      '-d',
      '172.18.18.1',
      '-p',
      'tcp',
      '-j',
      'REJECT',
      '--reject-with',
      'tcp-reset',
    ]);
    await until('it says so', () => /waiting for etcd at http:\/\/172\.18\.18\.1:2379/.test(log()), {
      deadlineMs: 30_000,
    });
    expect(await a.can(c, { tcp: 80 })).toBe(true);
    expect(await b.can(a, { tcp: 80 }, { timeoutMs: 150 })).toBe(false);
    await store(oldStylePolicy(80));
    await host.exec(['iptables', '-D', 'OUTPUT', '1']);
    await b.firstThrough(a, 80, { timeoutMs: 20_000 });
    expect(await c.can(a, { tcp: 81 }, { timeoutMs: 150 })).toBe(false);
  });
});
