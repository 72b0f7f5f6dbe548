import { beforeEach, describe, expect, test } from 'vitest';
import { formatKeyPath } from '../api/keys.js';
import { type CalicoError, ConflictError } from '../base/errors.js';
import type { Datastore, ListOptions } from './datastore.js';
import { caught, type DatastoreHarness } from './datastore-harness.fake.js';
import { COMPACTED } from './errors.js';
import { globalSet, pool, poolKey, set, setKey } from './sample-resources.fake.js';

/** What a store promises of lists: order, completeness, earlier moments, entries that cannot be read. */
export function describeLists(harness: () => DatastoreHarness): void {
  describe('lists', () => {
    let store: Datastore;

    beforeEach(() => {
      store = harness().datastore;
    });

    test('are sorted by namespace, then name, and scoped to a namespace when asked', async () => {
      for (const [namespace, name] of [
        ['b', 'x'],
        ['a-b', 'x'],
        ['a', 'z'],
        ['a', 'y'],
      ] as const) {
        await store.put(setKey(namespace, name), set(namespace, name));
      }
      const names = async (namespace?: string): Promise<string[]> =>
        (await store.list('NetworkSet', namespace === undefined ? {} : { namespace })).items.map(
          ({ key }) => `${key.namespace ?? ''}/${key.name}`,
        );
      expect(await names()).toEqual(['a/y', 'a/z', 'a-b/x', 'b/x']);
      expect(await names('a')).toEqual(['a/y', 'a/z']);
      expect(await names('none')).toEqual([]);
    });

    test('of one kind do not contain another whose name begins alike', async () => {
      await store.put(setKey('shop', 'a'), set('shop', 'a'));
      await store.put({ kind: 'GlobalNetworkSet', name: 'g' }, globalSet('g'));
      expect((await store.list('NetworkSet')).items.map((item) => item.key.name)).toEqual(['a']);
      expect((await store.list('GlobalNetworkSet')).items.map((item) => item.key.name)).toEqual(['g']);
    });

    test('longer than a page are complete', async () => {
      const names = Array.from({ length: 2_500 }, (_, i) => `set-${String(i).padStart(4, '0')}`);
      for (let at = 0; at < names.length; at += 100) {
        await store.commit(
          names
            .slice(at, at + 100)
            .map((n) => ({ type: 'put', key: { kind: 'GlobalNetworkSet', name: n }, value: globalSet(n) })),
        );
      }
      const { items } = await store.list('GlobalNetworkSet');
      expect(items.map((item) => item.key.name)).toEqual(names);
      const { entries } = await store.listRevisions('GlobalNetworkSet');
      expect(entries).toEqual(items.map(({ key, revision }) => ({ key, revision })));
    });

    test('give those alone whose name begins as asked, in one namespace or in all', async () => {
      for (const name of ['office', 'offshore', 'home']) await store.put(poolKey(name), pool(name));
      const pools = await store.list('IPPool', { namePrefix: 'off' });
      expect(pools.items.map(({ key }) => key.name)).toEqual(['office', 'offshore']);
      for (const namespace of ['a', 'b']) {
        for (const name of ['web-1', 'web', 'db']) await store.put(setKey(namespace, name), set(namespace, name));
      }
      const names = async (options: ListOptions) =>
        (await store.list('NetworkSet', options)).items.map(({ key }) => `${key.namespace ?? ''}/${key.name}`);
      expect(await names({ namespace: 'b', namePrefix: 'web' })).toEqual(['b/web', 'b/web-1']);
      expect(await names({ namespace: 'b', namePrefix: 'nothing' })).toEqual([]);
      expect(await names({ namePrefix: 'web-' })).toEqual(['a/web-1', 'b/web-1']);
      expect((await store.listRevisions('NetworkSet', { namespace: 'a', namePrefix: 'db' })).entries).toHaveLength(1);
    });

    test('show an earlier moment when asked for its revision', async () => {
      const { revision } = await store.create(poolKey('office'), pool('office'));
      await store.delete(poolKey('office'));
      expect((await store.list('IPPool', { revision })).items.map((item) => item.key.name)).toEqual(['office']);
      expect((await store.list('IPPool')).items).toEqual([]);
    });

    test('of a compacted revision say that it is gone', async () => {
      const { revision } = await store.create(poolKey('office'), pool('office'));
      await store.put(poolKey('office'), pool('office', '10.0.0.0/8'));
      await harness().compact();
      const error = await caught(store.list('IPPool', { revision }));
      expect(error).toBeInstanceOf(ConflictError);
      expect((error as CalicoError).code).toBe(COMPACTED);
    });

    test('name unreadable entries apart', async () => {
      await store.put(poolKey('office'), pool('office'));
      await harness().putRaw(formatKeyPath(poolKey('bad')), 'not json');
      const { items, invalid } = await store.list('IPPool');
      expect(items.map((item) => item.key.name)).toEqual(['office']);
      expect(invalid.map((entry) => entry.key.name)).toEqual(['bad']);
      expect(invalid[0]?.reason).toContain('IPPool "bad"');
      expect((await store.listRevisions('IPPool')).entries.map((entry) => entry.key.name)).toEqual(['bad', 'office']);
    });

    test('of IPAM kinds decode names from their own layout', async () => {
      const key = { kind: 'BlockAffinity', name: 'host:calico-01/192.168.0.0/26' } as const;
      await store.create(key, { state: 'confirmed' });
      await store.create({ kind: 'BlockAffinity', name: 'virtual:lb/fd80::/122' }, { state: 'pending' });
      const configuration = {
        apiVersion: 'projectcalico.org/v3',
        kind: 'IPAMConfiguration',
        metadata: { name: 'default' },
        spec: { strictAffinity: true },
      } as const;
      await store.put({ kind: 'IPAMConfiguration', name: 'default' }, configuration);
      expect((await store.list('BlockAffinity')).items.map((item) => item.key.name)).toEqual([
        'host:calico-01/192.168.0.0/26',
        'virtual:lb/fd80::/122',
      ]);
      const own = await store.list('BlockAffinity', { namePrefix: 'host:calico-01/' });
      expect(own.items.map((item) => item.key.name)).toEqual(['host:calico-01/192.168.0.0/26']);
      expect((await store.list('BlockAffinity', { namePrefix: 'host:calico-0' })).items).toHaveLength(1);
      expect((await store.list('BlockAffinity', { namePrefix: 'host:calico/' })).items).toEqual([]);
      expect((await store.list('IPAMConfiguration')).items.map((item) => item.value.spec.strictAffinity)).toEqual([
        true,
      ]);
      expect((await store.get(key)).value.state).toBe('confirmed');
    });
  });
}
