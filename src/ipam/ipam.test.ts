import fc from 'fast-check';
import { beforeEach, describe, expect, test } from 'vitest';
import { FakeClock } from '../base/clock.fake.js';
import type { CalicoError } from '../base/errors.js';
import type { ResourceByKind } from '../api/registry.js';
import { MemoryDatastore } from '../datastore/memory/memory-datastore.js';
import { fnv1 } from './block-search.js';
import { explainShortfall, Ipam, type AutoAssignRequest } from './ipam.js';

function pool(name: string, cidr: string, spec: Partial<ResourceByKind['IPPool']['spec']> = {}) {
  const value = { apiVersion: 'projectcalico.org/v3', kind: 'IPPool', metadata: { name }, spec: { cidr, ...spec } };
  return [{ kind: 'IPPool', name }, value as ResourceByKind['IPPool']] as const;
}

let store: MemoryDatastore;
let clock: FakeClock;
let ipam: Ipam;

beforeEach(() => {
  clock = new FakeClock();
  store = new MemoryDatastore({ clock });
  ipam = new Ipam(store, { clock, random: () => 0.3 });
});

function workload(handleId: string, more: Partial<AutoAssignRequest> = {}): AutoAssignRequest {
  return { ipv4: 1, hostname: 'h1', use: 'Workload', handleId, ...more };
}

async function addresses(request: AutoAssignRequest, from = ipam): Promise<readonly string[]> {
  const { ipv4, ipv6 } = await from.autoAssign(request);
  return [...ipv4.addresses, ...ipv6.addresses];
}

async function names(kind: 'IPAMBlock' | 'IPAMHandle' | 'BlockAffinity'): Promise<string[]> {
  return (await store.list(kind)).items.map((item) => item.key.name);
}

async function node(name: string, labels: Record<string, string>): Promise<void> {
  const value = { apiVersion: 'projectcalico.org/v3', kind: 'Node', metadata: { name, labels }, spec: {} } as const;
  await store.put({ kind: 'Node', name }, value);
}

async function configure(spec: ResourceByKind['IPAMConfiguration']['spec']): Promise<void> {
  const kind = 'IPAMConfiguration';
  await store.put(
    { kind, name: 'default' },
    { apiVersion: 'projectcalico.org/v3', kind, metadata: { name: 'default' }, spec },
  );
}

async function reserve(...reservedCIDRs: string[]): Promise<void> {
  const kind = 'IPReservation';
  const value = { apiVersion: 'projectcalico.org/v3', kind, metadata: { name: 'r' }, spec: { reservedCIDRs } } as const;
  await store.put({ kind, name: 'r' }, value);
}

/** Whatever happened: no address lies in two places, counts of handles are not too low, every block is whole. */
async function checkInvariants(of: MemoryDatastore): Promise<void> {
  const held = new Map<string, Map<string, number>>();
  for (const { key, value } of (await of.list('IPAMBlock')).items) {
    const used = value.allocations.flatMap((index, ordinal) => (index === null ? [] : [ordinal]));
    const all = [...used, ...value.unallocated].toSorted((a, b) => a - b);
    expect(all, key.name).toEqual(value.allocations.map((_, ordinal) => ordinal));
    for (const ordinal of used) {
      const handle = value.attributes[value.allocations[ordinal] ?? -1]?.handle_id;
      if (handle === undefined) continue;
      const counts = held.get(handle) ?? new Map<string, number>();
      held.set(handle, counts.set(key.name, (counts.get(key.name) ?? 0) + 1));
    }
  }
  const handles = new Map((await of.list('IPAMHandle')).items.map(({ key, value }) => [key.name, value.block]));
  for (const [handle, counts] of held) expect(handles.get(handle), handle).toEqual(Object.fromEntries(counts));
  expect([...handles.keys()].filter((handle) => !held.has(handle))).toEqual([]);
}

