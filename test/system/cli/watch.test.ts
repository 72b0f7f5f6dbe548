import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as pause } from 'node:timers/promises';
import { text } from 'node:stream/consumers';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { EtcdDatastore } from '../../../src/datastore/etcd/etcd-datastore.js';
import { TestEtcd } from '../../setup/etcd.js';

const CALICOCTL = 'dist/bin/calicoctl';

let etcd: TestEtcd;
let store: EtcdDatastore;
let children: ChildProcess[];

beforeEach(async () => {
  // Who is killed leaves a unix socket behind that stands in its own way.
  etcd = await TestEtcd.start({ listen: 'tcp' });
  store = new EtcdDatastore(etcd.config);
  children = [];
});

afterEach(async () => {
  for (const child of children) child.kill('SIGKILL');
  await store[Symbol.asyncDispose]();
  await etcd.stop();
});

const put = (name: string, order: number) =>
  store.put(
    { kind: 'Tier', name },
    { apiVersion: 'projectcalico.org/v3', kind: 'Tier', metadata: { name }, spec: { order, defaultAction: 'Deny' } },
  );

/** Kills etcd and starts it, after `meanwhile`, with the data it had; the test's own connection is a new one. */
async function restart(meanwhile?: () => Promise<void>): Promise<void> {
  await etcd.kill();
  await meanwhile?.();
  await etcd.startAgain();
  await store[Symbol.asyncDispose]();
  store = new EtcdDatastore(etcd.config);
}

/** A running calicoctl and what it said so far. */
function start(...words: readonly string[]) {
  const child = spawn(CALICOCTL, words, {
    env: { PATH: process.env['PATH'], ETCD_ENDPOINTS: etcd.endpoint },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  children.push(child);
  const heard = { stdout: '', stderr: '' };
  child.stdout.on('data', (chunk: Buffer) => (heard.stdout += chunk.toString()));
  child.stderr.on('data', (chunk: Buffer) => (heard.stderr += chunk.toString()));
  const exited = once(child, 'exit') as Promise<[number]>;
  const until = async (stream: 'stdout' | 'stderr', words: string) => {
    const deadlineMs = Date.now() + 20_000;
    while (!heard[stream].includes(words)) {
      if (Date.now() > deadlineMs) throw new Error(`no "${words}" in ${JSON.stringify(heard)}`);
      await pause(20);
    }
  };
  return { child, heard, until, exited };
}

describe('calicoctl get --watch on a real etcd', () => {
  test('goes on after a restart, and after its history was compacted away', async () => {
    await put('a', 1);
    await put('b', 2);
    const { child, heard, until, exited } = start('get', 'tier', '-w');
    await until('stdout', 'b ');
    // Who is busy enough does not notice one that is quick.
    await restart(() => until('stderr', 'waiting for etcd at'));
    await put('a', 3);
    await until('stdout', 'a      3');

    // Cut off and asleep, it cannot hear of what happens before the history goes.
    child.kill('SIGSTOP');
    await restart();
    await put('c', 4);
    await store.delete({ kind: 'Tier', name: 'b' });
    await store.compact((await store.list('Tier')).revision);
    child.kill('SIGCONT');
    await until('stdout', '(deleted)');
    await until('stdout', 'c      4');
    expect(heard.stderr).toMatch(/no longer keeps its history .*; reading all again\n/);
    await put('d', 5);
    await until('stdout', 'd      5');
    child.kill('SIGINT');
    expect(await exited).toEqual([0, null]);
    expect(heard.stdout.match(/NAME/g)).toHaveLength(1);
  });

  test('ends when nobody reads it any more', async () => {
    await put('a', 1);
    const { child, until, exited } = start('get', 'tier', '-w', '-o', 'json');
    await until('stdout', '"a"');
    child.stdout?.destroy();
    await put('b', 2);
    expect(await exited).toEqual([0, null]);
  });

  test('says in one line that there is no etcd', async () => {
    await etcd.kill();
    const { child, exited } = start('get', 'tier', '-w');
    const said = child.stderr === null ? '' : await text(child.stderr);
    expect((await exited)[0]).toBe(1);
    expect(said).toMatch(/^failed to get resources: .*\n {2}hint: .*\n$/);
  });
});

describe('calicoctl wait on a real etcd', () => {
  test('waits until a resource is there, is as it should be, and is gone', async () => {
    const created = start('wait', 'tier', 'a', '--for=create', '--timeout', '20s');
    await put('a', 1);
    expect((await created.exited)[0]).toBe(0);
    const changed = start('wait', 'tier', 'a', '--for', 'jsonpath={.spec.order}=2', '--timeout=20s');
    await put('a', 2);
    expect((await changed.exited)[0]).toBe(0);
    const deleted = start('wait', 'tier', 'a', '--for=delete');
    await store.delete({ kind: 'Tier', name: 'a' });
    expect((await deleted.exited)[0]).toBe(0);
    expect([created, changed, deleted].map(({ heard }) => heard.stdout)).toEqual([
      'Tier(a) is there\n',
      'Tier(a) has .spec.order 2\n',
      'Tier(a) is gone\n',
    ]);
  });
});
