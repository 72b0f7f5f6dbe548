import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { performance } from 'node:perf_hooks';
import { isPublicKind, publicKinds } from '../src/api/registry.js';
import { parseResource } from '../src/api/validate.js';
import { formatYaml } from '../src/cli/yaml-text.js';
import type { WriteOperation } from '../src/datastore/datastore.js';
import { EtcdDatastore } from '../src/datastore/etcd/etcd-datastore.js';
import { TestEtcd } from '../test/setup/etcd.js';
import { line, lineOfTimes, median } from './figures/figures.js';

/** Whole runs of calicoctl against a real etcd, each beside `node -e 0`: what a person waits for. */

const POLICIES = 1_000;
const ENDPOINTS = process.env['SHORT'] === '1' ? 0 : 10_000;
const MANY_ENDPOINTS = 50_000;
const DOCUMENTS = process.env['SHORT'] === '1' ? 1_000 : 5_000;
const ROUNDS = process.env['SHORT'] === '1' ? 7 : 15;
const COMMIT_LIMIT = 100;

const directory = mkdtempSync(join(tmpdir(), 'calico-bench-'));
/** Loaded before a program, tells at its end how much memory it had at most. */
const PEAK = join(directory, 'peak.cjs');
writeFileSync(
  PEAK,
  "process.on('exit', () => require('node:fs').writeSync(2, `peak=${process.resourceUsage().maxRSS}`));",
);

interface Measured {
  readonly ms: number;
  readonly peakKib: number;
}

function measure(words: readonly string[], endpoint: string): Measured {
  const start = performance.now();
  const { status, stderr } = spawnSync(process.execPath, ['--require', PEAK, ...words], {
    env: { PATH: process.env['PATH'], ETCD_ENDPOINTS: endpoint },
    maxBuffer: 2 ** 28,
  });
  if (status !== 0) throw new Error(`${words.join(' ')} ended with ${status}: ${stderr.toString()}`);
  return { ms: performance.now() - start, peakKib: Number(/peak=(\d+)/.exec(stderr.toString())?.[1]) };
}

function run(words: readonly string[], endpoint: string): number {
  return measure(words, endpoint).ms;
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
  lineOfTimes(name, mine, floor);
}

/** Long runs, once: time and memory, each beside those of bare Node. */
function once(name: string, words: readonly string[], endpoint: string): void {
  const bare = measure(['-e', '0'], endpoint);
  const ours = measure(['dist/bin/calicoctl.cjs', ...words], endpoint);
  const mebibytes = (value: number) => `${Math.round(value / 1024)} MiB`;
  lineOfTimes(name, ours.ms, bare.ms);
  line(`${name}, memory`, mebibytes(ours.peakKib), mebibytes(bare.peakKib), ours.peakKib / bare.peakKib);
}

/** What it costs to judge one typed object of each kind, beside reading it from JSON. */
function compareValidation(): void {
  const rounds = 2_000;
  const timeOf = (work: () => unknown): number => {
    for (let i = 0; i < rounds; i += 1) work();
    const start = performance.now();
    for (let i = 0; i < rounds; i += 1) work();
    return ((performance.now() - start) * 1000) / rounds;
  };
  for (const { kind, examples } of Object.values(publicKinds)) {
    if (!isPublicKind(kind)) continue;
    const text = JSON.stringify({ ...head, kind, ...examples.valid });
    const object: unknown = JSON.parse(text);
    const [ours, floor] = [timeOf(() => parseResource(object)), timeOf(() => JSON.parse(text) as unknown)];
    line(`validation of a ${kind}`, `${ours.toPrecision(3)} µs`, `${floor.toPrecision(3)} µs`, ours / floor);
  }
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

async function commitAll(store: EtcdDatastore, writes: readonly WriteOperation[]): Promise<void> {
  for (let at = 0; at < writes.length; at += COMMIT_LIMIT) await store.commit(writes.slice(at, at + COMMIT_LIMIT));
}

/** A file of YAML documents as people write them. */
function documentsFile(): string {
  const documents = Array.from({ length: DOCUMENTS }, (_, i) => formatYaml(policy(i + POLICIES).value));
  const path = join(directory, 'policies.yaml');
  writeFileSync(path, documents.join('---\n'));
  return path;
}

const etcd = await TestEtcd.start();
try {
  await using store = new EtcdDatastore(etcd.config);
  await commitAll(
    store,
    Array.from({ length: POLICIES }, (_, i) => policy(i)),
  );
  await commitAll(
    store,
    Array.from({ length: ENDPOINTS }, (_, i) => endpoint(i)),
  );
  const { endpoint: url } = etcd;
  compare('calicoctl version --client', ['version', '--client'], url);
  compare('calicoctl get, empty table', ['get', 'bgppeer'], url);
  compare('calicoctl get 1,000 policies, table', ['get', 'networkpolicy'], url);
  compare('calicoctl get 1,000 policies, YAML', ['get', 'networkpolicy', '-o', 'yaml'], url);
  compareValidation();
  const file = documentsFile();
  const many = DOCUMENTS.toLocaleString('en');
  once(`calicoctl validate ${many} documents`, ['validate', '-f', file], url);
  once(`calicoctl apply ${many} documents, new`, ['apply', '-f', file], url);
  once(`calicoctl apply ${many} documents, again`, ['apply', '-f', file], url);
  once(`calicoctl replace ${many} documents`, ['replace', '-f', file], url);
  once(`calicoctl delete ${many} documents`, ['delete', '-f', file], url);
  if (ENDPOINTS > 0) {
    compare('calicoctl get 10,000 endpoints, table', ['get', 'workloadendpoint'], url);
    await commitAll(
      store,
      Array.from({ length: MANY_ENDPOINTS - ENDPOINTS }, (_, i) => endpoint(i + ENDPOINTS)),
    );
    once('calicoctl get 50,000 endpoints, table', ['get', 'workloadendpoint'], url);
    once('calicoctl get 50,000 endpoints, YAML', ['get', 'workloadendpoint', '-o', 'yaml'], url);
  }
} finally {
  await etcd.stop();
  rmSync(directory, { recursive: true, force: true });
}