describe('autoAssign()', () => {
  test('claims a block at a place that depends on the host, and writes block, affinity and handle at once', async () => {
    await store.put(...pool('office', '192.168.0.0/16'));
    expect(await addresses(workload('a', { attributes: { pod: 'web' } }))).toEqual([
      `192.168.${(fnv1('h1') % 1024) >> 2}.${((fnv1('h1') % 1024) & 3) * 64}/26`,
    ]);
    const [block] = (await store.list('IPAMBlock')).items;
    const [affinity] = (await store.list('BlockAffinity')).items;
    const [handle] = (await store.list('IPAMHandle')).items;
    expect(block?.value).toMatchObject({
      affinity: 'host:h1',
      attributes: [{ handle_id: 'a', secondary: { pod: 'web' } }],
    });
    expect(affinity?.key.name).toBe(`host:h1/${block?.key.name}`);
    expect(affinity?.value).toEqual({ state: 'confirmed', deleted: false });
    expect(handle?.value).toEqual({ block: { [block?.key.name ?? '']: 1 }, deleted: false });
    expect(new Set([block?.revision, affinity?.revision, handle?.revision]).size).toBe(1);
  });

  test('takes from an own block before claiming a new one, the longest free address first', async () => {
    await store.put(...pool('small', '10.0.0.0/28', { blockSize: 29 }));
    const first = await addresses(workload('a', { ipv4: 2 }));
    await ipam.releaseByHandle('a');
    const next = await addresses(workload('b', { ipv4: 8 }));
    expect(next.slice(-2)).toEqual(first);
    expect(await names('IPAMBlock')).toHaveLength(1);
    await addresses(workload('c'));
    expect(await names('IPAMBlock')).toHaveLength(2);
  });

  test('assigns both families under one handle', async () => {
    await store.put(...pool('four', '192.168.0.0/16'));
    await store.put(...pool('six', 'fd80:24e2:f998:72d6::/64'));
    const both = await addresses(workload('a', { ipv6: 1 }));
    expect(both).toEqual([
      expect.stringMatching(/^192\.168\..*\/26$/),
      expect.stringMatching(/^fd80:24e2:f998:72d6:.*\/122$/),
    ]);
    expect(await ipam.addressesByHandle('a')).toEqual(both.map((address) => address.replace(/\/.*/, '')));
    expect(await names('IPAMHandle')).toEqual(['a']);
    await checkInvariants(store);
  });

  test('uses enabled pools that select node and namespace, in the order of their names', async () => {
    await node('h1', { rack: 'one' });
    await store.put(...pool('a-off', '10.1.0.0/24', { disabled: true }));
    await store.put(...pool('b-other', '10.2.0.0/24', { nodeSelector: "rack == 'two'" }));
    await store.put(
      ...pool('c-shop', '10.3.0.0/24', { namespaceSelector: "team == 'shop'", allowedUses: ['Workload'] }),
    );
    await store.put(...pool('d-manual', '10.4.0.0/24', { assignmentMode: 'Manual' }));
    await store.put(...pool('e-fits', '10.5.0.0/24', { nodeSelector: "rack == 'one'" }));
    expect((await addresses(workload('y', { namespaceLabels: { team: 'shop' } })))[0]).toMatch(/^10\.3\./);
    expect((await addresses(workload('x')))[0]).toMatch(/^10\.5\./);
    expect((await addresses(workload('z', { ipv4Pools: ['d-manual'] })))[0]).toMatch(/^10\.4\./);
    expect((await addresses(workload('z', { ipv4Pools: ['10.2.0.0/24'] })))[0]).toMatch(/^10\.2\./);
    await expect(ipam.autoAssign(workload('w', { ipv4Pools: ['a-off'] }))).rejects.toThrow(
      'the given pool (a-off) does not exist, or is not enabled',
    );
    await expect(ipam.autoAssign(workload('w', { use: 'Tunnel', ipv4Pools: ['c-shop'] }))).rejects.toThrow(
      'no pool among "c-shop" allows use Tunnel',
    );
    await expect(ipam.autoAssign(workload('w', { ipv6: 1 }))).rejects.toThrow('no IPv6 pool is enabled for node "h1"');
  });

  test('says why there is no address, and gives what there is', async () => {
    await store.put(...pool('office', '192.0.2.0/29', { blockSize: 29 }));
    const { ipv4 } = await ipam.autoAssign(workload('a', { ipv4: 10 }));
    expect(ipv4.addresses).toHaveLength(8);
    expect(explainShortfall(ipv4)?.message).toBe(
      'Assigned 8 out of 10 requested IPv4 addresses; pool "office": no address left for host "h1": ' +
        '8 of 8 used in 192.0.2.0/29 and no free block in the pool',
    );
  });

  test('notices what others released from a block it remembers as full', async () => {
    await store.put(...pool('office', '192.0.2.0/29', { blockSize: 29 }));
    await addresses(workload('a', { ipv4: 8 }));
    await new Ipam(store, { clock }).releaseIps([{ address: '192.0.2.3' }]);
    expect(await addresses(workload('b'))).toEqual(['192.0.2.3/29']);
    await checkInvariants(store);
  });

  test('borrows from others when no block is free, unless affinity is strict', async () => {
    await store.put(...pool('office', '192.0.2.0/29', { blockSize: 29 }));
    await addresses(workload('a', { hostname: 'h2' }));
    expect(await addresses(workload('b'))).toEqual(['192.0.2.1/29']);
    await configure({ strictAffinity: true, autoAllocateBlocks: true });
    expect(await addresses(workload('c'))).toEqual([]);
    await checkInvariants(store);
  });

  test('leaves reserved addresses out, and gives them to those who ask for them', async () => {
    await store.put(...pool('office', '192.0.2.0/29', { blockSize: 29 }));
    await reserve('192.0.2.0/31', '192.0.2.4');
    expect(await addresses(workload('a', { ipv4: 4 }))).toEqual([
      '192.0.2.2/29',
      '192.0.2.3/29',
      '192.0.2.5/29',
      '192.0.2.6/29',
    ]);
    await ipam.assignIp({ address: '192.0.2.4', handleId: 'b', hostname: 'h1' });
    expect(await addresses(workload('c', { ipv4: 2 }))).toEqual(['192.0.2.7/29']);
    await checkInvariants(store);
  });

  test('claims no block that is reserved whole, be it by many or by a big one', async () => {
    await store.put(...pool('office', '192.0.2.0/28', { blockSize: 30 }));
    await reserve('192.0.2.0/29', '192.0.2.8/31', '192.0.2.10', '192.0.2.11');
    expect(await addresses(workload('a', { ipv4: 5 }))).toHaveLength(4);
    expect(await names('IPAMBlock')).toEqual(['192.0.2.12/30']);
    await reserve('0.0.0.0/0');
    expect(await addresses(workload('b'))).toEqual([]);
  });

  test('finds a block beside a reservation of a million', async () => {
    await store.put(...pool('office', '10.0.0.0/8', { blockSize: 30 }));
    await reserve('10.0.0.0/9', '10.128.0.0/10', '10.192.0.0/11');
    expect((await addresses(workload('a'))).every((text) => /^10\.(22[4-9]|2[345]\d)\./.test(text))).toBe(true);
  });

  test('takes over a block that stands empty for a minute', async () => {
    await store.put(...pool('office', '192.0.2.0/29', { blockSize: 29 }));
    await addresses(workload('a', { hostname: 'h2' }));
    await ipam.releaseByHandle('a');
    await clock.advance(61_000);
    expect(await addresses(workload('b'))).toEqual(['192.0.2.0/29']);
    expect(await names('BlockAffinity')).toEqual(['host:h1/192.0.2.0/29']);
    await checkInvariants(store);
  });

  test('keeps to the limit of blocks for a host', async () => {
    await store.put(...pool('office', '192.0.2.0/24', { blockSize: 29 }));
    const { ipv4 } = await ipam.autoAssign(workload('a', { ipv4: 20, maxBlocksPerHost: 2 }));
    expect(ipv4.addresses).toHaveLength(16);
    expect(ipv4.messages).toEqual(['cannot allocate new block due to per host block limit']);
  });

  test('gives a handle no more than it may hold, also of two that ask at once', async () => {
    await store.put(...pool('four', '192.168.0.0/16'));
    await store.put(...pool('six', '2001:db8::/64'));
    const once = () => new Ipam(store, { clock }).autoAssign(workload('vm', { ipv6: 1, maxPerHandle: 1 }));
    const [a, b] = await Promise.all([once(), once()]);
    expect([...a.ipv4.addresses, ...b.ipv4.addresses]).toHaveLength(1);
    expect([...a.ipv6.addresses, ...b.ipv6.addresses]).toHaveLength(1);
    const { ipv4 } = await once();
    expect([ipv4.addresses, ipv4.messages]).toEqual([[], ['handle "vm" holds 1 IPv4 addresses, and may hold 1']]);
    expect(await ipam.addressesByHandle('vm')).toHaveLength(2);
    await checkInvariants(store);
  });

  test('leaves an affinity alone whose block belongs to another host, and finishes one that broke off', async () => {
    await store.put(...pool('office', '192.0.2.0/28', { blockSize: 29 }));
    await addresses(workload('a', { hostname: 'h2', ipv4Pools: ['office'] }));
    const [theirs = ''] = await names('IPAMBlock');
    const other = theirs === '192.0.2.0/29' ? '192.0.2.8/29' : '192.0.2.0/29';
    await store.put({ kind: 'BlockAffinity', name: `host:h1/${theirs}` }, { state: 'confirmed' });
    await store.put({ kind: 'BlockAffinity', name: `host:h1/${other}` }, { state: 'pending' });
    expect(await addresses(workload('b', { ipv4: 9 }))).toContain(other);
    expect(await names('BlockAffinity')).toEqual([`host:h1/${other}`, `host:h2/${theirs}`]);
    expect((await store.get({ kind: 'BlockAffinity', name: `host:h1/${other}` })).value.state).toBe('confirmed');
  });

  test('commits requests that arrive together as one', async () => {
    await store.put(...pool('office', '192.168.0.0/16'));
    const results = await Promise.all(Array.from({ length: 50 }, (_, i) => addresses(workload(`w${i}`))));
    expect(new Set(results.flat()).size).toBe(50);
    const revisions = (await store.list('IPAMHandle')).items.map((item) => item.revision);
    expect(new Set(revisions).size).toBe(1);
    await checkInvariants(store);
  });

  test('refuses one of several requests without hurting the others', async () => {
    await store.put(...pool('office', '192.168.0.0/16'));
    const results = await Promise.allSettled([
      addresses(workload('a')),
      addresses(workload('b', { ipv4Pools: ['nowhere'] })),
      addresses(workload('c')),
    ]);
    expect(results.map((result) => result.status)).toEqual(['fulfilled', 'rejected', 'fulfilled']);
    await checkInvariants(store);
  });
});

