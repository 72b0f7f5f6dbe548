import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Client } from '../../../src/client/client.js';
import type { WriteOperation } from '../../../src/datastore/datastore.js';
import { EtcdDatastore } from '../../../src/datastore/etcd/etcd-datastore.js';
import { TestEtcd } from '../../setup/etcd.js';

/** Blocks of 64 addresses, all held; every second workload of them is gone. */
const BLOCKS = Number(process.env['IPAM_BLOCKS'] ?? '20');
const LEAKED = BLOCKS * 32;

let etcd: TestEtcd;
let store: EtcdDatastore;
let directory: string;

async function calicoctl(...words: readonly string[]) {
  const child = spawn('dist/bin/calicoctl', words, {
    env: { PATH: process.env['PATH'], ETCD_ENDPOINTS: etcd.endpoint },
  });
  child.stdin.end();
  const exited = once(child, 'exit');
  const [stdout, stderr] = await Promise.all([text(child.stdout), text(child.stderr)]);
  const [status] = (await exited) as [number];
  return { status, stdout, stderr };
}

/** One block with its handles and, of every second address, the workload. */
function blockAndHolders(index: number): WriteOperation[] {
  const network = `10.65.${index >> 2}.${(index & 3) * 64}`;
  const cidr = `${network}/26`;
  const handles = Array.from({ length: 64 }, (_, ordinal) => `w${index}-${ordinal}`);
  const attributes = handles.map((handle) => ({ handle_id: handle, secondary: { node: 'h1', pod: handle } }));
  const sequence = 1_767_323_045_000_000_000n;
  return [
    { type: 'put', key: { kind: 'BlockAffinity', name: `host:h1/${cidr}` }, value: { state: 'confirmed' } },
    {
      type: 'put',
      key: { kind: 'IPAMBlock', name: cidr },
      value: {
        cidr,
        affinity: 'host:h1',
        allocations: handles.map((_, ordinal) => ordinal),
        unallocated: [],
        attributes,
        sequenceNumber: sequence + 64n,
        sequenceNumberForAllocation: Object.fromEntries(
          handles.map((_, ordinal) => [ordinal, sequence + BigInt(ordinal)]),
        ),
      },
    },
    ...handles.map((name): WriteOperation => ({
      type: 'put',
      key: { kind: 'IPAMHandle', name },
      value: { block: { [cidr]: 1 } },
    })),
    ...handles
      .filter((_, ordinal) => ordinal % 2 === 0)
      .map((pod, half): WriteOperation => {
        const address = `${network.replace(/\d+$/, '')}${(index & 3) * 64 + half * 2}/32`;
        const name = `h1-k8s-${pod.replaceAll('-', '--')}-eth0`;
        const spec = {
          orchestrator: 'k8s',
          node: 'h1',
          pod,
          endpoint: 'eth0',
          interfaceName: `cali${pod}`,
          ipNetworks: [address],
        };
        const metadata = { name, namespace: 'shop' };
        const value = { apiVersion: 'projectcalico.org/v3', kind: 'WorkloadEndpoint', metadata, spec } as const;
        return { type: 'put', key: { kind: 'WorkloadEndpoint', namespace: 'shop', name }, value };
      }),
  ];
}

beforeAll(async () => {
  etcd = await TestEtcd.start();
  store = new EtcdDatastore(etcd.config);
  directory = await mkdtemp(join(tmpdir(), 'calico-ipam-'));
  const client = new Client(store);
  await client.ensureInitialized();
  const apiVersion = 'projectcalico.org/v3';
  await client.create({ apiVersion, kind: 'Node', metadata: { name: 'h1' }, spec: {} });
  await client.create({ apiVersion, kind: 'IPPool', metadata: { name: 'office' }, spec: { cidr: '10.65.0.0/16' } });
  for (let index = 0; index < BLOCKS; index += 1) await store.commit(blockAndHolders(index));
}, 120_000);

afterAll(async () => {
  await store[Symbol.asyncDispose]();
  await etcd.stop();
  await rm(directory, { recursive: true, force: true });
});

describe('calicoctl ipam on a real etcd', () => {
  test('what leaked is found, given back from the report, and nothing else', async () => {
    const report = join(directory, 'report.json');
    await calicoctl('datastore', 'migrate', 'lock');
    const checked = await calicoctl('ipam', 'check', '-o', report);
    expect(checked.stderr).toBe('');
    expect(checked.stdout).toContain(`Found ${LEAKED} IPs that are allocated in IPAM but not actually in use.\n`);
    expect(checked.stdout).toMatch(new RegExp(`Check complete; found ${LEAKED} problems\\.\n$`));
    const released = await calicoctl('ipam', 'release', `--from-report=${report}`);
    expect([released.status, released.stderr]).toEqual([0, '']);
    expect(released.stdout).toContain(`Released ${LEAKED} IPs successfully\n`);
    const { stdout } = await calicoctl('ipam', 'check');
    expect(stdout).toContain(`IPAM blocks record ${LEAKED} allocations.\n`);
    expect(stdout).toMatch(/Check complete; found 0 problems\.\n$/);
  }, 120_000);

  test('a pool is split into many parts while the datastore is locked, and nothing is lost', async () => {
    await calicoctl('datastore', 'migrate', 'lock');
    const split = await calicoctl('ipam', 'split', '128', '--name=office');
    expect([split.status, split.stderr]).toEqual([0, '']);
    expect(split.stdout).toContain('  split-office-0 10.65.0.0/23\n  split-office-127 10.65.254.0/23\n');
    expect((await store.list('IPPool')).items).toHaveLength(128);
    expect((await store.list('IPAMBlock')).items).toHaveLength(BLOCKS);
    expect((await calicoctl('ipam', 'check')).stdout).toContain('Found 0 blocks outside all IP pools.\n');
    expect((await calicoctl('datastore', 'migrate', 'unlock')).stdout).toBe('Datastore unlocked.\n');
  });
});
