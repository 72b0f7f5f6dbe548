import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { formatKeyPath } from '../api/keys.js';
import type { Kind, ResourceByKind } from '../api/registry.js';
import { withWriteDefaults } from '../api/validate.js';
import {
  AlreadyExistsError,
  CalicoError,
  ConflictError,
  NotFoundError,
  UnavailableError,
  UnsupportedError,
  ValidationError,
} from '../base/errors.js';
import type { Datastore, ResourceKey, WatchBatch, WatchEvent } from './datastore.js';
import { COMPACTED } from './errors.js';

/** An empty store, and the hands that reach behind the interface. */
export interface DatastoreHarness {
  readonly datastore: Datastore;
  /** Writes stored text as it stands. */
  putRaw(path: string, text: string): Promise<void>;
  /** Forgets the history up to now. */
  compact(): Promise<void>;
  /** Lets seconds of the store's time pass. */
  pass(seconds: number): Promise<void>;
  /** A second client of the same store, whose watches are cut at 10 waiting events. */
  openSlowReader(): Promise<Datastore>;
  stop(): Promise<void>;
}

export function poolKey(name: string): ResourceKey<'IPPool'> {
  return { kind: 'IPPool', name };
}

export function pool(name: string, cidr = '192.168.0.0/16'): ResourceByKind['IPPool'] {
  return withWriteDefaults({ apiVersion: 'projectcalico.org/v3', kind: 'IPPool', metadata: { name }, spec: { cidr } });
}

export function setKey(namespace: string, name: string): ResourceKey<'NetworkSet'> {
  return { kind: 'NetworkSet', namespace, name };
}

export function set(namespace: string, name: string): ResourceByKind['NetworkSet'] {
  return {
    apiVersion: 'projectcalico.org/v3',
    kind: 'NetworkSet',
    metadata: { name, namespace },
    spec: { nets: ['192.0.2.0/24'] },
  };
}

function brief(event: WatchEvent): string {
  const cidr = event.type === 'put' && event.kind === 'IPPool' ? ` ${event.value.spec.cidr}` : '';
  return `${event.type} ${event.key.name}${cidr}`;
}

function caught(promise: Promise<unknown>): Promise<unknown> {
  return promise.then(
    () => expect.fail('it should have been refused'),
    (error: unknown) => error,
  );
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

/** The promises of `Datastore`, which every backend keeps. */
export function describeDatastore(name: string, start: () => Promise<DatastoreHarness>): void {
  describe(`Datastore: ${name}`, () => {
    let harness: DatastoreHarness;
    let store: Datastore;
    let watches: Watching[] = [];

    beforeEach(async () => {
      harness = await start();
      store = harness.datastore;
    });

    afterEach(async () => {
      for (const watch of watches) await watch.end();
      watches = [];
      await harness.stop();
    });

    function watch(kinds: readonly Kind[], afterRevision: string, datastore = store): Watching {
      const watching = new Watching(datastore, kinds, afterRevision);
      watches.push(watching);
      return watching;
    }

    async function revisionNow(): Promise<string> {
      return (await store.list('Tier')).revision;
    }

    describe('single objects', () => {
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
        await harness.pass(5);
        expect((await store.list('IPPool')).items.map((item) => item.key.name)).toEqual(['kept']);
      });

      test('unreadable stored bytes fail a get with a reason', async () => {
        await harness.putRaw(formatKeyPath(poolKey('bad')), '{"spec": 7}');
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
    });

    describe('lists', () => {
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

      test('show an earlier moment when asked for its revision', async () => {
        const { revision } = await store.create(poolKey('office'), pool('office'));
        await store.delete(poolKey('office'));
        expect((await store.list('IPPool', { revision })).items.map((item) => item.key.name)).toEqual(['office']);
        expect((await store.list('IPPool')).items).toEqual([]);
      });

      test('of a compacted revision say that it is gone', async () => {
        const { revision } = await store.create(poolKey('office'), pool('office'));
        await store.put(poolKey('office'), pool('office', '10.0.0.0/8'));
        await harness.compact();
        const error = await caught(store.list('IPPool', { revision }));
        expect(error).toBeInstanceOf(ConflictError);
        expect((error as CalicoError).code).toBe(COMPACTED);
      });

      test('name unreadable entries apart', async () => {
        await store.put(poolKey('office'), pool('office'));
        await harness.putRaw(formatKeyPath(poolKey('bad')), 'not json');
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

    describe('commit()', () => {
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

    describe('watch()', () => {
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
        await harness.putRaw(formatKeyPath(poolKey('bad')), '[]');
        await store.put(poolKey('good'), pool('good', '10.0.0.0/8'));
        expect(await watching.read(2)).toEqual(['invalid bad', 'put good 10.0.0.0/8']);
      });

      test('from a compacted revision throws, so that the reader lists again', async () => {
        const { revision } = await store.create(poolKey('a'), pool('a'));
        await store.put(poolKey('a'), pool('a'));
        await store.put(poolKey('a'), pool('a'));
        await harness.compact();
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
        const slow = await harness.openSlowReader();
        const watching = watch(['IPPool'], await revisionNow(), slow);
        await watching.next();
        for (let i = 0; i < 40; i += 1) await store.put(poolKey('a'), pool('a'));
        await harness.pass(1);
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
  });
}

function globalSet(name: string): ResourceByKind['GlobalNetworkSet'] {
  return { apiVersion: 'projectcalico.org/v3', kind: 'GlobalNetworkSet', metadata: { name }, spec: { nets: [] } };
}
