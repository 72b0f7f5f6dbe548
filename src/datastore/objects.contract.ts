import { beforeEach, describe, expect, test } from 'vitest';
import { formatKeyPath } from '../api/keys.js';
import { AlreadyExistsError, ConflictError, NotFoundError, UnsupportedError, ValidationError } from '../base/errors.js';
import type { Datastore } from './datastore.js';
import { caught, type DatastoreHarness } from './datastore-harness.fake.js';
import { pool, poolKey } from './sample-resources.fake.js';

/** What a store promises of one object: created, read, updated, put, deleted, and of the profile that nobody stored. */
export function describeObjects(harness: () => DatastoreHarness): void {
  describe('single objects', () => {
    let store: Datastore;

    beforeEach(() => {
      store = harness().datastore;
    });

    test('a created object is read back with its revision', async () => {
      const created = await store.create(poolKey('office'), pool('office'));
      expect(await store.get(poolKey('office'))).toEqual(created);
      expect(created.revision).toMatch(/^\d+$/);
    });

    test('creating what exists is refused and changes nothing', async () => {
      const created = await store.create(poolKey('office'), pool('office'));
      const error = await caught(store.create(poolKey('office'), pool('office', '10.0.0.0/8')));
      expect(error).toBeInstanceOf(AlreadyExistsError);
      expect((error as Error).message).toBe('IPPool "office" exists already');
      expect(await store.get(poolKey('office'))).toEqual(created);
    });

    test('getting, updating and deleting what is missing say so', async () => {
      const missing = poolKey('nowhere');
      for (const call of [
        () => store.get(missing),
        () => store.update(missing, pool('nowhere'), '1'),
        () => store.delete(missing),
        () => store.delete(missing, { revision: '1' }),
      ]) {
        const error = await caught(call());
        expect(error).toBeInstanceOf(NotFoundError);
        expect((error as Error).message).toBe('IPPool "nowhere" does not exist');
      }
    });

    test('an update with the stored revision wins, a second with the same revision loses', async () => {
      const { revision } = await store.create(poolKey('office'), pool('office'));
      const updated = await store.update(poolKey('office'), pool('office', '10.0.0.0/8'), revision);
      expect(BigInt(updated.revision)).toBeGreaterThan(BigInt(revision));
      const error = await caught(store.update(poolKey('office'), pool('office'), revision));
      expect(error).toBeInstanceOf(ConflictError);
      expect((error as Error).message).toBe(
        `IPPool "office" changed since you read it (yours: revision ${revision}, stored: ${updated.revision})`,
      );
      expect((await store.get(poolKey('office'))).value.spec.cidr).toBe('10.0.0.0/8');
    });

    test('of many updates at once with one revision exactly one wins', async () => {
      const { revision } = await store.create(poolKey('office'), pool('office'));
      const cidrs = Array.from({ length: 8 }, (_, i) => `10.${i}.0.0/16`);
      const results = await Promise.allSettled(
        cidrs.map((cidr) => store.update(poolKey('office'), pool('office', cidr), revision)),
      );
      const winners = results.flatMap((result) => (result.status === 'fulfilled' ? [result.value] : []));
      expect(winners).toHaveLength(1);
      expect(await store.get(poolKey('office'))).toEqual(winners[0]);
    });

    test('put writes whether the object exists or not', async () => {
      await store.put(poolKey('office'), pool('office'));
      const second = await store.put(poolKey('office'), pool('office', '10.0.0.0/8'));
      expect(await store.get(poolKey('office'))).toEqual(second);
    });

    test('delete returns what it deleted; with an old revision it is refused', async () => {
      const created = await store.create(poolKey('office'), pool('office'));
      const updated = await store.update(poolKey('office'), pool('office', '10.0.0.0/8'), created.revision);
      const error = await caught(store.delete(poolKey('office'), { revision: created.revision }));
      expect(error).toBeInstanceOf(ConflictError);
      expect(await store.delete(poolKey('office'), { revision: updated.revision })).toEqual(updated);
      expect(await caught(store.get(poolKey('office')))).toBeInstanceOf(NotFoundError);
    });

    test('text that is no revision is refused before anything is written', async () => {
      await store.create(poolKey('office'), pool('office'));
      const error = await caught(store.update(poolKey('office'), pool('office'), 'latest'));
      expect(error).toBeInstanceOf(ValidationError);
    });

    test('an object with a time to live disappears, unless it was put again without one', async () => {
      await store.put(poolKey('brief'), pool('brief'), { ttlSeconds: 2 });
      await store.put(poolKey('kept'), pool('kept'), { ttlSeconds: 2 });
      await store.put(poolKey('kept'), pool('kept'));
      expect((await store.list('IPPool')).items).toHaveLength(2);
      await harness().pass(5);
      expect((await store.list('IPPool')).items.map((item) => item.key.name)).toEqual(['kept']);
    });

    test('unreadable stored bytes fail a get with a reason', async () => {
      await harness().putRaw(formatKeyPath(poolKey('bad')), '{"spec": 7}');
      const error = await caught(store.get(poolKey('bad')));
      expect(error).toBeInstanceOf(ValidationError);
      expect((error as Error).message).toContain('IPPool "bad"');
    });

    test('a call whose signal has aborted rejects with its reason', async () => {
      const reason = new Error('enough');
      const signal = AbortSignal.abort(reason);
      expect(await caught(store.get(poolKey('office'), { signal }))).toBe(reason);
      expect(await caught(store.put(poolKey('office'), pool('office'), { signal }))).toBe(reason);
      expect((await store.list('IPPool')).items).toEqual([]);
    });

    describe('the built-in profile', () => {
      const key = { kind: 'Profile', name: 'projectcalico-default-allow' } as const;

      test('is in every get and list', async () => {
        const found = await store.get(key);
        expect(found.value.spec).toEqual({ ingress: [{ action: 'Allow' }], egress: [{ action: 'Allow' }] });
        expect(found.revision).toBe('1');
        expect((await store.list('Profile')).items).toEqual([found]);
      });

      test('cannot be written', async () => {
        const { value } = await store.get(key);
        for (const call of [() => store.create(key, value), () => store.put(key, value), () => store.delete(key)]) {
          expect(await caught(call())).toBeInstanceOf(UnsupportedError);
        }
      });
    });
  });
}
