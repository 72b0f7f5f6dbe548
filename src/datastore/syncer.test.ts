import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { formatKeyPath } from '../api/keys.js';
import type { Kind } from '../api/registry.js';
import type { ResourceUpdate } from '../api/resource-update.js';
import { FakeClock } from '../base/clock.fake.js';
import { pool, poolKey, set, setKey } from './sample-resources.fake.js';
import { UnreliableDatastore } from './datastore.fake.js';
import { MemoryDatastore } from './memory/memory-datastore.js';
import { MAX_UPDATES } from './syncer-channel.js';
import { type SyncerStatus, nextStatus } from './syncer-states.js';
import { Syncer } from './syncer.js';

const KINDS: readonly Kind[] = ['IPPool', 'NetworkSet'];

/** Runs a syncer and keeps what it says, and the objects that follow from it. */
class Reader {
  readonly log: string[] = [];
  readonly mirror = new Map<string, string>();
  readonly batchSizes: number[] = [];
  status: SyncerStatus | undefined;
  readonly #stop = new AbortController();
  readonly #done: Promise<void>;

  constructor(datastore: UnreliableDatastore, clock: FakeClock, kinds = KINDS) {
    const syncer = new Syncer({ datastore, kinds, clock, random: () => 0.5, auditIntervalMs: 60_000 });
    this.#done = this.#read(syncer);
  }

  async #read(syncer: Syncer): Promise<void> {
    for await (const event of syncer.run(this.#stop.signal)) {
      if (event.type === 'status') {
        this.status = event.status;
        this.log.push(event.reason === undefined ? event.status : `${event.status}: ${event.reason.message}`);
      } else {
        this.batchSizes.push(event.updates.length);
        for (const update of event.updates) this.#take(update);
      }
    }
  }

  #take(update: ResourceUpdate): void {
    const name = `${update.key.namespace === undefined ? '' : `${update.key.namespace}/`}${update.key.name}`;
    this.log.push(`${update.value === undefined ? '-' : '+'} ${name}`);
    if (update.value === undefined) this.mirror.delete(`${update.kind} ${name}`);
    else this.mirror.set(`${update.kind} ${name}`, JSON.stringify(update.value));
  }

  /** What was said since the last call. */
  heard(): string[] {
    return this.log.splice(0);
  }

  async stop(): Promise<void> {
    this.#stop.abort();
    await this.#done;
  }
}