describe('assignIp()', () => {
  beforeEach(() => store.put(...pool('office', '192.0.2.0/24')));

  test('assigns the first and the last address of a block like any other', async () => {
    for (const address of ['192.0.2.0', '192.0.2.255']) {
      await ipam.assignIp({ address, hostname: 'h1', handleId: 'a' });
      expect(await ipam.attributes(address)).toMatchObject({ handleId: 'a', affinity: 'host:h1' });
    }
    await checkInvariants(store);
  });

  test('refuses what is assigned, what is in no pool, and what is another host’s when affinity is strict', async () => {
    await ipam.assignIp({ address: '192.0.2.7', hostname: 'h1' });
    await expect(ipam.assignIp({ address: '192.0.2.7', hostname: 'h1' })).rejects.toThrow(
      '192.0.2.7 is assigned already',
    );
    await expect(ipam.assignIp({ address: '10.0.0.1', hostname: 'h1' })).rejects.toThrow(
      '10.0.0.1 is in no enabled IP pool',
    );
    await ipam.assignIp({ address: '192.0.2.8', hostname: 'h2' });
    await configure({ strictAffinity: true, autoAllocateBlocks: true });
    await expect(ipam.assignIp({ address: '192.0.2.9', hostname: 'h2' })).rejects.toThrow(
      'block 192.0.2.0/26 belongs to "host:h1"',
    );
  });
});

