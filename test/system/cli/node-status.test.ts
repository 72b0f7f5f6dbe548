import { afterEach, describe, expect, test } from 'vitest';
import type { HostProcess, LabHost } from '../../../lab/host.js';
import { until } from '../../../lab/processes.js';
import { loneHost } from '../../../lab/topology.js';
import { EtcdDatastore } from '../../../src/datastore/etcd/etcd-datastore.js';
import { LocalApiClient } from '../../../src/localapi/client.js';
import { useLab } from '../../setup/lab.js';

const lab = useLab(loneHost());
let running: HostProcess[] = [];

function host(): LabHost {
  return lab().host('calico-01');
}

async function start(program: string): Promise<void> {
  running.push(await host().spawn([program], { log: `/var/log/calico/${program}.log` }));
}

async function startNode(): Promise<void> {
  await start('calico-node');
  const api = new LocalApiClient(host().path('/run/calico/calico.sock'));
  await until('calico-node has programmed the kernel', async () => (await api.status()).felix.isProgrammed, {
    deadlineMs: 20_000,
  });
}

afterEach(async () => {
  for (const each of running) await each.kill();
  running = [];
});

async function calicoctl(...words: readonly string[]): Promise<{ status: number; stdout: string; stderr: string }> {
  return host().exec(['calicoctl', ...words], { check: false });
}

const POOL = `
apiVersion: projectcalico.org/v3
kind: IPPool
metadata: {name: far}
spec: {cidr: 10.77.0.0/16, ipipMode: Always}
`;

describe('calicoctl node status', () => {
  test('says that nothing runs', async () => {
    expect(await calicoctl('node', 'status')).toMatchObject({
      status: 1,
      stdout: '',
      stderr: 'Calico process is not running.\n  hint: start calico-node on this host\n',
    });
    expect(await calicoctl('status')).toMatchObject({
      status: 1,
      stderr:
        'note: today: calicoctl node status\ncalico-node container is not running.\n  hint: start it with: calicoctl node\n',
    });
  });

  test('shows both families, the own datastore, and pools whose tunnel is not there', async () => {
    await startNode();
    await host().exec(['calicoctl', 'apply', '-f', '-'], { input: POOL });
    const tunnel = async (): Promise<boolean> => (await calicoctl('node', 'status')).stdout.includes('pool "far"');
    await until('the pool was looked at', tunnel);
    const { stdout, status } = await calicoctl('node', 'status');
    expect(status).toBe(0);
    for (const part of [
      'Calico process is running.\n\nIPv4 BGP status\nNo IPv4 peers found.\n\nIPv6 BGP status\n',
      'Node calico-01, calico-node v',
      'info: single-host datastore: no other host shares this etcd\n  hint: to join hosts, start calico-node',
      'pool "far" gets no tunnel on this host',
    ]) {
      expect(stdout).toContain(part);
    }
  });

  test('the old form says the same in its own words', async () => {
    await startNode();
    const { stdout, stderr } = await calicoctl('status');
    expect(stderr).toBe('note: today: calicoctl node status\n');
    expect(stdout).toMatch(/^calico-node process \(pid \d+\) is running\. Status: Up .*\nRunning felix version 0/);
    expect(stdout).toContain(`IP: ${host().addresses.ipv4}    AS Number: 64512 (inherited)`);
  });

  test('says that the host is held when its datastore was wiped', async () => {
    await startNode();
    const endpoint = `unix://${host().path('/run/calico/localhost:12379')}`;
    await using store = new EtcdDatastore({ endpoints: [endpoint] });
    await store.delete({ kind: 'ClusterInformation', name: 'default' });
    const seen = async (): Promise<string> => (await calicoctl('node', 'status')).stdout;
    await until('the host says that it is held', async () => (await seen()).includes('error: the host is held: '));
    expect(await seen()).toContain('the datastore was emptied or replaced');
    expect(await seen()).toContain('  hint: restore etcd from a backup');
  });

  test('finds an agent that runs without calico-node', async () => {
    await start('calico-felix');
    const { stdout } = await calicoctl('node', 'status');
    expect(stdout).toContain('Calico process is running.\n');
    expect(stdout).toMatch(/Agent: .*calico-felix \(pid \d+\); no calico-node answers/);
  });
});
