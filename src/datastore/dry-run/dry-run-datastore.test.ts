import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { CalicoError, UnsupportedError } from '../../base/errors.js';
import type { Datastore, WriteOperation } from '../datastore.js';
import { pool, poolKey, set, setKey } from '../sample-resources.fake.js';
import { MemoryDatastore } from '../memory/memory-datastore.js';
import { DryRunDatastore } from './dry-run-datastore.js';

const NAMES = ['a', 'b', 'c'];

type Step = { readonly name: string; readonly isSet: boolean } & (
  | { readonly type: 'create' | 'put' }
  /** With the revision that a read gives, or one that is none. */
  | { readonly type: 'update' | 'delete'; readonly isStale: boolean }
);

const step: fc.Arbitrary<Step> = fc.oneof(
  fc.record({
    type: fc.constantFrom('create' as const, 'put' as const),
    name: fc.constantFrom(...NAMES),
    isSet: fc.boolean(),
  }),
  fc.record({
    type: fc.constantFrom('update' as const, 'delete' as const),
    name: fc.constantFrom(...NAMES),
    isSet: fc.boolean(),
    isStale: fc.boolean(),
  }),
);

async function operationOf(store: Datastore, each: Step, number: number): Promise<WriteOperation> {
  const key = each.isSet ? setKey('shop', each.name) : poolKey(each.name);
  const value = each.isSet ? set('shop', each.name) : pool(each.name, `10.${number}.0.0/16`);
  if (each.type === 'create' || each.type === 'put') return { type: each.type, key, value };
  const stored = await store.get(key).catch(() => undefined);
  const revision = !('isStale' in each) || each.isStale || stored === undefined ? '7777777' : stored.revision;
  return each.type === 'delete' ? { type: 'delete', key, revision } : { type: 'update', key, value, revision };
}

/** What happens, without revisions: those differ. */
async function perform(store: Datastore, each: Step, number: number): Promise<string> {
  try {
    await store.commit([await operationOf(store, each, number)]);
    return 'done';
  } catch (error) {
    return error instanceof CalicoError ? error.code : 'a bug';
  }
}

async function content(store: Datastore): Promise<unknown> {
  const [pools, sets] = await Promise.all([store.list('IPPool'), store.list('NetworkSet', { namespace: 'shop' })]);
  const revisions = await store.listRevisions('IPPool');
  return [
    [...pools.items, ...sets.items].map(({ key, value }) => ({ key, value })),
    revisions.entries.map(({ key }) => key.name),
  ];
}

async function everything(store: Datastore): Promise<unknown> {
  return [await store.list('IPPool'), await store.list('NetworkSet'), await store.listRevisions('IPPool')];
}

describe('DryRunDatastore', () => {
  test('says and shows what a store would, and leaves the one behind it as it was', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 6 }), fc.array(step, { maxLength: 12 }), async (before, steps) => {
        const [behind, twin] = [new MemoryDatastore(), new MemoryDatastore()];
        for (const [number, each] of before.entries()) {
          await perform(behind, each, number);
          await perform(twin, each, number);
        }
        const stored = await everything(behind);
        const dryRun = new DryRunDatastore(behind);
        for (const [number, each] of steps.entries()) {
          expect(await perform(dryRun, each, 100 + number)).toBe(await perform(twin, each, 100 + number));
          expect(await content(dryRun)).toEqual(await content(twin));
        }
        expect(await everything(behind)).toEqual(stored);
      }),
      { numRuns: 60 },
    );
  });

  test('says what the writes come to', async () => {
    const behind = new MemoryDatastore();
    await behind.create(poolKey('old'), pool('old'));
    await behind.create(poolKey('changed'), pool('changed', '10.1.0.0/16'));
    const dryRun = new DryRunDatastore(behind);
    await dryRun.create(poolKey('new'), pool('new', '10.2.0.0/16'));
    await dryRun.put(poolKey('changed'), pool('changed', '10.3.0.0/16'));
    await dryRun.delete(poolKey('old'));
    await dryRun.create(poolKey('brief'), pool('brief', '10.4.0.0/16'));
    await dryRun.delete(poolKey('brief'));
    const changes = await dryRun.changes();
    const cidr = (stored: { value: unknown } | undefined) =>
      (stored?.value as { spec: { cidr: string } } | undefined)?.spec.cidr;
    expect(changes.map(({ key, before, after }) => [key.name, cidr(before), cidr(after)])).toEqual([
      ['new', undefined, '10.2.0.0/16'],
      ['changed', '10.1.0.0/16', '10.3.0.0/16'],
      ['old', '192.168.0.0/16', undefined],
    ]);
  });

  test('a commit is judged whole: nothing of it stays when one write is refused', async () => {
    const dryRun = new DryRunDatastore(new MemoryDatastore());
    const commit = dryRun.commit([
      { type: 'create', key: poolKey('a'), value: pool('a') },
      { type: 'delete', key: poolKey('b') },
    ]);
    await expect(commit).rejects.toThrow('IPPool "b" does not exist');
    expect((await dryRun.list('IPPool')).items).toEqual([]);
  });

  test('cannot be watched', () => {
    expect(() => new DryRunDatastore(new MemoryDatastore()).watch()).toThrow(UnsupportedError);
  });
});