describe('releasing', () => {
  beforeEach(() => store.put(...pool('office', '192.0.2.0/24')));

  test('by address checks handle and sequence number, and says what was free', async () => {
    const [address = ''] = (await addresses(workload('a'))).map((text) => text.replace(/\/.*/, ''));
    const { sequence = 0n } = await ipam.attributes(address);
    await expect(ipam.releaseIps([{ address, handleId: 'b' }])).rejects.toThrow(/held by "a", not by "b"/);
    await expect(ipam.releaseIps([{ address, sequence: sequence + 1n }])).rejects.toThrow(/assigned again since/);
    const result = await ipam.releaseIps([{ address, handleId: 'a', sequence }, { address: '192.0.2.200' }]);
    expect(result).toEqual({ released: [address], unallocated: ['192.0.2.200'] });
    expect(await names('IPAMHandle')).toEqual([]);
    await expect(ipam.attributes(address)).rejects.toThrow(`${address} is not assigned`);
  });

  test('by handle gives all back; an unknown handle is not found', async () => {
    await addresses(workload('a', { ipv4: 100 }));
    expect((await ipam.releaseByHandle('a\r\n')).released).toHaveLength(100);
    await expect(ipam.releaseByHandle('a')).rejects.toMatchObject({ code: 'ERR_CALI_IPAM_NO_HANDLE' });
    await checkInvariants(store);
  });

  test('keeps an address back while it cools down', async () => {
    await configure({ ipCooldownSeconds: 30 });
    await ipam.assignIp({ address: '192.0.2.7', hostname: 'h1', handleId: 'a' });
    await ipam.releaseByHandle('a');
    await expect(ipam.attributes('192.0.2.7')).rejects.toMatchObject({ code: 'ERR_CALI_IPAM_COOLDOWN' });
    await expect(ipam.assignIp({ address: '192.0.2.7', hostname: 'h1' })).rejects.toThrow(
      '192.0.2.7 is assigned already: it was released at',
    );
    await clock.advance(30_000);
    await ipam.assignIp({ address: '192.0.2.7', hostname: 'h1' });
    expect((await ipam.attributes('192.0.2.7')).handleId).toBeUndefined();
  });

  test('says that all that is left cools down', async () => {
    await store.put(...pool('small', '198.51.100.0/31', { blockSize: 31 }));
    await configure({ ipCooldownSeconds: 30 });
    await addresses(workload('a', { ipv4: 2, ipv4Pools: ['small'] }));
    await ipam.releaseByHandle('a');
    const { ipv4 } = await ipam.autoAssign(workload('b', { ipv4Pools: ['small'] }));
    expect(ipv4.messages).toEqual([
      'pool "small": no address left for host "h1": 2 of 2 used (2 of them cool down) in 198.51.100.0/31 and no free block in the pool',
    ]);
    await clock.advance(30_000);
    expect(await addresses(workload('b', { ipv4Pools: ['small'] }))).toHaveLength(1);
  });

  test('gives the block back when its pool may not be used any more', async () => {
    await addresses(workload('a'));
    await store.put(...pool('office', '192.0.2.0/24', { disabled: true }));
    await ipam.releaseByHandle('a');
    expect([await names('IPAMBlock'), await names('BlockAffinity')]).toEqual([[], []]);
  });

  test('looks again before it believes that a handle holds nothing', async () => {
    await addresses(workload('mine'));
    const other = new Ipam(store, { clock });
    await other.assignIp({ address: '192.0.2.130', hostname: 'h2', handleId: 'b' });
    await ipam.attributes('192.0.2.130');
    await other.assignIp({ address: '192.0.2.131', hostname: 'h2', handleId: 'theirs' });
    expect((await ipam.releaseIps([{ address: '192.0.2.131' }])).released).toEqual(['192.0.2.131']);
    await other.assignIp({ address: '192.0.2.132', hostname: 'h2', handleId: 'late' });
    expect((await ipam.releaseByHandle('late')).released).toEqual(['192.0.2.132']);
    await checkInvariants(store);
  });

  test('all blocks of a host deletes the empty ones and leaves those in use to nobody', async () => {
    await ipam.assignIp({ address: '192.0.2.1', hostname: 'h1', handleId: 'a' });
    await ipam.assignIp({ address: '192.0.2.65', hostname: 'h1', handleId: 'b' });
    await ipam.releaseByHandle('b');
    await expect(ipam.releaseAffinity('192.0.2.0/26', 'h1', { mustBeEmpty: true })).rejects.toThrow(
      'block 192.0.2.0/26 is in use: 1 of its addresses are assigned',
    );
    await ipam.releaseHostAffinities('h1');
    expect([await names('IPAMBlock'), await names('BlockAffinity')]).toEqual([['192.0.2.0/26'], []]);
    await ipam.releaseByHandle('a');
    expect(await names('IPAMBlock')).toEqual([]);
  });
});

