import { access, chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { CalicoctlFake, ok } from '../../../src/cli/calicoctl.fake.js';
import { Client } from '../../../src/client/client.js';
import { EtcdDatastore } from '../../../src/datastore/etcd/etcd-datastore.js';
import { Ipam } from '../../../src/ipam/ipam.js';
import { TestEtcd } from '../../setup/etcd.js';

let etcd: TestEtcd;
let datastore: EtcdDatastore;
let calicoctl: CalicoctlFake;
let directory: string;

const yaml = (kind: string, name: string, spec: object, more: object = {}) =>
  `${JSON.stringify({ apiVersion: 'projectcalico.org/v3', kind, metadata: { name, ...more }, spec })}\n---\n`;
const pool = (name: string, cidr: string, more: object = {}) => yaml('IPPool', name, { cidr, ...more });
const policy = (name: string, tier: string) =>
  yaml('GlobalNetworkPolicy', name, { tier, order: 1 }, { labels: { app: 'web' } });

/** Of the whole store: any write moves it. */
const revision = async () => (await datastore.list('Tier')).revision;

beforeAll(async () => {
  etcd = await TestEtcd.start();
  datastore = new EtcdDatastore({ endpoints: [etcd.endpoint] });
  calicoctl = new CalicoctlFake(datastore);
  directory = await mkdtemp(join(tmpdir(), 'calico-see-first-'));
  const text = pool('office', '10.0.0.0/16') + yaml('Tier', 'security', { order: 5 }) + policy('old', 'security');
  expect((await calicoctl.run(['apply', '-f', '-'], text)).status).toBe(0);
  await new Client(datastore).ensureInitialized();
  await new Ipam(datastore).assignIp({ address: '10.0.0.7', hostname: 'h1', handleId: 'h' });
  const older = {
    apiVersion: 'projectcalico.org/v3',
    kind: 'GlobalNetworkPolicy',
    metadata: { name: 'older' },
  } as const;
  await datastore.create({ kind: 'GlobalNetworkPolicy', name: 'default.older' }, { ...older, spec: {} });
});

afterAll(async () => {
  await datastore[Symbol.asyncDispose]();
  await etcd.stop();
  await rm(directory, { recursive: true, force: true });
});

async function editor(script: string): Promise<Record<string, string>> {
  const path = join(directory, 'editor');
  await writeFile(path, `#!/bin/sh\n${script}\n`);
  await chmod(path, 0o755);
  return { PATH: process.env['PATH'] ?? '', EDITOR: path };
}

describe('a dry run on etcd', () => {
  const writes: readonly (readonly [string, string, string])[] = [
    ['create -f -', pool('lab', '10.1.0.0/16'), 'IPPool(lab) would be created'],
    ['apply -f -', yaml('Tier', 'new', { order: 7 }) + policy('n', 'new'), 'GlobalNetworkPolicy(n) would be created'],
    ['apply -f - --prune -l has(app)', policy('n', 'security'), 'GlobalNetworkPolicy(old) would be deleted'],
    ['replace -f -', pool('office', '10.0.0.0/16', { natOutgoing: true }), 'IPPool(office) would be changed'],
    ['delete ippool office', '', 'IPPool(office) would be deleted'],
    ['patch ippool office -p {"spec":{"disabled":true}}', '', 'IPPool(office) would be changed'],
    ['label tier security team=a', '', 'Tier(security) would be changed'],
    ['pool add 10.2.0.0/16', '', 'IPPool(10-2-0-0-16) would be created'],
    ['pool remove 10.0.0.0/16', '', 'IPPool(office) would be deleted'],
    ['ipam configure --strictaffinity=true', '', 'Would have set StrictAffinity to: true'],
    ['ipam release --ip=10.0.0.7', '', 'Would have released IP address 10.0.0.7'],
    ['ipam release 10.0.0.7', '', 'Would have released the address'],
    ['datastore migrate lock', '', 'Would have locked the datastore.'],
    ['datastore migrate-policy-names', '', 'GlobalNetworkPolicy(default.older) would be stored as "older"'],
  ];

  test.each(writes)('%s is judged, told and not done', async (line, stdin, told) => {
    const before = await revision();
    const outcome = await calicoctl.run([...line.split(' '), '--dry-run'], stdin);
    const stderr = outcome.stderr.replace(/^note: .*\n/, '');
    expect([outcome.status, stderr, outcome.stdout.includes(told) ? told : outcome.stdout]).toEqual([0, '', told]);
    expect(await revision()).toBe(before);
  });

  test('what needs a lock, and giving it back, too', async () => {
    const split = ['ipam', 'split', '2', '--name=office', '--dry-run'];
    expect((await calicoctl.run(split)).stderr).toContain('datastore is not locked');
    await calicoctl.run(['datastore', 'migrate', 'lock']);
    const before = await revision();
    const parts = ['  split-office-0 10.0.0.0/17', '  split-office-1 10.0.128.0/17'];
    const { stdout } = await calicoctl.run(split);
    expect(stdout).toContain(['Would have split pool "office" (10.0.0.0/16) into 2:', ...parts, ''].join('\n'));
    expect(stdout).toContain('IPPool(office) would be deleted\n');
    expect(await calicoctl.run(['datastore', 'migrate', 'unlock', '--dry-run'])).toEqual(
      ok('ClusterInformation(default) would be changed\nWould have unlocked the datastore.\n'),
    );
    expect(await revision()).toBe(before);
    await calicoctl.run(['datastore', 'migrate', 'unlock']);
  });

  test('an edit too', async () => {
    const before = await revision();
    const environment = await editor(`sed -i 's/natOutgoing.*//; s/^spec:/spec:\\n  natOutgoing: true/' "$1"`);
    const outcome = await calicoctl.run(['edit', 'ippool', 'office', '--dry-run'], '', { environment });
    expect(outcome).toEqual(ok("IPPool(office) would be changed\nWould have edited 1 'IPPool' resource\n"));
    expect(await revision()).toBe(before);
  });

  test('refuses what etcd holds against it', async () => {
    const before = await revision();
    const refusals: readonly (readonly [string, string, string])[] = [
      ['create', pool('office', '10.0.0.0/16'), 'resource already exists: IPPool(office)'],
      ['apply', pool('other', '10.0.3.0/24'), 'overlaps with pool "office"'],
      ['apply', policy('x', 'none'), 'tier "none" does not exist'],
      ['delete', yaml('Tier', 'security', {}), 'Cannot delete a non-empty tier'],
    ];
    for (const [verb, text, message] of refusals) {
      const { status, stderr } = await calicoctl.run([verb, '--dry-run', '-f', '-'], text);
      expect([status, stderr.includes(message) ? message : stderr]).toEqual([1, message]);
    }
    expect(await revision()).toBe(before);
  });
});

describe('diff on etcd', () => {
  test('shows what apply then does, and writes nothing', async () => {
    const before = await revision();
    const wanted = pool('office', '10.0.0.0/16', { disableBGPExport: true });
    expect(await calicoctl.run(['diff', '-f', '-'], wanted)).toEqual({
      status: 1,
      stdout: '~ IPPool(office)\n  + spec.disableBGPExport: true\n',
      stderr: '',
    });
    expect(await revision()).toBe(before);
    await calicoctl.run(['apply', '-f', '-'], wanted);
    expect(await calicoctl.run(['diff', '-f', '-'], wanted)).toEqual(ok(''));
  });
});

describe('an edit on etcd', () => {
  test('is kept when somebody else was quicker', async () => {
    await calicoctl.run(['apply', '-f', '-'], yaml('Tier', 'edited', { order: 20 }));
    const environment = await editor(
      `cp "$1" ${directory}/typed; sed -i 's/order: 20/order: 25/' "$1"; while [ ! -e ${directory}/go ]; do sleep 0.05; done`,
    );
    const editing = calicoctl.run(['edit', 'tier', 'edited'], '', { environment });
    await vi.waitFor(() => access(join(directory, 'typed')), { timeout: 10_000 });
    await calicoctl.run(['apply', '-f', '-'], yaml('Tier', 'edited', { order: 30 }));
    await writeFile(join(directory, 'go'), '');
    const { status, stderr } = await editing;
    expect([status, stderr.split('\n')[0]]).toEqual([1, 'update conflict: Tier(edited)']);
    const path = /kept in (\S+):/.exec(stderr)?.[1] ?? '';
    await rm(join(path, '..'), { recursive: true });
    expect((await datastore.get({ kind: 'Tier', name: 'edited' })).value.spec.order).toBe(30);
  });
});
