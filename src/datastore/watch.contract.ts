import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { formatKeyPath } from '../api/keys.js';
import type { Kind } from '../api/registry.js';
import { type CalicoError, ConflictError, UnavailableError } from '../base/errors.js';
import type { Datastore, WatchBatch, WatchEvent } from './datastore.js';
import { caught, type DatastoreHarness } from './datastore-harness.fake.js';
import { COMPACTED } from './errors.js';
import { globalSet, pool, poolKey, set, setKey } from './sample-resources.fake.js';

function brief(event: WatchEvent): string {
  const cidr = event.type === 'put' && event.kind === 'IPPool' ? ` ${event.value.spec.cidr}` : '';
  return `${event.type} ${event.key.name}${cidr}`;
}

/** A watch and what it has delivered so far. */
class Watching {
  readonly batches: WatchBatch[] = [];
  readonly stop = new AbortController();
  readonly #iterator: AsyncIterator<WatchBatch>;

  constructor(datastore: Datastore, kinds: readonly Kind[], afterRevision: string) {
    const options = { afterRevision, signal: this.stop.signal };
    this.#iterator = datastore.watch(kinds, options)[Symbol.asyncIterator]();
  }

  get events(): WatchEvent[] {
    return this.batches.flatMap((batch) => batch.events);
  }

  /** Reads until there are so many events. */
  async read(count: number): Promise<string[]> {
    while (this.events.length < count || this.batches.length === 0) {
      const result = await this.#iterator.next();
      if (result.done === true) break;
      this.batches.push(result.value);
    }
    return this.events.map(brief);
  }

  next(): Promise<IteratorResult<WatchBatch>> {
    return this.#iterator.next();
  }

  async end(): Promise<void> {
    this.stop.abort();
    await this.#iterator.return?.(undefined);
  }
}

/** What a store promises of a watch: order, batches, its beginning and every way it ends. */
export function describeWatch(harness: () => DatastoreHarness): void {
  describe('watch()', () => {
    let store: Datastore;
    let watches: Watching[] = [];

    beforeEach(() => {
      store = harness().datastore;
    });

    afterEach(async () => {
      for (const watch of watches) await watch.end();
      watches = [];
    });

    function watch(kinds: readonly Kind[], afterRevision: string, datastore = store): Watching {
      const watching = new Watching(datastore, kinds, afterRevision);
      watches.push(watching);
      return watching;
    }

    async function revisionNow(): Promise<string> {
      return (await store.list('Tier')).revision;
    }

    test('first says that it runs, then delivers each change once and in order', async () => {
      const watching = watch(['IPPool'], await revisionNow());
      expect((await watching.next()).value).toMatchObject({ events: [] });
      const created = await store.create(poolKey('a'), pool('a', '10.0.0.0/8'));
      await store.update(poolKey('a'), pool('a', '10.1.0.0/16'), created.revision);
      await store.put(poolKey('b'), pool('b', '10.2.0.0/16'));
      await store.delete(poolKey('a'));
      expect(await watching.read(4)).toEqual([
        'put a 10.0.0.0/8',
        'put a 10.1.0.0/16',
        'put b 10.2.0.0/16',
        'delete a',
      ]);
      const revisions = watching.events.map((event) => BigInt(event.revision));
      expect(revisions).toEqual(revisions.toSorted((a, b) => (a < b ? -1 : 1)));
      expect(revisions[0]).toBe(BigInt(created.revision));
      expect(watching.batches.at(-1)?.revision).toBe(watching.events.at(-1)?.revision);
    });

    test('begins after the revision asked for', async () => {
      const first = await store.create(poolKey('a'), pool('a', '10.0.0.0/8'));
      await store.put(poolKey('b'), pool('b', '10.2.0.0/16'));
      expect(await watch(['IPPool'], first.revision).read(1)).toEqual(['put b 10.2.0.0/16']);
    });

    test('of several kinds keeps the order between them and leaves others out', async () => {
      const watching = watch(['NetworkSet', 'IPPool', 'IPAMHandle'], await revisionNow());
      await store.put(poolKey('p1'), pool('p1', '10.0.0.0/8'));
      await store.put({ kind: 'GlobalNetworkSet', name: 'other' }, globalSet('other'));
      await store.put(setKey('shop', 's1'), set('shop', 's1'));
      await store.put({ kind: 'IPAMHandle', name: 'h1' }, { block: { '192.168.0.0/26': 1 } });
      await store.put(poolKey('p2'), pool('p2', '10.1.0.0/16'));
      expect(await watching.read(4)).toEqual(['put p1 10.0.0.0/8', 'put s1', 'put h1', 'put p2 10.1.0.0/16']);
    });

    test('delivers one commit in one batch', async () => {
      if (!store.atomicCommits) return expect(store.atomicCommits).toBe(false);
      const watching = watch(['IPPool', 'NetworkSet'], await revisionNow());
      await store.commit([
        { type: 'put', key: setKey('shop', 's1'), value: set('shop', 's1') },
        { type: 'put', key: poolKey('p1'), value: pool('p1') },
      ]);
      await watching.read(2);
      expect(
        watching.batches
          .at(-1)
          ?.events.map((event) => event.key.name)
          .toSorted(),
      ).toEqual(['p1', 's1']);
      return undefined;
    });

    test('says what it cannot read, and goes on', async () => {
      const watching = watch(['IPPool'], await revisionNow());
      await harness().putRaw(formatKeyPath(poolKey('bad')), '[]');
      await store.put(poolKey('good'), pool('good', '10.0.0.0/8'));
      expect(await watching.read(2)).toEqual(['invalid bad', 'put good 10.0.0.0/8']);
    });

    test('from a compacted revision throws, so that the reader lists again', async () => {
      const { revision } = await store.create(poolKey('a'), pool('a'));
      await store.put(poolKey('a'), pool('a'));
      await store.put(poolKey('a'), pool('a'));
      await harness().compact();
      const error = await caught(watch(['IPPool'], revision).read(1));
      expect(error).toBeInstanceOf(ConflictError);
      expect((error as CalicoError).code).toBe(COMPACTED);
    });

    test('from a revision that the store has not reached throws: the store went back', async () => {
      const error = await caught(watch(['IPPool'], String(BigInt(await revisionNow()) + 1_000n)).read(1));
      expect((error as CalicoError).code).toBe(COMPACTED);
    });

    test('ends quietly when its signal aborts, also while it waits', async () => {
      const watching = watch(['IPPool'], await revisionNow());
      await watching.next();
      const next = watching.next();
      watching.stop.abort();
      expect(await next).toEqual({ done: true, value: undefined });
    });

    test('cuts a reader that does not read', async () => {
      const slow = await harness().openSlowReader();
      const watching = watch(['IPPool'], await revisionNow(), slow);
      await watching.next();
      for (let i = 0; i < 40; i += 1) await store.put(poolKey('a'), pool('a'));
      await harness().pass(1);
      const error = await caught(watching.read(40));
      expect(error).toBeInstanceOf(UnavailableError);
      expect((error as CalicoError).code).toBe('ERR_CALI_DATASTORE_SLOW_READER');
    });

    test('of a closed store throws', async () => {
      const watching = watch(['IPPool'], await revisionNow());
      await watching.next();
      const next = caught(watching.next());
      await store[Symbol.asyncDispose]();
      expect(await next).toBeInstanceOf(UnavailableError);
    });
  });
}
