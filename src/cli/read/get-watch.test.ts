import { describe, expect, test } from 'vitest';
import type { IPPool } from '../../api/kinds/ip-pool.js';
import { NotFoundError } from '../../base/errors.js';
import { MemoryDatastore } from '../../datastore/memory/memory-datastore.js';
import { CalicoctlFake, refused } from '../calicoctl.fake.js';
import { run } from '../main.js';

const key = (name: string) => ({ kind: 'IPPool' as const, name });

const pool = (name: string, third: number, labels = {}): IPPool => ({
  apiVersion: 'projectcalico.org/v3',
  kind: 'IPPool',
  metadata: { name, labels },
  spec: { cidr: `192.168.${third}.0/24`, nodeSelector: 'all()' },
});

/** A watch over a datastore in memory that already has the pools a and b. */
async function watching(...words: readonly string[]) {
  const datastore = new MemoryDatastore();
  await datastore.create(key('b'), pool('b', 2));
  await datastore.create(key('a'), pool('a', 1, { app: 'web' }));
  const stop = new AbortController();
  const heard = { stdout: '', stderr: '' };
  let wake = (): void => undefined;
  const hear = (name: 'stdout' | 'stderr') => (text: string) => {
    heard[name] += text;
    wake();
  };
  const ended = run(['get', 'ippool', '--watch', ...words], {
    environment: {},
    datastore,
    readFile: () => Promise.reject(new NotFoundError('ERR', 'none')),
    readStdin: () => Promise.resolve(''),
    stdout: hear('stdout'),
    stderr: hear('stderr'),
    signal: stop.signal,
  });
  const until = async (text: string) => {
    while (!heard.stdout.includes(text)) {
      await new Promise<void>((resolve) => {
        wake = resolve;
      });
    }
  };
  const end = async () => {
    stop.abort();
    return { status: await ended, ...heard };
  };
  return { datastore, until, end };
}

describe('calicoctl get --watch', () => {
  test('shows what there is below one heading, then rows as they change', async () => {
    const { datastore, until, end } = await watching();
    await until('\nb ');
    await datastore.create(key('a-longer-one'), pool('a-longer-one', 3));
    await datastore.put(key('a'), pool('a', 4));
    await datastore.delete(key('b'));
    await until('(deleted)');
    expect(await end()).toEqual({
      status: 0,
      stderr: '',
      stdout: [
        'NAME   CIDR             SELECTOR',
        'a      192.168.1.0/24   all()',
        'b      192.168.2.0/24   all()',
        'a-longer-one   192.168.3.0/24   all()',
        'a              192.168.4.0/24   all()',
        'b              192.168.2.0/24   all()      (deleted)',
        '',
      ].join('\n'),
    });
  });

  test('writes an event a line in JSON', async () => {
    const { datastore, until, end } = await watching('-o', 'json');
    await until('"b"');
    await datastore.delete(key('a'));
    await until('DELETED');
    const { stdout } = await end();
    const events = stdout
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as { type: string; object: IPPool });
    expect(events.map(({ type, object }) => [type, object.metadata.name])).toEqual([
      ['ADDED', 'a'],
      ['ADDED', 'b'],
      ['DELETED', 'a'],
    ]);
  });

  test('separates documents of YAML', async () => {
    const { datastore, until, end } = await watching('a', '-o', 'yaml');
    await until('name: a');
    await datastore.put(key('b'), pool('b', 5));
    await datastore.put(key('a'), pool('a', 6));
    await until('MODIFIED');
    const { stdout } = await end();
    expect(stdout.split('---\n').map((document) => /^type: (.*)$/m.exec(document)?.[1])).toEqual(['ADDED', 'MODIFIED']);
    expect(stdout).not.toContain('name: b');
  });

  test('forgets what no longer has the labels asked for', async () => {
    const { datastore, until, end } = await watching('-l', 'has(app)', '-o', 'custom-columns=NAME');
    await until('\na');
    await datastore.put(key('b'), pool('b', 2, { app: 'db' }));
    await datastore.put(key('a'), pool('a', 1));
    await until('deleted');
    expect((await end()).stdout).toBe('NAME\na\nb\na      (deleted)\n');
  });

  test('fills in a template for each change', async () => {
    const { datastore, until, end } = await watching('-o', 'go-template={{.metadata.name}}={{.spec.cidr}};');
    await until('b=');
    await datastore.put(key('b'), pool('b', 7));
    await until('192.168.7.0');
    expect((await end()).stdout).toBe('a=192.168.1.0/24;b=192.168.2.0/24;b=192.168.7.0/24;');
  });

  test('takes no file', async () => {
    expect(await new CalicoctlFake().type('get ippool --watch -f x')).toEqual(
      refused('give KIND to watch, not a file\n'),
    );
  });
});