describe('claimAffinity()', () => {
  test('gives a host the blocks of a range that nobody else has, and lets it use no others', async () => {
    await store.put(...pool('office', '192.0.2.0/24'));
    await ipam.assignIp({ address: '192.0.2.70', hostname: 'h2' });
    await configure({ strictAffinity: true, autoAllocateBlocks: false });
    expect((await ipam.autoAssign(workload('early'))).ipv4.addresses).toEqual([]);
    expect(await ipam.claimAffinity('192.0.2.0/25', 'h1')).toEqual({
      claimed: ['192.0.2.0/26'],
      refused: ['192.0.2.64/26'],
    });
    expect(await addresses(workload('a'))).toEqual(['192.0.2.0/26']);
    expect(await ipam.claimAffinity('192.0.2.0/26', 'h1')).toEqual({ claimed: ['192.0.2.0/26'], refused: [] });
    expect(await names('BlockAffinity')).toEqual(['host:h1/192.0.2.0/26', 'host:h2/192.0.2.64/26']);
    expect((await ipam.attributes('192.0.2.0')).handleId).toBe('a');
  });

  test('refuses what is no block of a pool', async () => {
    await store.put(...pool('office', '192.0.2.0/24'));
    await expect(ipam.claimAffinity('192.0.2.0/27', 'h1')).rejects.toThrow(
      '192.0.2.0/27 is smaller than one block (/26)',
    );
    await expect(ipam.claimAffinity('10.0.0.0/24', 'h1')).rejects.toThrow('10.0.0.0/24 lies in no IP pool');
  });
});

