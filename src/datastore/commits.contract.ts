import { beforeEach, describe, expect, test } from 'vitest';
import { AlreadyExistsError, CalicoError, ConflictError, NotFoundError } from '../base/errors.js';
import type { Datastore } from './datastore.js';
import { caught, type DatastoreHarness } from './datastore-harness.fake.js';
import { pool, poolKey } from './sample-resources.fake.js';

/** What a store promises of several writes in one commit. */
export function describeCommits(harness: () => DatastoreHarness): void {
  describe('commit()', () => {
    let store: Datastore;

    beforeEach(() => {
      store = harness().datastore;
    });

    test('writes everything at one revision', async () => {
      const old = await store.create(poolKey('old'), pool('old'));
      const gone = await store.create(poolKey('gone'), pool('gone'));
      const revision = await store.commit([
        { type: 'create', key: poolKey('new'), value: pool('new') },
        { type: 'update', key: poolKey('old'), value: pool('old', '10.0.0.0/8'), revision: old.revision },
        { type: 'delete', key: poolKey('gone'), revision: gone.revision },
      ]);
      const { items } = await store.list('IPPool');
      expect(items.map((item) => [item.key.name, item.revision])).toEqual([
        ['new', revision],
        ['old', revision],
      ]);
    });

    test('with one compare that loses writes nothing and names the loser', async () => {
      if (!store.atomicCommits) return expect(store.atomicCommits).toBe(false);
      const old = await store.create(poolKey('old'), pool('old'));
      const create = { type: 'create', key: poolKey('new'), value: pool('new') } as const;
      const update = { type: 'update', key: poolKey('old'), value: pool('old'), revision: '1' } as const;
      const conflict = await caught(store.commit([create, update]));
      expect(conflict).toBeInstanceOf(ConflictError);
      expect((conflict as Error).message).toContain('IPPool "old" changed');
      const exists = await caught(store.commit([create, { ...create, key: poolKey('old') }]));
      expect(exists).toBeInstanceOf(AlreadyExistsError);
      const missing = await caught(store.commit([create, { type: 'delete', key: poolKey('gone') }]));
      expect(missing).toBeInstanceOf(NotFoundError);
      expect((await store.list('IPPool')).items).toEqual([old]);
      return undefined;
    });

    test('refuses two writes of one object, and too many writes', async () => {
      const put = { type: 'put', key: poolKey('office'), value: pool('office') } as const;
      expect(await caught(store.commit([put, put]))).toBeInstanceOf(CalicoError);
      const many = Array.from({ length: 101 }, (_, i) => ({ ...put, key: poolKey(`p${i}`) }));
      expect(await caught(store.commit(many))).toBeInstanceOf(CalicoError);
      expect((await store.list('IPPool')).items).toEqual([]);
    });
  });
}
