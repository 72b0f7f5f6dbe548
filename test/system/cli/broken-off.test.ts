import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { setTimeout as pause } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { EtcdDatastore } from '../../../src/datastore/etcd/etcd-datastore.js';
import { TestEtcd } from '../../setup/etcd.js';

const CALICOCTL = 'dist/bin/calicoctl';
const COUNT = 4000;
const TIER = { apiVersion: 'projectcalico.org/v3', kind: 'Tier', spec: { order: 5 } } as const;

let etcd: TestEtcd;
let store: EtcdDatastore;
let directory: string;
let children: ChildProcess[];

beforeEach(async () => {
  etcd = await TestEtcd.start({ listen: 'tcp' });
  store = new EtcdDatastore(etcd.config);
  directory = await mkdtemp(join(tmpdir(), 'calico-broken-off-test-'));
  children = [];
});

afterEach(async () => {
  for (const child of children) child.kill('SIGKILL');
  await store[Symbol.asyncDispose]();
  await etcd.stop();
  await rm(directory, { recursive: true, force: true });
});

const written = async (): Promise<number> => (await store.list('GlobalNetworkSet')).items.length;

/** An apply of thousands of resources that has written some of them. */
async function startApply() {
  const file = join(directory, 'sets.yaml');
  const sets = Array.from(
    { length: COUNT },
    (_, index) =>
      `{apiVersion: projectcalico.org/v3, kind: GlobalNetworkSet, metadata: {name: set-${index}}, spec: {nets: [192.0.2.0/24]}}\n---\n`,
  );
  await writeFile(file, sets.join(''));
  const child = spawn(CALICOCTL, ['apply', '-f', file], {
    env: { PATH: process.env['PATH'], ETCD_ENDPOINTS: etcd.endpoint },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  children.push(child);
  const ended = Promise.all([text(child.stdout), text(child.stderr), once(child, 'exit') as Promise<[number | null]>]);
  const deadlineMs = Date.now() + 20_000;
  while ((await written()) < 50) {
    if (Date.now() > deadlineMs) throw new Error('nothing is written');
    await pause(5);
  }
  return { child, ended };
}

const named = (line: string): number => line.match(/GlobalNetworkSet\(set-\d+\)/g)?.length ?? 0;

/** How many resources the last line says to be written. */
function saidToBeWritten(stderr: string): number {
  const account = stderr.trimEnd().split('\n').at(-1) ?? '';
  return account.endsWith('; no others') ? named(account) : COUNT - named(account);
}

describe('an apply of many resources that is broken off', () => {
  test.each(['SIGINT', 'SIGTERM'] as const)('by %s says which were applied and which were not', async (signal) => {
    const { child, ended } = await startApply();
    child.kill(signal);
    const [stdout, stderr, [status]] = await ended;
    expect([status, stderr.split('\n')[0]]).toEqual([130, 'hit error: [interrupted]']);
    const number = await written();
    expect(stdout).toBe(`Partial success: applied the first ${number} out of ${COUNT} 'GlobalNetworkSet' resources:\n`);
    expect(saidToBeWritten(stderr)).toBe(number);
  });

  test('by an etcd that is killed says which were applied, and of which it heard nothing', async () => {
    const { ended } = await startApply();
    await etcd.kill();
    const [, stderr, [status]] = await ended;
    expect([status, stderr.split('\n')[0]]).toEqual([1, expect.stringMatching(/^hit error: \[etcd at .*\]$/)]);
    await etcd.startAgain();
    await store[Symbol.asyncDispose]();
    store = new EtcdDatastore(etcd.config);
    const [applied = '', perhaps = ''] = (stderr.trimEnd().split('\n').at(-1) ?? '').split('perhaps applied');
    const number = await written();
    if (applied.includes('not applied:')) expect(COUNT - named(applied) - number).toBeLessThanOrEqual(named(perhaps));
    else expect(number - named(applied)).toBeLessThanOrEqual(named(perhaps));
  });
});

describe('a command that etcd does not answer', () => {
  const connections: Socket[] = [];
  let silent: Server;

  beforeEach(async () => {
    silent = createServer((connection) => connections.push(connection)).listen(0, '127.0.0.1');
    await once(silent, 'listening');
  });

  afterEach(() => {
    for (const connection of connections.splice(0)) connection.destroy();
    silent.close();
  });

  test.each(['get ippool', 'profile show', 'pool add 192.168.0.0/16', 'wait ippool a --for=delete'])(
    'ends at once by SIGINT: %s',
    async (line) => {
      const { port } = silent.address() as AddressInfo;
      const child = spawn(CALICOCTL, line.split(' '), {
        env: { PATH: process.env['PATH'], ETCD_ENDPOINTS: `http://127.0.0.1:${port}`, CALICOCTL_NO_NOTES: '1' },
        stdio: ['ignore', 'pipe', 'pipe'],
      });
      children.push(child);
      const ended = Promise.all([text(child.stderr), once(child, 'exit')]);
      await once(silent, 'connection');
      child.kill('SIGINT');
      expect(await ended).toEqual(['interrupted\n', [130, null]]);
    },
  );
});

describe('calicoctl edit', () => {
  test('leaves Ctrl-C to the editor, and goes on afterwards', async () => {
    await store.create({ kind: 'Tier', name: 'a' }, { ...TIER, metadata: { name: 'a' } });
    const editor = join(directory, 'editor');
    // Longer than calicoctl has patience with what is under way.
    const script = ['#!/bin/sh', 'kill -INT $PPID', 'sleep 1.5', 'sed -i "s/order: 5/order: 7/" "$1"', ''];
    await writeFile(editor, script.join('\n'), { mode: 0o755 });
    const child = spawn(CALICOCTL, ['edit', 'tier', 'a'], {
      env: { PATH: process.env['PATH'], ETCD_ENDPOINTS: etcd.endpoint, EDITOR: editor },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    children.push(child);
    const ended = Promise.all([text(child.stdout), text(child.stderr), once(child, 'exit')]);
    expect(await ended).toEqual(["Successfully edited 1 'Tier' resource\n", '', [0, null]]);
    expect((await store.get({ kind: 'Tier', name: 'a' })).value.spec.order).toBe(7);
  });
});
