import { spawnSync } from 'node:child_process';
import { performance } from 'node:perf_hooks';
import { EtcdDatastore } from '../src/datastore/etcd/etcd-datastore.js';
import { TestEtcd } from '../test/setup/etcd.js';

/** Whole runs of calicoctl against a real etcd, each beside `node -e 0`: what a person waits for. */

const POLICIES = 1_000;
const ENDPOINTS = process.env['SHORT'] === '1' ? 0 : 10_000;
const ROUNDS = process.env['SHORT'] === '1' ? 7 : 15;
const COMMIT_LIMIT = 100;

function run(words: readonly string[], endpoint: string): number {
  const start = performance.now();
  const { status, stderr } = spawnSync(process.execPath, words, {
    env: { PATH: process.env['PATH'], ETCD_ENDPOINTS: endpoint },
    maxBuffer: 2 ** 28,
  });
  if (status !== 0) throw new Error(`${words.join(' ')} ended with ${status}: ${stderr.toString()}`);
  return performance.now() - start;
}

function median(times: number[]): number {
  return times.toSorted((a, b) => a - b)[Math.floor(times.length / 2)] ?? Number.NaN;
}

/** Ours and bare Node by turns, so that a busy moment meets both. */
function compare(name: string, words: readonly string[], endpoint: string): void {
  const ours: number[] = [];
  const bare: number[] = [];
  for (let round = 0; round < ROUNDS; round += 1) {
    bare.push(run(['-e', '0'], endpoint));
    ours.push(run(['dist/bin/calicoctl.cjs', ...words], endpoint));
  }
  const [mine, floor] = [median(ours), median(bare)];
  console.log(
    [name, `${mine.toPrecision(3)} ms`, `${floor.toPrecision(3)} ms`, (mine / floor).toPrecision(3)].join('  '),
  );
}

const head = { apiVersion: 'projectcalico.org/v3' } as const;

function policy(i: number) {
  const key = { kind: 'NetworkPolicy', namespace: 'default', name: `policy-${i}` } as const;
  const spec = {
    order: i,
    selector: `app == 'a${i}'`,
    types: ['Ingress', 'Egress'],
    ingress: [
      { action: 'Allow', protocol: 'TCP', source: { selector: `role == 'r${i}'` }, destination: { ports: [80, 443] } },
      { action: 'Deny' },
    ],
    egress: [{ action: 'Allow', protocol: 'UDP', destination: { nets: ['10.0.0.0/8'], ports: [53] } }],
  } as const;
  const { kind, ...metadata } = key;
  return { type: 'create', key, value: { ...head, kind, metadata, spec } } as const;
}

function endpoint(i: number) {
  const name = `n${i % 100}-cni-c${i}-eth0`;
  const key = { kind: 'WorkloadEndpoint', namespace: 'default', name } as const;
  const spec = {
    orchestrator: 'cni',
    node: `n${i % 100}`,
    containerID: `c${i}`,
    endpoint: 'eth0',
    interfaceName: `cali${i}`,
    ipNetworks: [`10.${i >> 16}.${(i >> 8) & 255}.${i & 255}/32`],
    profiles: ['net1'],
  };
  const { kind, ...metadata } = key;
  return {
    type: 'create',
    key,
    value: { ...head, kind, metadata: { ...metadata, labels: { app: `a${i}` } }, spec },
  } as const;
}

async function fill(store: EtcdDatastore): Promise<void> {
  const writes = [
    ...Array.from({ length: POLICIES }, (_, i) => policy(i)),
    ...Array.from({ length: ENDPOINTS }, (_, i) => endpoint(i)),
  ];
  for (let at = 0; at < writes.length; at += COMMIT_LIMIT) await store.commit(writes.slice(at, at + COMMIT_LIMIT));
}

const etcd = await TestEtcd.start();
try {
  await using store = new EtcdDatastore(etcd.config);
  await fill(store);
  const { endpoint: url } = etcd;
  compare('calicoctl version --client', ['version', '--client'], url);
  compare('calicoctl get, empty table', ['get', 'bgppeer'], url);
  compare('calicoctl get 1,000 policies, table', ['get', 'networkpolicy'], url);
  compare('calicoctl get 1,000 policies, YAML', ['get', 'networkpolicy', '-o', 'yaml'], url);
  if (ENDPOINTS > 0) compare('calicoctl get 10,000 endpoints, table', ['get', 'workloadendpoint'], url);
} finally {
  await etcd.stop();
}
