import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { IPAMBlock } from '../api/kinds/ipam-block.js';
import type { Kind, ResourceByKind } from '../api/registry.js';
import type { ResourceKey } from '../api/resource-update.js';
import { FakeClock } from '../base/clock.fake.js';
import { MemoryDatastore } from '../datastore/memory/memory-datastore.js';
import { checkIpam, type Problem, type ProblemType } from './check.js';
import { readSnapshot } from './check-snapshot.js';
import { Ipam } from './ipam.js';

function put<K extends Kind>(store: MemoryDatastore, key: ResourceKey<K>, spec: object) {
  const { kind, ...metadata } = key;
  const value = { apiVersion: 'projectcalico.org/v3', kind, metadata, spec } as unknown;
  return store.put<K>(key, value as ResourceByKind[K]);
}

function endpoint(store: MemoryDatastore, name: string, node: string, addresses: readonly string[]) {
  const spec = {
    node,
    orchestrator: 'cni',
    containerID: name,
    endpoint: 'eth0',
    interfaceName: `cali${name}`,
    ipNetworks: addresses.map((address) => (address.includes(':') ? `${address}/128` : `${address}/32`)),
  };
  return put(store, { kind: 'WorkloadEndpoint', namespace: 'shop', name }, spec);
}

interface Step {
  readonly host: number;
  readonly workload: number;
  readonly do: 'attach' | 'detach';
}

const step = fc.record({
  host: fc.integer({ min: 0, max: 3 }),
  workload: fc.integer({ min: 0, max: 9 }),
  do: fc.constantFrom('attach' as const, 'detach' as const),
});

/** A cluster after some life: four hosts with a tunnel address each, workloads that came and went. */
async function cluster(steps: readonly Step[]) {
  const store = new MemoryDatastore();
  const ipam = new Ipam(store, { clock: new FakeClock(), random: () => 0.5 });
  await put(store, { kind: 'IPPool', name: 'office' }, { cidr: '192.0.2.0/25', blockSize: 29 });
  await put(store, { kind: 'IPPool', name: 'six' }, { cidr: '2001:db8::/64' });
  for (let host = 0; host < 4; host += 1) {
    const hostname = `h${host}`;
    const attributes = { node: hostname, type: 'vxlanTunnelAddress' };
    const handleId = `vxlan-tunnel-addr-${hostname}`;
    const { ipv4 } = await ipam.autoAssign({ ipv4: 1, hostname, use: 'Tunnel', handleId, attributes });
    await put(store, { kind: 'Node', name: hostname }, { ipv4VXLANTunnelAddr: ipv4.addresses[0]?.replace(/\/.*/, '') });
  }
  const attached = new Set<string>();
  for (const { host, workload, do: what } of steps) {
    const name = `w${host}x${workload}`;
    if (what === 'attach' && !attached.has(name)) {
      const hostname = `h${host}`;
      const attributes = { node: hostname, namespace: 'shop', pod: name };
      await ipam.autoAssign({ ipv4: 1, ipv6: 1, hostname, use: 'Workload', handleId: name, attributes });
      await endpoint(store, name, hostname, await ipam.addressesByHandle(name));
      attached.add(name);
    } else if (what === 'detach' && attached.delete(name)) {
      await store.delete({ kind: 'WorkloadEndpoint', namespace: 'shop', name });
      await ipam.releaseByHandle(name);
    }
  }
  return store;
}

async function problemsOf(store: MemoryDatastore): Promise<readonly Problem[]> {
  return checkIpam(await readSnapshot(store)).problems;
}

async function edit(store: MemoryDatastore, change: (block: IPAMBlock) => IPAMBlock): Promise<string> {
  const [block] = (await store.list('IPAMBlock')).items;
  if (block === undefined) throw new Error('no block');
  await store.put(block.key, change(block.value));
  return block.key.name;
}

async function firstEndpoint(store: MemoryDatastore) {
  const [first] = (await store.list('WorkloadEndpoint')).items;
  if (first === undefined) throw new Error('no endpoint');
  return first;
}

/** What one can do to a cluster, and what of it must be found at least. */
const DAMAGE: Record<
  string,
  { readonly finds: readonly ProblemType[]; do: (store: MemoryDatastore) => Promise<unknown> }
