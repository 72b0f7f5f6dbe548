import { once } from 'node:events';
import { existsSync, statSync } from 'node:fs';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { childrenOf, end, identify } from '../../../lab/processes.js';
import { pool, poolKey } from '../../../src/datastore/sample-resources.fake.js';
import { type EmbeddedEtcd, startEmbeddedEtcd } from '../../../src/datastore/etcd/embedded.js';
import { EtcdDatastore } from '../../../src/datastore/etcd/etcd-datastore.js';

describe('the embedded etcd', () => {
  let directory: string;
  let options: Parameters<typeof startEmbeddedEtcd>[0];
  let etcd: EmbeddedEtcd | undefined;

  beforeEach(async () => {
    directory = await mkdtemp('/dev/shm/calico-test-embedded-');
    options = {
      runDirectory: join(directory, 'run'),
      dataDirectory: join(directory, 'lib'),
      logDirectory: join(directory, 'log'),
    };
    etcd = undefined;
  });

  afterEach(async () => {
    await etcd?.stop();
    await rm(directory, { recursive: true, force: true });
  });

  test('answers root alone, on unix sockets alone, in a session of its own', async () => {
    etcd = await startEmbeddedEtcd(options);
    expect(etcd.isAdopted).toBe(false);
    for (const name of ['etcd.sock', 'localhost:12379', 'localhost:12380']) {
      expect(statSync(join(directory, 'run', name)).mode & 0o777).toBe(0o600);
    }
    expect(await listeningPorts(etcd.pid)).toEqual([]);
    const stat = await readFile(`/proc/${etcd.pid}/stat`, 'utf8');
    expect(Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[3])).toBe(etcd.pid);
  });

  test('is adopted, keeps its data over a stop, and stops twice without complaint', async () => {
    etcd = await startEmbeddedEtcd(options);
    const store = new EtcdDatastore({ endpoints: [etcd.endpoint] });
    await store.put(poolKey('a'), pool('a'));
    await store[Symbol.asyncDispose]();
    const again = await startEmbeddedEtcd(options);
    expect([again.isAdopted, again.pid]).toEqual([true, etcd.pid]);
    await again.stop();
    await again.stop();
    expect(existsSync(`/proc/${etcd.pid}`) && !(await isZombie(etcd.pid))).toBe(false);
    etcd = await startEmbeddedEtcd(options);
    expect(etcd.isAdopted).toBe(false);
    await using reopened = new EtcdDatastore({ endpoints: [etcd.endpoint] });
    expect((await reopened.get(poolKey('a'))).key.name).toBe('a');
  });

  test('that was killed starts again with its data, past the sockets that it left', async () => {
    etcd = await startEmbeddedEtcd(options);
    {
      await using store = new EtcdDatastore({ endpoints: [etcd.endpoint] });
      await store.put(poolKey('a'), pool('a'));
    }
    const killed = identify(etcd.pid);
    if (killed === undefined) throw new Error('etcd does not run');
    expect(await etcd.isRunning()).toBe(true);
    await end(killed);
    expect(await etcd.isRunning()).toBe(false);
    expect(existsSync(join(directory, 'run', 'localhost:12379'))).toBe(true);
    etcd = await startEmbeddedEtcd(options);
    expect([etcd.isAdopted, etcd.pid === killed.pid]).toEqual([false, false]);
    await using reopened = new EtcdDatastore({ endpoints: [etcd.endpoint] });
    expect((await reopened.get(poolKey('a'))).key.name).toBe('a');
  });

  test('waits for one that dies to let go of its sockets', async () => {
    await mkdir(join(directory, 'run'));
    const dying = createServer((socket) => socket.destroy()).listen(join(directory, 'run', 'localhost:12380'));
    await once(dying, 'listening');
    setTimeout(() => dying.close(), 300);
    etcd = await startEmbeddedEtcd(options);
    expect(etcd.isAdopted).toBe(false);
  });

  test('whose pid file is lost is not taken for dead: it keeps its sockets, and the error says so', async () => {
    etcd = await startEmbeddedEtcd(options);
    const pidFile = join(directory, 'run', 'etcd.pid');
    const pid = await readFile(pidFile, 'utf8');
    await rm(pidFile);
    await expect(startEmbeddedEtcd(options)).rejects.toThrow('cannot start etcd: another process answers at');
    await writeFile(pidFile, pid);
    expect((await startEmbeddedEtcd(options)).isAdopted).toBe(true);
  });

  test('that is not installed is an error that says what to do', async () => {
    await expect(startEmbeddedEtcd({ ...options, binary: '/nonexistent/etcd' })).rejects.toMatchObject({
      code: 'ERR_CALI_ETCD_MISSING',
      hint: 'install etcd-server, or name a shared etcd in ETCD_ENDPOINTS',
    });
  });

  test('that ends at once is an error with its last words', async () => {
    await expect(startEmbeddedEtcd({ ...options, binary: '/bin/false' })).rejects.toMatchObject({
      code: 'ERR_CALI_ETCD_START',
      message: expect.stringContaining('etcd ended at once') as unknown,
    });
  });

  test('that never answers can be given up at any time', async () => {
    const binary = join(directory, 'mute-etcd');
    await writeFile(binary, '#!/bin/sh\nsleep 5\n', { mode: 0o700 });
    const signal = AbortSignal.timeout(300);
    const begunMs = performance.now();
    await expect(startEmbeddedEtcd({ ...options, binary, signal })).rejects.toThrow('aborted');
    expect(performance.now() - begunMs).toBeLessThan(3_000);
    for (const pid of childrenOf(process.pid)) {
      const child = identify(pid);
      if (child !== undefined) await end(child);
    }
  });
});

async function isZombie(pid: number): Promise<boolean> {
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8');
  return stat.slice(stat.lastIndexOf(')') + 2).startsWith('Z');
}

/** Local ports on which sockets of the process listen. */
async function listeningPorts(pid: number): Promise<string[]> {
  const { readdirSync, readlinkSync } = await import('node:fs');
  const inodes = new Set(
    readdirSync(`/proc/${pid}/fd`).flatMap((fd) => {
      const match = /^socket:\[(\d+)\]$/.exec(readlinkSync(`/proc/${pid}/fd/${fd}`));
      return match?.[1] === undefined ? [] : [match[1]];
    }),
  );
  const tables = await Promise.all(['tcp', 'tcp6'].map((name) => readFile(`/proc/${pid}/net/${name}`, 'utf8')));
  return tables
    .flatMap((table) => table.trim().split('\n').slice(1))
    .map((line) => line.trim().split(/\s+/))
    .filter((columns) => columns[3] === '0A' && inodes.has(columns[9] ?? ''))
    .map((columns) => columns[1] ?? '');
}
