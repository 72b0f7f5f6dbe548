import { setTimeout as sleepMs } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { ResourceUpdate } from '../../../src/api/resource-update.js';
import { pool, poolKey } from '../../../src/datastore/sample-resources.fake.js';
import { EtcdDatastore } from '../../../src/datastore/etcd/etcd-datastore.js';
import { Syncer, type SyncerEvent } from '../../../src/datastore/syncer.js';
import { TestEtcd } from '../../setup/etcd.js';

/** Follows the pools of a store and keeps everything said. */
class Following {
  readonly events: SyncerEvent[] = [];
  readonly #stop = new AbortController();
  readonly #done: Promise<void>;

  constructor(datastore: EtcdDatastore) {
    this.#done = this.#read(new Syncer({ datastore, kinds: ['IPPool'] }));
  }

  async #read(syncer: Syncer): Promise<void> {
    for await (const event of syncer.run(this.#stop.signal)) this.events.push(event);
  }

  get statuses(): string[] {
    return this.events.flatMap((event) => (event.type === 'status' ? [event.status] : []));
  }

  get reasons(): string[] {
    return this.events.flatMap((event) => (event.type === 'status' && event.reason ? [event.reason.message] : []));
  }

  get updates(): string[] {
    const updates: ResourceUpdate[] = this.events.flatMap((event) => (event.type === 'updates' ? event.updates : []));
    return updates.map((update) => `${update.value === undefined ? '-' : '+'}${update.key.name}`);
  }

  async until(condition: () => boolean, what: string): Promise<void> {
    const deadlineMs = Date.now() + 30_000;
    while (!condition()) {
      if (Date.now() > deadlineMs) throw new Error(`no ${what}; seen ${JSON.stringify([this.statuses, this.updates])}`);
      await sleepMs(10);
    }
  }

  async stop(): Promise<void> {
    this.#stop.abort();
    await this.#done;
  }
}

describe('a syncer on etcd', () => {
  let etcd: TestEtcd;
  let store: EtcdDatastore;
  let following: Following;

  beforeEach(async () => {
    etcd = await TestEtcd.start({ listen: 'tcp' });
    store = new EtcdDatastore(etcd.config);
    await store.put(poolKey('first'), pool('first'));
    following = new Following(store);
    await following.until(() => following.statuses.includes('in-sync'), 'in-sync');
  });

  afterEach(async () => {
    await following.stop();
    await store[Symbol.asyncDispose]();
    await etcd.stop();
  });

  test('survives kill -9 and a restart: says what it waits for, resumes, repeats nothing', async () => {
    await etcd.kill();
    await following.until(() => following.statuses.at(-1) === 'waiting', 'waiting');
    expect(following.reasons.at(-1)).toMatch(
      /^waiting for etcd at http:\/\/127\.0\.0\.1:\d+: connection (refused|lost|reset).*, next try in \d s$/,
    );
    await etcd.startAgain();
    await store.put(poolKey('second'), pool('second'));
    await following.until(() => following.updates.includes('+second'), 'second pool');
    expect(following.updates).toEqual(['+first', '+second']);
    expect(following.statuses).not.toContain('resyncing');
    expect(following.statuses.at(-1)).toBe('in-sync');
  });

  test('resyncs when the history was compacted while it was cut off', async () => {
    await etcd.kill();
    await following.until(() => following.statuses.at(-1) === 'waiting', 'waiting');
    await etcd.startAgain();
    // Before the syncer's next try, mostly; the outcome is the same when it comes between.
    await store.put(poolKey('second'), pool('second'));
    await store.delete(poolKey('first'));
    await store.put(poolKey('third'), pool('third'));
    await store.compact((await store.list('Tier')).revision);
    await following.until(() => following.updates.includes('+third'), 'third pool');
    await following.until(() => following.statuses.at(-1) === 'in-sync', 'in-sync');
    expect(following.updates.toSorted((a, b) => a.localeCompare(b, 'en'))).toEqual(
      expect.arrayContaining(['-first', '+first', '+second', '+third']),
    );
    expect(following.updates).toHaveLength(4);
  });

  test('notices a stopped server, and goes on when it continues', async () => {
    etcd.pause();
    try {
      await following.until(() => following.statuses.at(-1) === 'waiting', 'waiting');
    } finally {
      etcd.resume();
    }
    await store.put(poolKey('second'), pool('second'));
    await following.until(() => following.updates.includes('+second'), 'second pool');
    expect(following.updates).toEqual(['+first', '+second']);
  });

  test('starts over on a store that was replaced by an older one', async () => {
    for (let i = 0; i < 20; i += 1) await store.put(poolKey('often'), pool('often'));
    await following.until(() => following.updates.length === 21, 'all changes');
    await etcd.kill();
    await etcd.forgetEverything();
    await etcd.startAgain();
    await store.put(poolKey('fresh'), pool('fresh'));
    await following.until(() => following.updates.includes('+fresh'), 'fresh pool');
    await following.until(() => following.statuses.at(-1) === 'in-sync', 'in-sync');
    expect(following.updates.slice(21).toSorted((a, b) => a.localeCompare(b, 'en'))).toEqual(
      ['-first', '-often', '+fresh'].toSorted((a, b) => a.localeCompare(b, 'en')),
    );
  });
});