> = {
  'a workload that goes without giving its addresses back': {
    finds: ['leaked'],
    do: async (store) => store.delete((await firstEndpoint(store)).key),
  },
  'a node that goes without giving its blocks and its tunnel address back': {
    finds: ['leaked', 'block-of-missing-node'],
    do: (store) => store.delete({ kind: 'Node', name: 'h0' }),
  },
  'an address that is freed while somebody uses it': {
    finds: ['not-allocated', 'handle-without-addresses'],
    do: (store) =>
      edit(store, (block) => {
        const ordinal = block.allocations.findIndex((index) => index !== null);
        const allocations = block.allocations.with(ordinal, null);
        return { ...block, allocations, unallocated: [...block.unallocated, ordinal] };
      }),
  },
  'two workloads with one address': {
    finds: ['used-twice'],
    do: async (store) => {
      const addresses = (await firstEndpoint(store)).value.spec.ipNetworks ?? [];
      await endpoint(store, 'twin', 'h3', [addresses[0]?.replace(/\/.*/, '') ?? '']);
    },
  },
  'a lost handle': {
    finds: ['handle-missing'],
    do: (store) => store.delete({ kind: 'IPAMHandle', name: 'vxlan-tunnel-addr-h1' }),
  },
  'a handle without addresses': {
    finds: ['handle-without-addresses'],
    do: (store) => store.put({ kind: 'IPAMHandle', name: 'ghost' }, { block: { '192.0.2.0/29': 1 } }),
  },
  'a lost block': {
    finds: ['affinity-without-block', 'not-allocated'],
    do: async (store) => {
      const blocks = (await store.list('IPAMBlock')).items;
      const used = blocks.find(({ value }) => value.allocations.some((index) => index !== null));
      if (used !== undefined) await store.delete(used.key);
    },
  },
  'a lost affinity': {
    finds: ['block-without-affinity'],
    do: async (store) => {
      const [first] = (await store.list('BlockAffinity')).items;
      if (first !== undefined) await store.delete(first.key);
    },
  },
  'an affinity to the block of another host': {
    finds: ['affinity-contradicts'],
    do: async (store) => {
      const block = await edit(store, (same) => same);
      await store.put({ kind: 'BlockAffinity', name: `host:other/${block}` }, { state: 'confirmed' });
    },
  },
  'a claim that broke off': {
    finds: ['affinity-unfinished'],
    do: async (store) => {
      const [first] = (await store.list('BlockAffinity')).items;
      if (first !== undefined) await store.put(first.key, { state: 'pending' });
    },
  },
  'a pool that goes while its blocks are used': {
    finds: ['block-outside-pools'],
    do: (store) => store.delete({ kind: 'IPPool', name: 'office' }),
  },
  'a free address that nobody will ever be given': {
    finds: ['block-damaged'],
    do: (store) => edit(store, (block) => ({ ...block, unallocated: block.unallocated.slice(1) })),
  },
  'a block within a block': {
    finds: ['blocks-overlap', 'allocated-twice', 'block-without-affinity'],
    do: async (store) => {
      const block = await edit(store, (same) => same);
      const [address = ''] = block.split('/');
      const ordinal = (await store.get({ kind: 'IPAMBlock', name: block })).value.allocations.findIndex(
        (i) => i !== null,
      );
      const cidr = `${address.replace(/\d+$/, (last) => String(Number(last) + ordinal))}/32`;
      const inner: IPAMBlock = { cidr, affinity: 'host:h1', allocations: [0], unallocated: [], attributes: [{}] };
      await store.put({ kind: 'IPAMBlock', name: cidr }, inner);
    },
  },
};

describe('checkIpam()', () => {
  test('finds nothing in a cluster that nobody damaged, whatever its history', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 30 }), async (steps) => {
        expect(await problemsOf(await cluster(steps))).toEqual([]);
      }),
      { numRuns: 40 },
    );
  });

  test.each(Object.entries(DAMAGE))('finds %s', async (_, { finds, do: damage }) => {
    const attach = { host: 1, workload: 1, do: 'attach' as const };
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 12 }), async (steps) => {
        // The last two make sure that somebody is there.
        const store = await cluster([...steps, attach, { ...attach, workload: 2 }]);
        await damage(store);
        const types = (await problemsOf(store)).map(({ type }) => type);
        expect(types).toEqual(expect.arrayContaining([...finds]));
      }),
      { numRuns: 10 },
    );
  });

  test('says what is wrong in words that name everything needed to mend it', async () => {
    const store = await cluster([{ host: 2, workload: 5, do: 'attach' }]);
    const [v4, v6] = (await firstEndpoint(store)).value.spec.ipNetworks?.map((text) => text.replace(/\/.*/, '')) ?? [];
    await store.delete((await firstEndpoint(store)).key);
    expect(await problemsOf(store)).toEqual([
      {
        type: 'leaked',
        subject: v4,
        text: `${v4} is allocated but not in use: handle "w2x5" (namespace: shop, node: h2, pod: w2x5)`,
      },
      expect.objectContaining({ type: 'leaked', subject: v6 }),
    ]);
  });

  test('leaves alone what needs no workload, cools down or lies outside all pools', async () => {
    const store = await cluster([]);
    const ipam = new Ipam(store);
    await ipam
      .autoAssign({ ipv4: 1, hostname: '', use: 'LoadBalancer', handleId: 'lb-1', ipv4Pools: [] })
      .catch(() => 0);
    await put(store, { kind: 'IPPool', name: 'lb' }, { cidr: '198.51.100.0/24', allowedUses: ['LoadBalancer'] });
    await ipam.autoAssign({ ipv4: 1, hostname: '', use: 'LoadBalancer', handleId: 'lb-1' });
    await endpoint(store, 'own', 'h1', ['203.0.113.7']);
    const settings = { ipCooldownSeconds: 600 };
    await put(store, { kind: 'IPAMConfiguration', name: 'default' }, settings);
    await ipam.assignIp({ address: '192.0.2.100', hostname: 'h1', handleId: 'short' });
    await ipam.releaseByHandle('short');
    const result = checkIpam(await readSnapshot(store));
    expect(result.problems).toEqual([]);
    expect(result.outsidePools.map(({ address }) => address)).toEqual(['203.0.113.7']);
  });

  test('takes handles that count too much for what they are: left by a crash, and harmless', async () => {
    const store = await cluster([]);
    const { key, value } = await store.get({ kind: 'IPAMHandle', name: 'vxlan-tunnel-addr-h1' });
    const [first] = Object.entries(value.block);
    const [block, count] = first ?? ['', 0];
    await store.put(key, { block: { [block]: count + 3, '192.0.2.64/29': 1 } });
    expect(await problemsOf(store)).toEqual([]);
    await store.put(key, { block: {} });
    expect((await problemsOf(store)).map(({ text }) => text)).toEqual([
      `handle "vxlan-tunnel-addr-h1" holds 1 addresses of block ${block} and counts 0`,
    ]);
  });
});