describe('utilization()', () => {
  test('counts per pool and block, and names blocks outside all pools', async () => {
    await store.put(...pool('office', '192.0.2.0/24'));
    await store.put(...pool('old', '10.0.0.0/24'));
    await ipam.assignIp({ address: '192.0.2.1', hostname: 'h1' });
    await ipam.assignIp({ address: '10.0.0.1', hostname: 'h1' });
    await store.delete({ kind: 'IPPool', name: 'old' });
    expect(await ipam.utilization()).toEqual([
      {
        name: 'office',
        cidr: '192.0.2.0/24',
        capacity: 256,
        used: 1,
        reserved: 0,
        blocks: [{ cidr: '192.0.2.0/26', affinity: 'host:h1', capacity: 64, used: 1, reserved: 0 }],
      },
      {
        name: 'orphaned allocation blocks',
        cidr: '0.0.0.0/0',
        capacity: 0,
        used: 1,
        reserved: 0,
        blocks: [{ cidr: '10.0.0.0/26', affinity: 'host:h1', capacity: 64, used: 1, reserved: 0 }],
      },
    ]);
  });

  test('counts what is reserved once, and not where somebody holds it', async () => {
    await store.put(...pool('office', '192.0.2.0/24'));
    await reserve('192.0.2.0/30', '192.0.2.2/32', '192.0.2.128/25', '192.0.0.0/30');
    await ipam.assignIp({ address: '192.0.2.1', hostname: 'h1' });
    expect(await ipam.utilization()).toMatchObject([
      { capacity: 256, used: 1, reserved: 3 + 128, blocks: [{ cidr: '192.0.2.0/26', used: 1, reserved: 3 }] },
    ]);
    await reserve('192.0.0.0/16');
    expect(await ipam.utilization()).toMatchObject([{ used: 1, reserved: 255, blocks: [{ reserved: 63 }] }]);
  });
});