describe('Syncer', () => {
  let clock: FakeClock;
  let memory: MemoryDatastore;
  let store: UnreliableDatastore;
  let reader: Reader | undefined;

  beforeEach(() => {
    clock = new FakeClock();
    memory = new MemoryDatastore({ clock });
    store = new UnreliableDatastore(memory);
    reader = undefined;
  });

  afterEach(() => reader?.stop());

  async function start(kinds?: readonly Kind[]): Promise<Reader> {
    reader = new Reader(store, clock, kinds);
    await clock.settle();
    return reader;
  }

  async function cutAndReturn(): Promise<void> {
    store.isDown = true;
    store.cut();
    await clock.settle();
  }

  test('lists everything, says that it is in sync, then passes on each change', async () => {
    await memory.put(poolKey('a'), pool('a'));
    await memory.put(setKey('shop', 's'), set('shop', 's'));
    const { heard } = bound(await start());
    expect(heard()).toEqual(['listing', '+ a', '+ shop/s', 'in-sync']);
    await memory.put(poolKey('b'), pool('b'));
    await memory.delete(poolKey('a'));
    await clock.settle();
    expect(heard()).toEqual(['+ b', '- a']);
  });

  test('passes on the built-in profile', async () => {
    const { heard } = bound(await start(['Profile']));
    expect(heard()).toEqual(['listing', '+ projectcalico-default-allow', 'in-sync']);
  });

  test('says what it waits for, for how long, and comes back by itself', async () => {
    store.isDown = true;
    const { heard } = bound(await start());
    const where = 'waiting: waiting for etcd at http://192.0.2.10:2379: connection refused';
    expect(heard()).toEqual(['listing', `${where}, next try in 1 s`]);
    await clock.advance(3_000);
    expect(heard()).toEqual([
      'listing',
      `${where}, next try in 1 s`,
      'listing',
      `${where}, 1 s so far, next try in 1 s`,
      'listing',
      `${where}, 2 s so far, next try in 2 s`,
    ]);
    store.isDown = false;
    await clock.advance(3_000);
    expect(heard()).toEqual(['listing', 'in-sync']);
  });

  test('resumes a watch that was cut where it broke off, without listing', async () => {
    const { heard } = bound(await start());
    await memory.put(poolKey('a'), pool('a'));
    await clock.settle();
    heard();
    const lists = store.lists;
    await cutAndReturn();
    await memory.put(poolKey('b'), pool('b'));
    store.isDown = false;
    await clock.advance(1_000);
    expect(heard()).toEqual([
      'waiting: waiting for etcd at http://192.0.2.10:2379: connection refused, next try in 1 s',
      'in-sync',
      '+ b',
    ]);
    expect(store.lists).toBe(lists);
  });

  test('emits exactly the differences when the history was compacted while it was away', async () => {
    for (const name of ['same', 'changed', 'gone']) await memory.put(poolKey(name), pool(name));
    const { heard } = bound(await start());
    heard();
    await cutAndReturn();
    await memory.put(poolKey('changed'), pool('changed', '10.0.0.0/8'));
    await memory.delete(poolKey('gone'));
    await memory.put(poolKey('new'), pool('new'));
    memory.compact();
    store.isDown = false;
    await clock.advance(2_000);
    expect(heard()).toEqual([
      'waiting: waiting for etcd at http://192.0.2.10:2379: connection refused, next try in 1 s',
      expect.stringMatching(/^resyncing: memory no longer keeps its history after revision \d+$/),
      '+ changed',
      '+ new',
      '- gone',
      'in-sync',
    ]);
  });

  test('finds by audit what the watch lost, and repairs it', async () => {
    await memory.put(poolKey('gone'), pool('gone'));
    const { heard } = bound(await start());
    heard();
    store.deliver = (batch) => [{ events: [], revision: batch.revision }];
    await memory.put(poolKey('new'), pool('new'));
    await memory.delete(poolKey('gone'));
    await clock.advance(50_000);
    store.deliver = (batch) => [batch];
    expect(heard()).toEqual([]);
    await clock.advance(15_000);
    expect(heard()).toEqual([
      expect.stringMatching(/^resyncing: the watch of etcd at .* lost a change of IPPool "\w+" and of 1 more/),
      '+ new',
      '- gone',
      'in-sync',
    ]);
  });

  test('takes no change on its way for a lost one', async () => {
    const { heard } = bound(await start());
    heard();
    const held: Parameters<UnreliableDatastore['deliver']>[0][] = [];
    store.deliver = (batch) => {
      if (held.length > 0) return [...held.splice(0), batch];
      held.push(batch);
      return [];
    };
    await clock.advance(59_000);
    await memory.put(poolKey('late'), pool('late'));
    await clock.advance(2_000);
    await memory.put(poolKey('later'), pool('later'));
    await clock.advance(10_000);
    expect(heard()).toEqual(['+ late', '+ later']);
  });

  test('does not repeat what the store repeats', async () => {
    const { heard } = bound(await start());
    heard();
    store.deliver = (batch) => [batch, batch];
    await memory.put(poolKey('a'), pool('a'));
    await memory.delete(poolKey('a'));
    await clock.settle();
    expect(heard()).toEqual(['+ a', '- a']);
  });

  test('treats what it cannot read as deleted, and says so', async () => {
    const { heard } = bound(await start());
    await memory.put(poolKey('a'), pool('a'));
    await clock.settle();
    heard();
    memory.putRaw(formatKeyPath(poolKey('a')), '[]');
    await clock.settle();
    expect(heard()).toEqual(['- a', expect.stringContaining('in-sync: stored IPPool "a" cannot be read')]);
    await clock.advance(120_000);
    expect(heard()).toEqual([]);
  });

  test('lists in batches and lets a busy reader catch up in few steps', async () => {
    for (let i = 0; i < 2_500; i += 1) memory.putRaw(formatKeyPath(poolKey(`p${i}`)), JSON.stringify(pool(`p${i}`)));
    const reading = await start();
    expect(reading.mirror.size).toBe(2_500);
    expect(Math.max(...reading.batchSizes)).toBeLessThanOrEqual(MAX_UPDATES);
    expect(reading.batchSizes.length).toBeLessThanOrEqual(4);
  });

  test('ends quietly and leaves no timer behind', async () => {
    const { stop } = bound(await start());
    store.isDown = true;
    store.cut();
    await clock.settle();
    await stop();
    expect(clock.timers).toBe(0);
  });

  test('ends up with what the store holds, whatever happens on the way', async () => {
    const happening = fc.oneof(
      { weight: 6, arbitrary: fc.record({ do: fc.constant('put' as const), n: fc.nat(5), v: fc.nat(200) }) },
      { weight: 3, arbitrary: fc.record({ do: fc.constant('delete' as const), n: fc.nat(5) }) },
      fc.record({ do: fc.constantFrom('cut' as const, 'down' as const, 'up' as const, 'compact' as const) }),
      fc.record({ do: fc.constant('pass' as const), n: fc.nat(4) }),
    );
    await fc.assert(
      fc.asyncProperty(fc.array(happening, { maxLength: 30 }), async (happenings) => {
        const history = new History();
        for (const step of happenings) await history.happen(step);
        await history.finish();
      }),
      { numRuns: 40 },
    );
    expect.assertions(40);
  });
});

