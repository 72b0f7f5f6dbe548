import { describe, expect, test } from 'vitest';
import type { PublicResourceByKind } from '../../api/registry.js';
import { Client } from '../../client/client.js';
import { MemoryDatastore } from '../../datastore/memory/memory-datastore.js';
import { followResources } from './follow-resources.js';

const kind = 'GlobalNetworkPolicy';
const key = (name: string) => ({ kind, name }) as const;
const policy = (order: number): PublicResourceByKind['GlobalNetworkPolicy'] => ({
  apiVersion: 'projectcalico.org/v3',
  kind,
  metadata: { name: 'web' },
  spec: { order },
});

/** The events of a policy that is asked for by the name `web`, in short: what happened, and its order. */
async function following(datastore: MemoryDatastore) {
  const stop = new AbortController();
  const events = followResources(new Client(datastore), { kind, names: ['web'] }, { matches: undefined }, stop.signal);
  const orderOf = ({ value }: { value: object }) => (value as PublicResourceByKind['GlobalNetworkPolicy']).spec.order;
  const next = async (): Promise<readonly unknown[]> => {
    const result = await events.next();
    if (result.done === true) return [];
    const event = result.value;
    if (event.type === 'initial') return ['initial', ...event.items.map(orderOf)];
    return event.type === 'change' ? [event.change, event.stored.key.name, orderOf(event.stored)] : [event];
  };
  const end = async () => {
    stop.abort();
    expect((await events.next()).done).toBe(true);
  };
  return { initial: await next(), next, end };
}

describe('followResources()', () => {
  test('finds a policy under the key that older versions gave it', async () => {
    const datastore = new MemoryDatastore();
    await datastore.create(key('default.web'), policy(1));
    await datastore.create(key('default.other'), policy(2));
    const { initial, next, end } = await following(datastore);
    expect(initial).toEqual(['initial', 1]);
    await datastore.put(key('default.web'), policy(3));
    expect(await next()).toEqual(['MODIFIED', 'default.web', 3]);
    await datastore.delete(key('default.web'));
    expect(await next()).toEqual(['DELETED', 'default.web', 3]);
    await end();
  });

  test('takes the policy of that very name where there are both', async () => {
    const datastore = new MemoryDatastore();
    await datastore.create(key('default.web'), policy(1));
    const { next, end } = await following(datastore);
    await datastore.create(key('web'), policy(2));
    expect(await next()).toEqual(['MODIFIED', 'web', 2]);
    await datastore.put(key('default.web'), policy(3));
    await datastore.delete(key('web'));
    expect(await next()).toEqual(['MODIFIED', 'default.web', 3]);
    await end();
  });

  test('sees no more than a change where a policy moves to its own name', async () => {
    const datastore = new MemoryDatastore();
    const { revision } = await datastore.create(key('default.web'), policy(1));
    const { next, end } = await following(datastore);
    await datastore.commit([
      { type: 'create', key: key('web'), value: policy(1) },
      { type: 'delete', key: key('default.web'), revision },
    ]);
    expect(await next()).toEqual(['MODIFIED', 'web', 1]);
    await datastore.put(key('web'), policy(5));
    expect(await next()).toEqual(['MODIFIED', 'web', 5]);
    await end();
  });
});
