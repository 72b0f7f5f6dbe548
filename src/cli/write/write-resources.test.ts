import { describe, expect, test } from 'vitest';
import { UnavailableError } from '../../base/errors.js';
import { MemoryDatastore } from '../../datastore/memory/memory-datastore.js';
import { CalicoctlFake, refused } from '../calicoctl.fake.js';

const head = 'apiVersion: projectcalico.org/v3';
const set = (name: string, nets = '192.0.2.0/24') =>
  `${head}\nkind: GlobalNetworkSet\nmetadata: {name: ${name}}\nspec: {nets: [${nets}]}\n`;
const pool = (name: string, cidr: string) =>
  `${head}\nkind: IPPool\nmetadata: {name: ${name}}\nspec: {cidr: ${cidr}}\n`;
const documents = (...texts: readonly string[]) => texts.join('---\n');

/** A store to which the connection breaks when the object of that name is created. */
function breakingAt(name: string, error: Error): MemoryDatastore {
  const store = new MemoryDatastore();
  const create = store.create.bind(store);
  store.create = (key, value, options) => (key.name === name ? Promise.reject(error) : create(key, value, options));
  return store;
}

const LOST = new UnavailableError('ERR', 'etcd at http://192.0.2.1:2379: connection lost');

describe('what was written and what was not', () => {
  test('is said by name where some documents were refused', async () => {
    const text = documents(pool('a', '10.0.0.0/16'), pool('b', '10.0.1.0/24'), set('c'), pool('d', '10.0.2.0/24'));
    const { status, stdout, stderr } = await new CalicoctlFake().run(['apply', '-f', '-'], text);
    expect([status, stdout]).toEqual([1, 'Partial success: applied the first 2 out of 4 resources:\n']);
    expect(stderr).toMatch(
      /^hit error: \[stdin:9:14: IPPool "b": spec\.cidr: .* stdin:19:14: IPPool "d": spec\.cidr: /,
    );
    expect(stderr).toMatch(/\n {2}not applied: IPPool\(b\), IPPool\(d\); all others were\n$/);
  });

  test('is said by name where the store went away in between', async () => {
    const calicoctl = new CalicoctlFake(breakingAt('10.1.0.0', LOST));
    const text = documents(pool('a', '10.0.0.0/16'), pool('10.1.0.0', '10.1.0.0/16'), set('c'), set('d'), set('e'));
    expect(await calicoctl.run(['create', '-f', '-'], text)).toEqual({
      status: 1,
      stdout: 'Partial success: created the first 1 out of 5 resources:\n',
      stderr: [
        'hit error: [etcd at http://192.0.2.1:2379: connection lost]',
        '  created: IPPool(a); perhaps created, since no answer came: IPPool(10.1.0.0); no others',
        '',
      ].join('\n'),
    });
  });

  test('is left open where the only answer did not come', async () => {
    const calicoctl = new CalicoctlFake(breakingAt('a', LOST));
    expect(await calicoctl.run(['create', '-f', '-'], set('a'))).toEqual(
      refused(
        "failed to create 'GlobalNetworkSet' resource: [etcd at http://192.0.2.1:2379: connection lost]\n" +
          '  perhaps created, since no answer came: GlobalNetworkSet(a)\n',
      ),
    );
  });

  test('a replace ends at the first failure and names the rest', async () => {
    const calicoctl = new CalicoctlFake();
    await calicoctl.run(['create', '-f', '-'], documents(set('a'), set('b'), set('d')));
    const { stdout, stderr } = await calicoctl.run(
      ['replace', '-f', '-'],
      documents(set('a'), set('b'), set('c'), set('d')),
    );
    expect(stdout).toBe("Partial success: replaced the first 3 out of 4 'GlobalNetworkSet' resources:\n");
    expect(stderr.split('\n').slice(1)).toEqual([
      '  not replaced: GlobalNetworkSet(c), GlobalNetworkSet(d); all others were',
      '',
    ]);
  });

  test('of the same object twice in a file the later one stays', async () => {
    const calicoctl = new CalicoctlFake();
    const text = documents(set('a'), set('b'), set('a', '198.51.100.0/24'));
    expect((await calicoctl.run(['apply', '-f', '-'], text)).status).toBe(0);
    expect((await calicoctl.run(['get', 'gnetset', 'a', '-o', 'yaml'])).stdout).toContain('198.51.100.0/24');
  });

  test('all of them fail with a sentence each', async () => {
    const calicoctl = new CalicoctlFake();
    await calicoctl.run(['create', '-f', '-'], documents(set('a'), set('b')));
    expect(await calicoctl.run(['create', '-f', '-'], documents(set('a'), set('b')))).toEqual(
      refused(
        "failed to create any 'GlobalNetworkSet' resources: [" +
          'resource already exists: GlobalNetworkSet(a) with error: GlobalNetworkSet "a" exists already ' +
          'resource already exists: GlobalNetworkSet(b) with error: GlobalNetworkSet "b" exists already]\n',
      ),
    );
    expect((await calicoctl.run(['create', '--skip-exists', '-f', '-'], documents(set('a'), set('c')))).stdout).toBe(
      "Successfully created 2 'GlobalNetworkSet' resource(s)\n",
    );
  });
});

describe('many of a kind', () => {
  const sets = (count: number, nets?: string) =>
    documents(...Array.from({ length: count }, (_, i) => set(`s${i}`, nets)));

  test('are read in one list and written by the revision that it gave', async () => {
    const store = new MemoryDatastore();
    const calicoctl = new CalicoctlFake(store);
    await calicoctl.run(['apply', '-f', '-'], sets(60));
    const asked: string[] = [];
    const [get, create] = [store.get.bind(store), store.create.bind(store)];
    store.get = (key, options) => (asked.push(`get ${key.kind}`), get(key, options));
    store.create = (key, value, options) => (asked.push(`create ${key.name}`), create(key, value, options));
    for (const [verb, net, count] of [
      ['apply', '198.51.100.0/24', 61],
      ['replace', '203.0.113.0/24', 60],
    ] as const) {
      const { status, stdout } = await calicoctl.run([verb, '-f', '-'], sets(count, net));
      expect([status, stdout.includes(` ${count} 'GlobalNetworkSet' resource(s)`)]).toEqual([0, true]);
      expect((await store.get({ kind: 'GlobalNetworkSet', name: 's59' })).value.spec.nets).toEqual([net]);
    }
    expect(asked.filter((call) => call.includes('create'))).toEqual(['create s60']);
    expect(asked.filter((call) => call === 'get GlobalNetworkSet')).toHaveLength(2);
  });

  test('that somebody changed or deleted meanwhile are written all the same', async () => {
    const store = new MemoryDatastore();
    const calicoctl = new CalicoctlFake(store);
    await calicoctl.run(['apply', '-f', '-'], sets(60));
    const listPieces = store.listPieces.bind(store);
    store.listPieces = async function* (kind, options) {
      yield* listPieces(kind, options);
      if (kind !== 'GlobalNetworkSet') return;
      await store.delete({ kind, name: 's1' });
      const { key, value } = await store.get({ kind: 'GlobalNetworkSet', name: 's2' });
      await store.put(key, { ...value, metadata: { ...value.metadata, labels: { by: 'another' } } });
    };
    const text = documents(sets(60, '198.51.100.0/24'), set('s3', '203.0.113.0/24'));
    expect((await calicoctl.run(['apply', '-f', '-'], text)).status).toBe(0);
    const stored = await Promise.all(
      ['s1', 's2', 's3'].map(async (name) => (await store.get({ kind: 'GlobalNetworkSet', name })).value),
    );
    expect(stored.map(({ spec }) => spec.nets)).toEqual([['198.51.100.0/24'], ['198.51.100.0/24'], ['203.0.113.0/24']]);
    expect(stored[1]?.metadata.labels).toEqual({ by: 'another' });
  });

  test('a replace of which some do not exist ends at the first of them', async () => {
    const calicoctl = new CalicoctlFake();
    await calicoctl.run(['create', '-f', '-'], sets(60));
    const { stdout } = await calicoctl.run(['replace', '-f', '-'], documents(set('s0'), set('x'), sets(60)));
    expect(stdout).toBe("Partial success: replaced the first 2 out of 62 'GlobalNetworkSet' resources:\n");
  });
});
