import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { IPPool } from '../api/kinds/ip-pool.js';
import { UnavailableError } from '../base/errors.js';
import type { WriteOperation } from '../datastore/datastore.js';
import { MemoryDatastore } from '../datastore/memory/memory-datastore.js';
import { parsePrefix, prefixContains, prefixesOverlap } from '../net/prefix.js';
import { Ipam } from './ipam.js';
import { partsOf, splitPool } from './split.js';

function pool(cidr: string, spec: Partial<IPPool['spec']> = {}, annotations: Record<string, string> = {}): IPPool {
  const metadata = { name: 'office', annotations };
  return { apiVersion: 'projectcalico.org/v3', kind: 'IPPool', metadata, spec: { cidr, ...spec } };
}

const KEY = { kind: 'IPPool', name: 'office' } as const;
let uids = 0;
const OPTIONS = { newUid: () => `uid-${(uids += 1)}`, now: '2026-01-02T03:04:05Z' };

/** Dies after so many commits and updates. */
class MortalDatastore extends MemoryDatastore {
  lives = 0;

  override async commit(operations: readonly WriteOperation[]): Promise<string> {
    if (this.lives === 0) throw new UnavailableError('ERR_CALI_TEST', 'power failure');
    this.lives -= 1;
    return super.commit(operations);
  }
}

async function pools(store: MemoryDatastore) {
  return (await store.list('IPPool')).items.map(({ key, value }) => [key.name, value.spec.cidr, value.spec.disabled]);
}

describe('partsOf()', () => {
  test('are equal, in order, without gap or overlap', () => {
    const bits = fc.integer({ min: 1, max: 6 });
    fc.assert(
      fc.property(fc.constantFrom('10.0.0.0/16', '192.0.2.0/26', 'fd80::/64', '0.0.0.0/4'), bits, (cidr, log) => {
        const whole = parsePrefix(cidr);
        const blockSize = whole.address.family === 4 ? 32 : 128;
        const parts = partsOf(pool(cidr, { blockSize }), 2 ** log).map((part) => parsePrefix(part.cidr));
        expect(parts.every(({ length }) => length === whole.length + log)).toBe(true);
        expect(parts.every((part) => prefixContains(whole, part))).toBe(true);
        for (const [index, part] of parts.entries()) {
          expect(parts.slice(index + 1).some((other) => prefixesOverlap(part, other))).toBe(false);
        }
      }),
    );
  });

  test('are at least one block each, and a power of two', () => {
    expect(() => partsOf(pool('192.0.2.0/24'), 8)).toThrow(
      'pool "office" (192.0.2.0/24) cannot be split into 8: a part would be a /27, smaller than one block (/26)',
    );
    for (const count of [0, 1, 3, 6, 131_072]) expect(() => partsOf(pool('10.0.0.0/8'), count)).toThrow('power of two');
  });
});

describe('splitPool()', () => {
  test('replaces the pool at once, keeps its settings, blocks and addresses', async () => {
    const store = new MemoryDatastore();
    await store.put(
      KEY,
      pool('192.0.2.0/24', { natOutgoing: true }, { 'projectcalico.org/default-pool': 'true', a: 'b' }),
    );
    const ipam = new Ipam(store);
    await ipam.assignIp({ address: '192.0.2.200', hostname: 'h1', handleId: 'x' });
    const before = (await store.list('IPAMBlock')).items;
    await splitPool(store, await store.get(KEY), 2, OPTIONS);
    expect(await pools(store)).toEqual([
      ['split-office-0', '192.0.2.0/25', false],
      ['split-office-1', '192.0.2.128/25', false],
    ]);
    const { value } = await store.get({ kind: 'IPPool', name: 'split-office-1' });
    expect(value).toMatchObject({ metadata: { annotations: { a: 'b' } }, spec: { natOutgoing: true } });
    expect(value.metadata.annotations).toEqual({ a: 'b' });
    expect((await store.list('IPAMBlock')).items).toEqual(before);
    expect(await ipam.utilization()).toMatchObject([
      { name: 'split-office-0', used: 0 },
      { name: 'split-office-1', used: 1 },
    ]);
  });

  test('finishes what broke off, as often as it takes, and only that', async () => {
    const store = new MortalDatastore();
    await store.put(KEY, pool('10.0.0.0/16', { disabled: false }));
    for (let deaths = 0; deaths < 2; deaths += 1) {
      store.lives = 1;
      await expect(splitPool(store, await store.get(KEY), 256, OPTIONS)).rejects.toThrow('power failure');
      expect((await store.get(KEY)).value.spec.disabled).toBe(true);
    }
    await expect(splitPool(store, await store.get(KEY), 128, OPTIONS)).rejects.toThrow(
      'pool "office" was being split into 256 when that broke off',
    );
    store.lives = Number.POSITIVE_INFINITY;
    await splitPool(store, await store.get(KEY), 256, OPTIONS);
    const all = await pools(store);
    expect(all).toHaveLength(256);
    expect(all).toContainEqual(['split-office-255', '10.0.255.0/24', false]);
    expect(all.every(([name, , disabled]) => name !== 'office' && disabled === false)).toBe(true);
    const { value } = await store.get({ kind: 'IPPool', name: 'split-office-255' });
    expect(value.metadata.annotations).toBeUndefined();
  });

  test('leaves a pool alone whose part has the name of another pool', async () => {
    const store = new MemoryDatastore();
    await store.put(KEY, pool('192.0.2.0/24'));
    await store.put({ kind: 'IPPool', name: 'split-office-1' }, pool('10.0.0.0/16'));
    await expect(splitPool(store, await store.get(KEY), 2, OPTIONS)).rejects.toThrow(
      'there is a pool "split-office-1" already, with 10.0.0.0/16',
    );
    expect(await pools(store)).toHaveLength(2);
  });
});
