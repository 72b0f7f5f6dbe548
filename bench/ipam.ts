import { performance } from 'node:perf_hooks';
import { setImmediate } from 'node:timers/promises';
import type { ResourceByKind } from '../src/api/registry.js';
import { EtcdDatastore } from '../src/datastore/etcd/etcd-datastore.js';
import { Ipam } from '../src/ipam/ipam.js';
import { RawEtcd } from '../test/setup/etcd-raw.js';
import { TestEtcd } from '../test/setup/etcd.js';
import { line } from './figures/figures.js';

/**
 * Addresses assigned and released per second, on a real etcd. Floor of the same run: bare transactions of one put per second, with as
 * many in flight; an assign and a release alone need two. The ratio is floor ÷ ours.
 */

const SECONDS = process.env['SHORT'] === '1' ? 1.5 : 4;

/** Calls a second, with so many loops at once. */
async function rate(loops: number, call: (loop: number, turn: number) => Promise<void>): Promise<number> {
  const start = performance.now();
  const end = start + SECONDS * 1_000;
  let calls = 0;
  const loop = async (index: number): Promise<void> => {
    for (let turn = 0; performance.now() < end; turn += 1) {
      await call(index, turn);
      calls += 1;
    }
  };
  await Promise.all(Array.from({ length: loops }, (_, index) => loop(index)));
  return calls / ((performance.now() - start) / 1_000);
}

async function cycle(ipam: Ipam, hostname: string, handleId: string, seen: Set<string>): Promise<void> {
  const { ipv4 } = await ipam.autoAssign({ ipv4: 1, hostname, use: 'Workload', handleId });
  const [address] = ipv4.addresses;
  if (address === undefined) throw new Error(ipv4.messages.join('; '));
  if (seen.has(address)) throw new Error(`${address} was assigned twice`);
  seen.add(address);
  await setImmediate();
  // Before the release: from then on it may be somebody else's.
  seen.delete(address);
  await ipam.releaseByHandle(handleId);
}

async function compare(name: string, hosts: number, loopsPerHost: number, etcd: TestEtcd): Promise<void> {
  const raw = new RawEtcd(etcd.config);
  const floor = await rate(hosts * loopsPerHost, (loop) => raw.put(`/bench/${loop}`, 'x'.repeat(600)));
  raw.close();
  const stores = Array.from({ length: hosts }, () => new EtcdDatastore(etcd.config));
  const ipams = stores.map((store) => new Ipam(store));
  const seen = new Set<string>();
  const ours = await rate(hosts * loopsPerHost, (loop, turn) => {
    const host = loop % hosts;
    const ipam = ipams[host] ?? new Ipam(stores[0] ?? new EtcdDatastore(etcd.config));
    return cycle(ipam, `host-${host}`, `${loop}-${turn}`, seen);
  });
  for (const store of stores) await store[Symbol.asyncDispose]();
  line(name, `${ours.toFixed(0)} assign+release/s`, `${floor.toFixed(0)} txn/s`, floor / ours);
}

async function expectNoLeak(etcd: TestEtcd): Promise<void> {
  await using store = new EtcdDatastore(etcd.config);
  const handles = (await store.list('IPAMHandle')).items.length;
  const used = (await new Ipam(store).utilization()).reduce((sum, pool) => sum + pool.used, 0);
  if (handles !== 0 || used !== 0) throw new Error(`leaked: ${handles} handles, ${used} addresses`);
}

const etcd = await TestEtcd.start();
try {
  const pool: ResourceByKind['IPPool'] = {
    apiVersion: 'projectcalico.org/v3',
    kind: 'IPPool',
    metadata: { name: 'bench' },
    spec: { cidr: '192.168.0.0/16', blockSize: 26 },
  };
  const store = new EtcdDatastore(etcd.config);
  await store.put({ kind: 'IPPool', name: 'bench' }, pool);
  await compare('ipam one host, one at a time', 1, 1, etcd);
  await compare('ipam one host, 16 at once', 1, 16, etcd);
  await compare('ipam one host, 64 at once', 1, 64, etcd);
  await compare('ipam 10 hosts, 4 at once each', 10, 4, etcd);
  await expectNoLeak(etcd);
  await store.put({ kind: 'IPPool', name: 'bench' }, { ...pool, spec: { ...pool.spec, disabled: true } });
  const small = { ...pool, metadata: { name: 'small' }, spec: { cidr: '10.0.0.0/26', blockSize: 26 } };
  await store.put({ kind: 'IPPool', name: 'small' }, small);
  await compare('ipam 10 hosts, all in one block', 10, 1, etcd);
  await expectNoLeak(etcd);
  await store[Symbol.asyncDispose]();
} finally {
  await etcd.stop();
}
