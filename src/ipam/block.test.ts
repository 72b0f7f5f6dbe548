import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { IPAMBlock } from '../api/kinds/ipam-block.js';
import { decodeStored, encodeStored } from '../api/stored-form.js';
import { formatAddress, parseAddress } from '../net/address.js';
import {
  addressAt,
  addressWithMask,
  assign,
  attributeAt,
  autoAssign,
  blockCidrOf,
  collectGarbage,
  createBlock,
  isEmpty,
  ordinalOf,
  ordinalsOf,
  release,
  usedCount,
  withoutAffinity,
  written,
} from './block.js';

const nowMs = Date.UTC(2026, 0, 2, 3, 4, 5);
const block = createBlock({ cidr: '10.65.0.0/29', affinity: 'host:calico-01', nowMs });
const a = { handleId: 'a', attributes: { node: 'calico-01' } };
const b = { handleId: 'b' };

describe('createBlock()', () => {
  test('holds every address of its range free, network and broadcast included', () => {
    expect(block).toEqual({
      cidr: '10.65.0.0/29',
      affinity: 'host:calico-01',
      affinity_claim_time: '2026-01-02T03:04:05Z',
      allocations: [null, null, null, null, null, null, null, null],
      unallocated: [0, 1, 2, 3, 4, 5, 6, 7],
      attributes: [],
      sequenceNumber: 1_767_323_045_000_000_000n,
      sequenceNumberForAllocation: {},
      deleted: false,
    });
    expect(createBlock({ cidr: 'fd80:24e2:f998:72d6::/122', nowMs }).allocations).toHaveLength(64);
  });

  test('survives being stored', () => {
    const used = written(autoAssign(block, 3, a).block);
    const key = { kind: 'IPAMBlock', name: block.cidr } as const;
    expect(decodeStored(key, encodeStored('IPAMBlock', used))).toEqual(used);
  });
});

describe('ordinals', () => {
  test('count addresses from the network on, in both families', () => {
    expect(formatAddress(addressAt(block, 7))).toBe('10.65.0.7');
    expect(addressWithMask(block, 3)).toBe('10.65.0.3/29');
    expect(ordinalOf(block, parseAddress('10.65.0.7'))).toBe(7);
    expect(ordinalOf(block, parseAddress('10.65.0.8'))).toBeUndefined();
    const six = createBlock({ cidr: 'fd80:24e2:f998:72d6::40/122', nowMs });
    expect(formatAddress(addressAt(six, 63))).toBe('fd80:24e2:f998:72d6::7f');
    expect(ordinalOf(six, parseAddress('fd80:24e2:f998:72d6::7f'))).toBe(63);
    expect(blockCidrOf(parseAddress('10.65.0.77'), 26)).toBe('10.65.0.64/26');
  });
});

describe('autoAssign()', () => {
  test('takes from the head of the queue, one attribute for all, shared with an equal one', () => {
    const first = autoAssign(block, 2, a);
    expect(first.ordinals).toEqual([0, 1]);
    const second = autoAssign(first.block, 1, { ...a, attributes: { ...a.attributes } });
    const third = autoAssign(second.block, 1, b);
    expect(third.block.allocations.slice(0, 5)).toEqual([0, 0, 0, 1, null]);
    expect(third.block.attributes).toEqual([{ handle_id: 'a', secondary: { node: 'calico-01' } }, { handle_id: 'b' }]);
    expect(third.block.unallocated).toEqual([4, 5, 6, 7]);
    expect(Object.keys(third.block.sequenceNumberForAllocation ?? {})).toEqual(['0', '1', '2', '3']);
  });

  test('gives what there is when asked for more', () => {
    const { block: full, ordinals } = autoAssign(block, 100, a);
    expect(ordinals).toHaveLength(8);
    expect(autoAssign(full, 1, b).ordinals).toEqual([]);
  });
});

describe('assign()', () => {
  test('takes the address asked for, once', () => {
    const taken = assign(block, 5, a);
    expect(taken.unallocated).not.toContain(5);
    expect(attributeAt(taken, 5)?.handle_id).toBe('a');
    expect(() => assign(taken, 5, b)).toThrow('10.65.0.5 is assigned already');
  });
});