describe('many hosts', () => {
  interface Step {
    readonly host: number;
    readonly handle: number;
    readonly count: number;
    readonly do: 'assign' | 'release' | 'leave';
  }

  /** Time passes until the work is done: hosts that lose a race wait a little. */
  async function whileTimePasses<T>(work: Promise<T>): Promise<T> {
    let isDone = false;
    void Promise.allSettled([work]).then(() => {
      isDone = true;
    });
    while (!isDone) await clock.advance(10);
    return work;
  }

  async function history(steps: readonly Step[], width: number): Promise<void> {
    const shared = new MemoryDatastore({ clock });
    await shared.put(...pool('small', '10.0.0.0/27', { blockSize: 29 }));
    const hosts = Array.from({ length: 4 }, () => new Ipam(shared, { clock, random: () => 0.7 }));
    const assigned: string[] = [];
    for (let at = 0; at < steps.length; at += width) {
      const together = Promise.all(
        steps.slice(at, at + width).map(async ({ host, handle, count, do: what }) => {
          const handleId = `w${handle}`;
          const hostIpam = hosts[host] ?? ipam;
          try {
            if (what === 'release') await hostIpam.releaseByHandle(handleId);
            else if (what === 'leave') await hostIpam.releaseHostAffinities(`h${host}`);
            else {
              assigned.push(
                ...(await addresses({ ...workload(handleId), hostname: `h${host}`, ipv4: count }, hostIpam)),
              );
            }
          } catch (error) {
            // Nothing to release is part of the game.
            expect((error as CalicoError).code).toBe('ERR_CALI_IPAM_NO_HANDLE');
          }
        }),
      );
      await whileTimePasses(together);
      await checkInvariants(shared);
    }
  }

  test('keep every block whole and every address single, whatever they do at the same time', async () => {
    const step = fc.record({
      host: fc.nat(3),
      handle: fc.nat(5),
      count: fc.integer({ min: 1, max: 6 }),
      do: fc.constantFrom('assign' as const, 'assign' as const, 'release' as const, 'leave' as const),
    });
    await fc.assert(fc.asyncProperty(fc.array(step, { maxLength: 24 }), fc.integer({ min: 1, max: 8 }), history), {
      numRuns: 60,
    });
    expect.hasAssertions();
  });

  test('never hold one address twice', async () => {
    await store.put(...pool('office', '192.0.2.0/24', { blockSize: 29 }));
    const hosts = Array.from({ length: 10 }, () => new Ipam(store, { clock, random: () => 0 }));
    const requests = hosts.flatMap((host, h) =>
      Array.from({ length: 25 }, (_, i) => addresses(workload(`h${h}-${i}`, { hostname: `h${h}` }), host)),
    );
    const results = await whileTimePasses(Promise.all(requests));
    expect(results.flat()).toHaveLength(250);
    expect(new Set(results.flat().map((text) => text.replace(/\/.*/, ''))).size).toBe(250);
    await checkInvariants(store);
  });
});
