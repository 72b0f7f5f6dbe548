import { describe, expect, test } from 'vitest';
import { UnavailableError } from '../../base/errors.js';
import { MemoryDatastore } from '../../datastore/memory/memory-datastore.js';
import { CalicoctlFake, ok } from '../calicoctl.fake.js';

const head = 'apiVersion: projectcalico.org/v3';
const set = (name: string) => `---\n${head}\nkind: GlobalNetworkSet\nmetadata: {name: ${name}}\n`;
const LOST = new UnavailableError('ERR', 'etcd at http://192.0.2.1:2379: connection lost');

/** A store with three sets, to which the connection breaks when the object of that name is deleted. */
async function withSets(losing = '', onDelete = (): void => undefined) {
  const store = new MemoryDatastore();
  const remove = store.delete.bind(store);
  store.delete = (key, options) => {
    onDelete();
    return key.name === losing ? Promise.reject(LOST) : remove(key, options);
  };
  const fake = new CalicoctlFake(store);
  await fake.run(['create', '-f', '-'], set('a') + set('b') + set('c'));
  return fake;
}

describe('delete', () => {
  test('names each resource that it could not delete, in the order of the file', async () => {
    const { status, stdout, stderr } = await (
      await withSets()
    ).run(['delete', '-f', '-'], set('x') + set('a') + set('y'));
    expect([status, stdout]).toEqual([
      1,
      "Partial success: deleted the first 1 out of 3 'GlobalNetworkSet' resources:\n",
    ]);
    expect(stderr.match(/does not exist: GlobalNetworkSet\(.\)/g)).toEqual([
      'does not exist: GlobalNetworkSet(x)',
      'does not exist: GlobalNetworkSet(y)',
    ]);
  });

  test('counts none of those that were not there and need not be', async () => {
    const fake = await withSets();
    expect(await fake.run(['delete', '-s', '-f', '-'], set('x') + set('a'))).toEqual(
      ok("Successfully deleted 1 'GlobalNetworkSet' resource(s)\n"),
    );
  });

  test('ends when the store is gone, says so once, and leaves no doubt about any resource', async () => {
    const tiers = ['a', 'b', 'c'].map((name) => `---\n${head}\nkind: Tier\nmetadata: {name: ${name}}\n`).join('');
    const store = new MemoryDatastore();
    const fake = new CalicoctlFake(store);
    await fake.run(['create', '-f', '-'], tiers);
    const remove = store.delete.bind(store);
    store.delete = (key, options) => (key.name === 'b' ? Promise.reject(LOST) : remove(key, options));
    expect(await fake.run(['delete', '-f', '-'], tiers)).toEqual({
      status: 1,
      stdout: "Partial success: deleted the first 1 out of 3 'Tier' resources:\n",
      stderr: [
        "Failed to delete 'Tier' resource: etcd at http://192.0.2.1:2379: connection lost",
        '  not deleted: Tier(c); perhaps deleted, since no answer came: Tier(b); all others were',
        '',
      ].join('\n'),
    });
  });

  test('says of several that were under way at once what became of each', async () => {
    const fake = await withSets('b');
    const { stderr } = await fake.run(['delete', '-f', '-'], set('a') + set('b') + set('c'));
    expect(stderr).toBe(
      [
        "Failed to delete 'GlobalNetworkSet' resource: etcd at http://192.0.2.1:2379: connection lost",
        '  perhaps deleted, since no answer came: GlobalNetworkSet(b); all others were',
        '',
      ].join('\n'),
    );
  });

  test('that somebody interrupts ends at once', async () => {
    const fake = await withSets();
    const { status, stdout, stderr } = await fake.run(['delete', '-f', '-'], set('a') + set('b'), {
      signal: AbortSignal.abort(),
    });
    expect([status, stdout, stderr]).toEqual([130, '', 'interrupted\n']);
    expect((await fake.run(['get', 'gnetsets'])).stdout).toBe('NAME\na\nb\nc\n\n');
  });

  test('that somebody interrupts on its way says what is deleted', async () => {
    const enough = new AbortController();
    const fake = await withSets('', () => enough.abort());
    const tiers = ['x', 'y'].map(
      (name) => `{apiVersion: projectcalico.org/v3, kind: Tier, metadata: {name: ${name}}}\n`,
    );
    await fake.run(['create', '-f', '-'], tiers.join('---\n'));
    const { status, stdout, stderr } = await fake.run(['delete', '-f', '-'], tiers.join('---\n'), {
      signal: enough.signal,
    });
    expect([status, stdout, stderr]).toEqual([
      130,
      "Partial success: deleted the first 1 out of 2 'Tier' resources:\n",
      'interrupted\n  not deleted: Tier(y); all others were\n',
    ]);
  });

  test('names the place of each object whose namespace does not fit', async () => {
    const web = (namespace: string) =>
      `apiVersion: projectcalico.org/v3\nkind: NetworkPolicy\nmetadata: {name: web, namespace: ${namespace}}\n---\n`;
    const { status, stderr } = await new CalicoctlFake().run(
      ['delete', '-f', '-', '-n', 'shop'],
      web('a') + web('shop') + web('b'),
    );
    expect([status, stderr.split('\n')]).toEqual([
      1,
      [
        'stdin:3:34: NetworkPolicy "a/web": metadata.namespace: resource namespace does not match client namespace. a != shop',
        'stdin:11:34: NetworkPolicy "b/web": metadata.namespace: resource namespace does not match client namespace. b != shop',
        '',
      ],
    ]);
  });

  test('takes an empty -n for none', async () => {
    const fake = new CalicoctlFake();
    const policy = 'apiVersion: projectcalico.org/v3\nkind: NetworkPolicy\nmetadata: {name: web}\n';
    await fake.run(['create', '-f', '-'], policy);
    expect(await fake.run(['delete', 'np', 'web', '-n', ''])).toMatchObject({
      status: 0,
      stdout: "Successfully deleted 1 'NetworkPolicy' resource(s)\n",
    });
  });
});
