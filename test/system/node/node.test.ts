import { afterEach, describe, expect, test } from 'vitest';
import type { HostProcess, LabHost } from '../../../lab/host.js';
import { until } from '../../../lab/processes.js';
import { loneHost } from '../../../lab/topology.js';
import { EtcdDatastore } from '../../../src/datastore/etcd/etcd-datastore.js';
import { LocalApiClient } from '../../../src/localapi/client.js';
import { useLab } from '../../setup/lab.js';

const lab = useLab(loneHost());
const SOCKET = '/run/calico/calico.sock';

function host(): LabHost {
  return lab().host('calico-01');
}

function api(): LocalApiClient {
  return new LocalApiClient(host().path(SOCKET));
}

async function isProgrammed(): Promise<boolean> {
  return (await api().status()).felix.isProgrammed;
}

let starts = 0;
let running: HostProcess[] = [];

function log(): string {
  return `/var/log/calico/node-${starts}.log`;
}

async function spawnNode(env: Record<string, string> = {}): Promise<HostProcess> {
  starts += 1;
  const node = await host().spawn(['calico-node'], { env, log: log() });
  running.push(node);
  return node;
}

afterEach(async () => {
  for (const node of running) await node.kill();
  running = [];
});

/** Starts calico-node and waits until it has done its work for the first time. */
async function startNode(env: Record<string, string> = {}): Promise<HostProcess> {
  const node = await spawnNode(env);
  await until('calico-node has programmed the kernel', isProgrammed, { deadlineMs: 20_000, everyMs: 20 });
  return node;
}

async function stopNode(node: HostProcess): Promise<void> {
  await node.kill('SIGTERM');
  expect((await node.ended).status).toBe(0);
}

async function withStore<T>(use: (store: EtcdDatastore) => Promise<T>): Promise<T> {
  await using store = new EtcdDatastore({ endpoints: [`unix://${host().path('/run/calico/localhost:12379')}`] });
  return await use(store);
}

describe('calico-node on a host alone', () => {
  test('starts an etcd of its own, writes Node, pools and its name, and says what it is', async () => {
    const node = await startNode();
    const status = await api().status();
    expect(status).toMatchObject({
      node: 'calico-01',
      datastore: { isSingleHost: true, status: 'in-sync' },
      felix: { isRunning: true, isProgrammed: true },
    });
    expect(status.conditions.map(({ code }) => code)).toContain('single-host-datastore');
    expect(host().readFile(log())).toContain('Calico node started successfully');
    expect(host().readFile('/var/lib/calico/nodename')).toBe('calico-01');
    await withStore(async (store) => {
      const { value } = await store.get({ kind: 'Node', name: 'calico-01' });
      expect(value.spec.bgp?.ipv4Address).toBe(`${host().addresses.ipv4}/24`);
      const pools = await store.list('IPPool');
      expect(pools.items.map(({ key }) => key.name)).toEqual(['default-ipv4-ippool', 'default-ipv6-ippool']);
    });
    const ruleset = await host().exec(['nft', 'list', 'table', 'inet', 'calico']);
    expect(ruleset.stdout).toContain('table inet calico');
    await stopNode(node);
  });

  test('a second calico-node on the same host is refused with the pid of the first', async () => {
    const node = await startNode();
    const second = await host().exec(['calico-node'], { check: false });
    expect(second.status).toBe(1);
    expect(second.stderr).toMatch(/another calico-node runs on this host \(pid \d+\)\n {2}hint: /);
    await stopNode(node);
  });

  test('calico-felix does not run beside calico-node, nor the other way round', async () => {
    const node = await startNode();
    const beside = await host().exec(['calico-felix'], { check: false });
    expect(beside.status).toBe(1);
    expect(beside.stderr).toMatch(
      /^calico-felix: calico-node \(pid \d+\) programs this host already\n {2}hint: stop it/,
    );
    await stopNode(node);
    const felix = await host().spawn(['calico-felix'], { log: '/var/log/calico/felix.log' });
    running.push(felix);
    await until('calico-felix runs', async () =>
      host().readFile('/var/log/calico/felix.log').includes('calico-felix for host'),
    );
    const node2 = await host().exec(['calico-node'], { check: false });
    expect(node2.stderr).toMatch(/calico-felix \(pid \d+\) programs this host already/);
  });

  test('a start after kill -9 adopts etcd, writes nothing to datastore or kernel', async () => {
    const node = await startNode();
    const etcd = await host().pidsOf('etcd');
    expect(etcd).toHaveLength(1);
    const before = await withStore(async (store) => (await store.list('Node')).revision);
    await node.kill('SIGKILL');
    let again: HostProcess | undefined;
    const writes = await host().countKernelWrites(async () => {
      again = await startNode();
    });
    expect(await host().pidsOf('etcd')).toEqual(etcd);
    expect(await withStore(async (store) => (await store.list('Node')).revision)).toBe(before);
    expect(writes).toEqual({ count: 0, lines: [] });
    if (again !== undefined) await stopNode(again);
  });

  test('an etcd that ends is started again, and the node says in between what it waits for', async () => {
    const node = await startNode();
    for (const etcd of await host().pidsOf('etcd')) process.kill(etcd.pid, 'SIGTERM');
    await until('the agent lost its datastore', async () => (await api().status()).datastore.status !== 'in-sync');
    await until('the agent is in sync again', async () => (await api().status()).datastore.status === 'in-sync', {
      deadlineMs: 30_000,
    });
    expect(host().readFile(log())).toContain("this host's own etcd has ended: starting it again");
    await stopNode(node);
  });

  test('serves health and metrics on loopback when asked to', async () => {
    const node = await startNode({ FELIX_HEALTHENABLED: 'true', FELIX_PROMETHEUSMETRICSENABLED: 'true' });
    const ask = async (url: string) => (await host().exec(['curl', '-sS', url])).stdout;
    expect(await ask('http://localhost:9099/readiness')).toContain('InternalDataplaneMainLoop');
    const metrics = await ask('http://127.0.0.1:9091/metrics');
    expect(metrics).toContain('felix_resync_state 3');
    expect(metrics).toContain('calico_node_conditions{code="single-host-datastore"} 1');
    await stopNode(node);
  });

  test('waits for a datastore that is away, and stops at once when told so', async () => {
    const node = await spawnNode({ ETCD_ENDPOINTS: 'http://127.0.0.1:9' });
    await until('status says what it waits for', async () =>
      (await api().status()).conditions.some(({ code }) => code === 'datastore-unreachable'),
    );
    expect(host().readFile(log())).toMatch(/waiting for etcd at http:\/\/127\.0\.0\.1:9: .*next try in/);
    await stopNode(node);
  });

  test('says in one line what it cannot start with', async () => {
    const wrong = await host().exec(['calico-node'], { check: false, env: { IP: '192.0.2.300' } });
    expect(wrong.status).toBe(1);
    expect(wrong.stderr).toBe(
      'calico-node: IP: "192.0.2.300" is not an IPv4 address\n  hint: write IP=192.0.2.1/24, autodetect or none\n',
    );
    const elsewhere = { IP: 'autodetect', IP_AUTODETECTION_METHOD: 'interface=nothing', NODENAME: 'other' };
    const lost = await host().exec(['calico-node'], { check: false, env: elsewhere });
    expect(lost.status).toBe(1);
    expect(lost.stderr).toContain('IP: no IPv4 address of this host found by "interface=(?:nothing)"');
  });
});