describe('release()', () => {
  const used = written(autoAssign(written(autoAssign(block, 2, a).block), 1, b).block);

  test('lets addresses cool down, then frees them at the tail of the queue', () => {
    const { block: cooling, released } = release(used, [{ ordinal: 0 }, { ordinal: 0 }], nowMs);
    expect(released).toEqual([{ ordinal: 0, handleId: 'a' }]);
    expect(attributeAt(cooling, 0)).toEqual({ releasedAt: '2026-01-02T03:04:05.000Z' });
    expect(collectGarbage(cooling, nowMs + 9_000, 10).unallocated).toEqual([3, 4, 5, 6, 7]);
    const free = collectGarbage(cooling, nowMs + 10_000, 10);
    expect(free.unallocated).toEqual([3, 4, 5, 6, 7, 0]);
    expect(free.attributes).toHaveLength(2);
    expect(free.sequenceNumberForAllocation).not.toHaveProperty('0');
    expect(collectGarbage(cooling, nowMs, 0).unallocated).toEqual([3, 4, 5, 6, 7, 0]);
  });

  test('says what was free already, and what cools down', () => {
    const { block: cooling } = release(used, [{ ordinal: 0 }], nowMs);
    expect(release(cooling, [{ ordinal: 0 }, { ordinal: 6 }], nowMs)).toMatchObject({
      released: [],
      unallocated: [0, 6],
    });
  });

  test('refuses everything when one handle or sequence number is not that of the address', () => {
    expect(() => release(used, [{ ordinal: 0 }, { ordinal: 2, handleId: 'a' }], nowMs)).toThrow(
      '10.65.0.2 is not released: it is held by "b", not by "a"',
    );
    const sequence = used.sequenceNumberForAllocation?.['2'];
    expect(() => release(used, [{ ordinal: 2, sequence: (sequence ?? 0n) + 1n }], nowMs)).toThrow(
      /^10\.65\.0\.2 is not released: it was assigned again since/,
    );
    expect(release(used, [{ ordinal: 2, sequence, handleId: 'b' }], nowMs).released).toHaveLength(1);
  });
});

describe('isEmpty()', () => {
  test('is not true while an address cools down, and disregards what Windows reserves', () => {
    const { block: cooling } = release(autoAssign(block, 1, a).block, [{ ordinal: 0 }], nowMs);
    expect([isEmpty(block), isEmpty(cooling), isEmpty(collectGarbage(cooling, nowMs, 0))]).toEqual([true, false, true]);
    expect(isEmpty(assign(block, 0, { handleId: 'windows-reserved-ipam-handle' }))).toBe(true);
  });
});

describe('withoutAffinity()', () => {
  test('takes owner and claim time away', () => {
    expect(withoutAffinity(block)).not.toHaveProperty('affinity');
    expect(withoutAffinity(block)).not.toHaveProperty('affinity_claim_time');
  });
});

type Step =
  | { readonly do: 'auto'; readonly n: number; readonly h: number }
  | { readonly do: 'assign' | 'release'; readonly n: number; readonly h: number }
  | { readonly do: 'collect'; readonly n: number; readonly h: number };

function apply(state: IPAMBlock, { do: what, n, h }: Step, timeMs: number): IPAMBlock {
  const holder = { handleId: `h${h}` };
  if (what === 'auto') return written(autoAssign(state, n, holder).block);
  if (what === 'release') return written(release(state, [{ ordinal: n }, { ordinal: (n + h) % 8 }], timeMs).block);
  if (what === 'collect') return collectGarbage(state, timeMs, 5);
  return state.allocations[n] === null ? written(assign(state, n, holder)) : state;
}

test('after any history free and used ordinals are all ordinals, and each used one has its attribute', () => {
  const step = fc.record({
    do: fc.constantFrom('auto' as const, 'assign' as const, 'release' as const, 'collect' as const),
    n: fc.nat(7),
    h: fc.nat(3),
  });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
      let state = block;
      for (const [index, each] of steps.entries()) {
        state = apply(state, each, nowMs + index * 1_000);
        const used = state.allocations.flatMap((attribute, ordinal) => (attribute === null ? [] : [ordinal]));
        expect([...used, ...state.unallocated].toSorted((x, y) => x - y)).toEqual([0, 1, 2, 3, 4, 5, 6, 7]);
        expect(usedCount(state)).toBe(used.length);
        for (const ordinal of used) expect(attributeAt(state, ordinal)).toBeDefined();
        for (const ordinal of ordinalsOf(state, 'h1')) expect(attributeAt(state, ordinal)?.handle_id).toBe('h1');
      }
    }),
  );
  expect.hasAssertions();
});
