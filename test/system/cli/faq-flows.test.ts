import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { EtcdDatastore } from '../../../src/datastore/etcd/etcd-datastore.js';
import { runProgram } from '../../setup/calicoctl.js';
import { TestEtcd } from '../../setup/etcd.js';

let etcd: TestEtcd;
let store: EtcdDatastore;
let directory: string;

beforeEach(async () => {
  etcd = await TestEtcd.start();
  store = new EtcdDatastore(etcd.config);
  directory = await mkdtemp(join(tmpdir(), 'calico-cli-faq-'));
  // As a host makes it that comes up first.
  await store.create(
    { kind: 'IPPool', name: 'default-ipv4-ippool' },
    {
      apiVersion: 'projectcalico.org/v3',
      kind: 'IPPool',
      metadata: {
        name: 'default-ipv4-ippool',
        uid: '3f2b1c5e-5a0e-4f57-9a3c-0d6a1f4b7e21',
        creationTimestamp: '2026-01-01T00:00:00Z',
        annotations: { 'projectcalico.org/default-pool': 'true' },
      },
      spec: {
        cidr: '192.168.0.0/16',
        blockSize: 26,
        ipipMode: 'Never',
        vxlanMode: 'Never',
        natOutgoing: false,
        nodeSelector: 'all()',
        allowedUses: ['Workload', 'Tunnel'],
      },
    },
  );
});

afterEach(async () => {
  await store[Symbol.asyncDispose]();
  await etcd.stop();
  await rm(directory, { recursive: true, force: true });
});

const bash = (script: string) =>
  runProgram(['-euo', 'pipefail', '-c', script], {
    program: '/bin/bash',
    cwd: directory,
    environment: { ETCD_ENDPOINTS: etcd.endpoint },
  });

describe('how do I enable IPIP and NAT on a pool that exists?', () => {
  test('get, edit, replace', async () => {
    expect((await bash('calicoctl get ipPool --export -o yaml > pool.yaml')).status).toBe(0);
    const shown = await readFile(join(directory, 'pool.yaml'), 'utf8');
    expect(shown).toMatch(/cidr: 192\.168\.0\.0\/16/);
    await writeFile(
      join(directory, 'pool.yaml'),
      [
        '- apiVersion: projectcalico.org/v3',
        '  kind: IPPool',
        '  metadata:',
        '    name: default-ipv4-ippool',
        '  spec:',
        '    cidr: 192.168.0.0/16',
        '    ipipMode: Always',
        '    natOutgoing: true',
        '',
      ].join('\n'),
    );
    expect(await bash('calicoctl replace -f pool.yaml')).toMatchObject({
      status: 0,
      stdout: "Successfully replaced 1 'IPPool' resource(s)\n",
    });
    expect((await store.get({ kind: 'IPPool', name: 'default-ipv4-ippool' })).value.spec).toMatchObject({
      cidr: '192.168.0.0/16',
      ipipMode: 'Always',
      natOutgoing: true,
      blockSize: 26,
    });
  });

  test('the file as it was shown can be edited in place, too', async () => {
    const script = [
      'calicoctl get ipPool --export -o yaml > pool.yaml',
      "sed -i 's/ipipMode: Never/ipipMode: Always/; s/natOutgoing: false/natOutgoing: true/' pool.yaml",
      'calicoctl replace -f pool.yaml',
    ];
    expect(await bash(script.join('\n'))).toMatchObject({
      status: 0,
      stdout: "Successfully replaced 1 'IPPool' resource(s)\n",
    });
    const { spec } = (await store.get({ kind: 'IPPool', name: 'default-ipv4-ippool' })).value;
    expect([spec.ipipMode, spec.natOutgoing]).toEqual(['Always', true]);
  });
});

describe('how do I enable NAT for outgoing traffic?', () => {
  test('a heredoc with a pool of the range of the default pool', async () => {
    const heredoc = `cat <<EOF | calicoctl apply -f -
- apiVersion: projectcalico.org/v3
  kind: IPPool
  metadata:
    name: ippool-1
  spec:
    cidr: 192.168.0.0/16
    ipipMode: CrossSubnet
    natOutgoing: true
EOF`;
    expect(await bash(heredoc)).toMatchObject({
      status: 0,
      stdout: "Successfully applied 1 'IPPool' resource(s)\n",
    });
    const pools = (await store.list('IPPool')).items;
    expect(pools.map(({ key, value }) => [key.name, value.spec.cidr, value.spec.natOutgoing])).toEqual([
      ['ippool-1', '192.168.0.0/16', true],
    ]);
  });

  test('a file that comes out of another program', async () => {
    const script = `calicoctl apply -f <(printf '%s' '{"apiVersion": "projectcalico.org/v3", "kind": "Tier", "metadata": {"name": "a"}, "spec": {"order": 1}}')`;
    expect((await bash(script)).stdout).toBe("Successfully applied 1 'Tier' resource(s)\n");
  });
});