type Happening =
  | { readonly do: 'put'; readonly n: number; readonly v: number }
  | { readonly do: 'delete'; readonly n: number }
  | { readonly do: 'cut' | 'down' | 'up' | 'compact' }
  | { readonly do: 'pass'; readonly n: number };

/** A random history of one store and one reader. */
class History {
  readonly #clock = new FakeClock();
  readonly #memory = new MemoryDatastore({ clock: this.#clock });
  readonly #store = new UnreliableDatastore(this.#memory);
  readonly #reader = new Reader(this.#store, this.#clock);

  async happen(step: Happening): Promise<void> {
    switch (step.do) {
      case 'put':
        await this.#memory.put(poolKey(`p${step.n}`), pool(`p${step.n}`, `10.${step.v}.0.0/16`));
        break;
      case 'delete':
        await this.#memory.delete(poolKey(`p${step.n}`)).catch(() => undefined);
        break;
      case 'compact':
        this.#memory.compact();
        break;
      case 'pass':
        await this.#clock.advance(step.n * 700);
        break;
      case 'up':
        this.#store.isDown = false;
        break;
      case 'down':
      case 'cut':
        this.#store.isDown = step.do === 'down';
        this.#store.cut();
        break;
    }
  }

  async finish(): Promise<void> {
    this.#store.isDown = false;
    await this.#clock.advance(20_000);
    const { items } = await this.#memory.list('IPPool');
    const stored = items.map(({ key, value }): [string, string] => [`IPPool ${key.name}`, JSON.stringify(value)]);
    const seen = { status: this.#reader.status, objects: new Map(this.#reader.mirror) };
    await this.#reader.stop();
    expect(seen).toEqual({ status: 'in-sync', objects: new Map(stored) });
  }
}

function bound(reader: Reader): { heard: () => string[]; stop: () => Promise<void> } {
  return { heard: () => reader.heard(), stop: () => reader.stop() };
}

describe('nextStatus()', () => {
  test('reads again as a resync once a complete list was read', () => {
    expect(nextStatus('waiting', 'retry', false)).toBe('listing');
    expect(nextStatus('waiting', 'retry', true)).toBe('resyncing');
    expect(nextStatus('in-sync', 'gap', true)).toBe('resyncing');
  });

  test('refuses what cannot happen', () => {
    expect(() => nextStatus('in-sync', 'listed', true)).toThrow('"listed" cannot happen while in-sync');
  });
});
