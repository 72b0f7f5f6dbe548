import { describe, expect, test } from 'vitest';
import type { PublicResourceByKind } from '../api/registry.js';
import { MemoryDatastore } from '../datastore/memory/memory-datastore.js';
import { Client } from './client.js';

const head = { apiVersion: 'projectcalico.org/v3' } as const;
const key = { kind: 'Tier', name: 'broken' } as const;
const tier = (order: unknown) =>
  ({ ...head, kind: 'Tier', metadata: { name: 'broken' }, spec: { order } }) as PublicResourceByKind['Tier'];

/** A store in which lies what is no tier. */
async function setUp() {
  const store = new MemoryDatastore();
  await store.create(key, tier('a lot'));
  const client = new Client(store);
  await expect(client.get(key)).rejects.toMatchObject({
    code: 'ERR_CALI_API_STORED_FORM',
    hint: 'write it anew with: calicoctl apply -f FILE; or delete it',
  });
  return client;
}

describe('what is stored and cannot be read', () => {
  test('is written anew by apply', async () => {
    const client = await setUp();
    await client.apply(tier(5));
    const { value } = await client.get(key);
    expect([value.spec.order, typeof value.metadata.uid]).toEqual([5, 'string']);
  });

  test('is deleted', async () => {
    const client = await setUp();
    await client.delete(key);
    await expect(client.get(key)).rejects.toThrow('does not exist');
  });

  test('is deleted as little as any other tier while policies stand in it', async () => {
    const client = await setUp();
    await client.apply(tier(5));
    const policy = { ...head, kind: 'GlobalNetworkPolicy', metadata: { name: 'p' }, spec: { tier: 'broken' } } as const;
    await client.create(policy);
    const { revision } = await client.get(key);
    await client.datastore.update(key, tier('a lot'), revision);
    await expect(client.delete(key)).rejects.toThrow('non-empty');
  });

  test('is left alone by replace, which changes what it read', async () => {
    await expect((await setUp()).update(tier(5))).rejects.toThrow('cannot be read');
  });
});
