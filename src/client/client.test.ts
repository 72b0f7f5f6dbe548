import { describe, expect, test } from 'vitest';
import { DEFAULT_POOL_ANNOTATION } from '../api/kinds/ip-pool.js';
import type { ResourceByKind } from '../api/registry.js';
import { ConflictError, NotFoundError, UnsupportedError } from '../base/errors.js';
import { FakeClock } from '../base/clock.fake.js';
import { MemoryDatastore } from '../datastore/memory/memory-datastore.js';
import { Ipam } from '../ipam/ipam.js';
import { Client } from './client.js';

function setUp() {
  const datastore = new MemoryDatastore();
  const notices: string[] = [];
  let uids = 0;
  const clock = new FakeClock();
  const client = new Client(datastore, {
    clock,
    newUid: () => `uid-${(uids += 1)}`,
    notify: (notice) => notices.push(notice),
  });
  return { datastore, client, notices, clock };
}

const head = { apiVersion: 'projectcalico.org/v3' } as const;
const pool = (name: string, cidr: string, annotations?: Record<string, string>): ResourceByKind['IPPool'] => ({
  ...head,
  kind: 'IPPool',
  metadata: { name, ...(annotations === undefined ? {} : { annotations }) },
  spec: { cidr },
});
const policy = (name: string, tier?: string): ResourceByKind['GlobalNetworkPolicy'] => ({
  ...head,
  kind: 'GlobalNetworkPolicy',
  metadata: { name },
  spec: tier === undefined ? {} : { tier },
});
const tier = (name: string): ResourceByKind['Tier'] => ({
  ...head,
  kind: 'Tier',
  metadata: { name },
  spec: { order: 5 },
});
const asDefault = { [DEFAULT_POOL_ANNOTATION]: 'true' };

async function block(datastore: MemoryDatastore, cidr: string, allocations: (number | null)[] = [null]): Promise<void> {
  await datastore.create(
    { kind: 'IPAMBlock', name: cidr },
    { cidr, affinity: 'host:a', allocations, unallocated: [], attributes: [{ handle_id: 'h' }], sequenceNumber: 1n },
  );
  await datastore.create({ kind: 'BlockAffinity', name: `host:a/${cidr}` }, { state: 'confirmed', deleted: false });
}

describe('change()', () => {
  test('reads again when somebody was quicker, and takes labels as they are wanted', async () => {
    const { client, datastore, clock } = setUp();
    await client.create({ ...tier('t'), metadata: { name: 't', labels: { a: '1' } } });
    const update = datastore.update.bind(datastore);
    let tries = 0;
    datastore.update = (key, value, revision, options) => {
      tries += 1;
      return tries === 1
        ? Promise.reject(new ConflictError('ERR', 'somebody was quicker'))
        : update(key, value, revision, options);
    };
    const changing = client.change({ kind: 'Tier', name: 't' }, (resource) => ({
      ...resource,
      metadata: { ...resource.metadata, labels: { b: '2' } },
    }));
    for (let turn = 0; turn < 20; turn += 1) await Promise.resolve();
    await clock.advance(1000);
    expect([tries, (await changing).value.metadata.labels]).toEqual([2, { b: '2' }]);
  });

  test('holds to the revision that the change names', async () => {
    const { client } = setUp();
    await client.create(tier('t'));
    const changing = client.change({ kind: 'Tier', name: 't' }, (resource) => ({
      ...resource,
      metadata: { ...resource.metadata, resourceVersion: '0' },
    }));
    await expect(changing).rejects.toThrow(ConflictError);
  });
});

describe('Client.create()', () => {
  test('fills in uid, creation time and defaults', async () => {
    const { client } = setUp();
    const { value } = await client.create(tier('security'));
    expect(value).toMatchObject({ metadata: { uid: 'uid-1' }, spec: { order: 5, defaultAction: 'Deny' } });
    expect(value.metadata.creationTimestamp).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/);
  });

  test('refuses a revision', async () => {
    const { client } = setUp();
    const wrong = { ...tier('security'), metadata: { name: 'security', resourceVersion: '7' } };
    await expect(client.create(wrong)).rejects.toThrow('metadata.resourceVersion: it must not be set for a create');
  });

  test('refuses a peer with a filter that does not exist, also on update', async () => {
    const { client } = setUp();
    const peer = (filters: string[]): ResourceByKind['BGPPeer'] => ({
      ...head,
      kind: 'BGPPeer',
      metadata: { name: 'rack' },
      spec: { peerIP: '192.0.2.1', asNumber: 64513, filters },
    });
    const missing = 'spec.filters[1]: BGPFilter "none" does not exist';
    await client.create({ ...head, kind: 'BGPFilter', metadata: { name: 'lab' }, spec: {} });
    await expect(client.create(peer(['lab', 'none']))).rejects.toThrow(missing);
    await client.create(peer(['lab']));
    await expect(client.update(peer(['lab', 'none']))).rejects.toThrow(missing);
  });

  test('holds staged policies to the rules of tiers', async () => {
    const { client } = setUp();
    const staged = { ...policy('a', 'security'), kind: 'StagedGlobalNetworkPolicy' } as const;
    await expect(client.create(staged)).rejects.toThrow('spec.tier: tier "security" does not exist');
    await client.create(tier('security'));
    await client.create(staged);
    await expect(client.delete({ kind: 'Tier', name: 'security' })).rejects.toThrow('Cannot delete a non-empty tier');
  });

  test('writes IPAM settings in the layout of IPAM', async () => {
    const { client } = setUp();
    const kind = 'IPAMConfiguration';
    await client.apply({ ...head, kind, metadata: { name: 'default' }, spec: { strictAffinity: true } });
    await client.apply({
      ...head,
      kind,
      metadata: { name: 'default' },
      spec: { strictAffinity: true, maxBlocksPerHost: 3 },
    });
    expect((await client.get({ kind, name: 'default' })).value.spec).toEqual({
      strictAffinity: true,
      autoAllocateBlocks: true,
      maxBlocksPerHost: 3,
    });
    await expect(client.get({ kind, name: 'mine' })).rejects.toThrow(NotFoundError);
  });

  test('refuses a policy of a tier that does not exist', async () => {
    const { client } = setUp();
    await expect(client.create(policy('a', 'nowhere'))).rejects.toThrow('spec.tier: tier "nowhere" does not exist');
    expect((await client.create(policy('a'))).value.metadata.labels).toEqual({ 'projectcalico.org/tier': 'default' });
  });

  test('gives an endpoint the labels of its namespace and orchestrator', async () => {
    const { client } = setUp();
    const { value } = await client.create({
      ...head,
      kind: 'WorkloadEndpoint',
      metadata: { name: 'n1-cni-c-eth0', namespace: 'shop', labels: { app: 'web' } },
      spec: { orchestrator: 'cni', node: 'n1', containerID: 'c', endpoint: 'eth0', interfaceName: 'cali1' },
    });
    expect(value.metadata.labels).toEqual({
      app: 'web',
      'projectcalico.org/namespace': 'shop',
      'projectcalico.org/orchestrator': 'cni',
    });
  });

  test('refuses a pool that overlaps with another', async () => {
    const { client } = setUp();
    await client.create(pool('a', '10.0.0.0/16'));
    await expect(client.create(pool('b', '10.0.128.0/24'))).rejects.toThrow(
      'spec.cidr: "10.0.128.0/24" overlaps with pool "a" (10.0.0.0/16)',
    );
    await expect(client.create(pool('b', '10.0.0.0/16'))).rejects.toMatchObject({
      issues: [{ hint: 'to change the pool that is there, call it by its name: a' }],
    });
  });

  test('refuses a pool over blocks of another size', async () => {
    const { client, datastore } = setUp();
    await block(datastore, '10.0.0.0/28');
    await expect(client.create(pool('b', '10.0.0.0/24'))).rejects.toThrow(
      'spec.blockSize: 26 differs from block 10.0.0.0/28, which an earlier pool left',
    );
  });
});

describe('the default pool', () => {
  test('gives way to an overlapping pool while it has no blocks, and says so', async () => {
    const { client, notices } = setUp();
    await client.create(pool('default-ipv4-ippool', '192.168.0.0/16', asDefault));
    await client.apply(pool('office', '192.168.4.0/24'));
    expect((await client.list('IPPool')).map(({ key }) => key.name)).toEqual(['office']);
    expect(notices).toEqual([
      'default pool "default-ipv4-ippool" (192.168.0.0/16) gave way to pool "office" (192.168.4.0/24): nobody used it yet',
    ]);
  });

  test('is adopted under the same CIDR even with blocks', async () => {
    const { client, datastore, notices } = setUp();
    await client.create(pool('default-ipv4-ippool', '192.168.0.0/16', asDefault));
    await block(datastore, '192.168.0.0/26', [0]);
    const { value } = await client.create(pool('office', '192.168.0.0/16'));
    expect((await client.list('IPPool')).map(({ key }) => key.name)).toEqual(['office']);
    expect(value.metadata.annotations).toBeUndefined();
    expect(notices).toEqual(['default pool "default-ipv4-ippool" (192.168.0.0/16) is now pool "office"']);
  });

  test('stays once it has blocks', async () => {
    const { client, datastore } = setUp();
    await client.create(pool('default-ipv4-ippool', '192.168.0.0/16', asDefault));
    await block(datastore, '192.168.0.0/26');
    await expect(client.create(pool('office', '192.168.4.0/24'))).rejects.toThrow(
      'spec.cidr: "192.168.4.0/24" overlaps with pool "default-ipv4-ippool" (192.168.0.0/16), which is in use',
    );
  });

  test("is somebody's own once they wrote it", async () => {
    const { client } = setUp();
    await client.create(pool('default-ipv4-ippool', '192.168.0.0/16', asDefault));
    const { value } = await client.apply(pool('default-ipv4-ippool', '10.0.0.0/16'));
    expect(value.spec.cidr).toBe('10.0.0.0/16');
    await expect(client.create(pool('office', '10.0.4.0/24'))).rejects.toThrow('overlaps with pool');
  });
});

describe('Client.update()', () => {
  test('keeps identity, merges labels, replaces the spec', async () => {
    const { client } = setUp();
    const created = await client.create({ ...tier('a'), metadata: { name: 'a', labels: { x: '1', y: '1' } } });
    const { value } = await client.update({
      ...tier('a'),
      metadata: { name: 'a', labels: { y: '2' } },
      spec: { order: 7 },
    });
    expect(value.metadata).toEqual({ ...created.value.metadata, labels: { x: '1', y: '2' } });
    expect(value.spec.order).toBe(7);
  });

  test('refuses a stale revision', async () => {
    const { client } = setUp();
    await client.create(tier('a'));
    const stale = { ...tier('a'), metadata: { name: 'a', resourceVersion: '999' } };
    await expect(client.update(stale)).rejects.toBeInstanceOf(ConflictError);
    const odd = { ...tier('a'), metadata: { name: 'a', resourceVersion: 'abc' } };
    await expect(client.update(odd)).rejects.toThrow('metadata.resourceVersion: "abc" is not a revision');
  });

  test('says when there is nothing to update', async () => {
    await expect(setUp().client.update(tier('a'))).rejects.toBeInstanceOf(NotFoundError);
  });

  test("refuses to change a pool's CIDR", async () => {
    const { client } = setUp();
    await client.create(pool('a', '10.0.0.0/16'));
    await expect(client.update(pool('a', '10.1.0.0/16'))).rejects.toThrow(
      'spec.cidr: it cannot change (from 10.0.0.0/16 to 10.1.0.0/16)',
    );
  });

  test('finds a policy under the key that older versions gave it', async () => {
    const { client, datastore } = setUp();
    await datastore.create({ kind: 'GlobalNetworkPolicy', name: 'default.a' }, { ...policy('default.a') });
    await client.update({ ...policy('a'), spec: { order: 3 } });
    expect((await client.list('GlobalNetworkPolicy')).map(({ key, value }) => [key.name, value.spec.order])).toEqual([
      ['default.a', 3],
    ]);
  });
});

describe('Client.delete()', () => {
  test('refuses a tier that is built in or has policies', async () => {
    const { client } = setUp();
    await client.ensureInitialized();
    await client.create(tier('a'));
    await client.create(policy('p', 'a'));
    await expect(client.delete({ kind: 'Tier', name: 'default' })).rejects.toBeInstanceOf(UnsupportedError);
    await expect(client.delete({ kind: 'Tier', name: 'a' })).rejects.toThrow(
      'operation delete is not supported on Tier(a): Cannot delete a non-empty tier',
    );
  });

  test('disables a pool, waits, releases its blocks, then deletes it; addresses in use stay', async () => {
    const { client, datastore, clock } = setUp();
    await client.create(pool('a', '10.0.0.0/16'));
    await block(datastore, '10.0.0.0/26');
    await block(datastore, '10.0.0.64/26', [0, null]);
    await block(datastore, '10.9.0.0/26');
    const deleting = client.delete({ kind: 'IPPool', name: 'a' });
    for (let turn = 0; turn < 20; turn += 1) await Promise.resolve();
    expect((await datastore.get({ kind: 'IPPool', name: 'a' })).value.spec.disabled).toBe(true);
    await clock.advance(500);
    await deleting;
    expect(await client.list('IPPool')).toEqual([]);
    expect((await datastore.list('BlockAffinity')).items.map(({ key }) => key.name)).toEqual(['host:a/10.9.0.0/26']);
    const blocks = (await datastore.list('IPAMBlock')).items;
    expect(blocks.map(({ key, value }) => [key.name, value.affinity])).toEqual([
      ['10.0.0.64/26', undefined],
      ['10.9.0.0/26', 'host:a'],
    ]);
  });

  test("releases a node's addresses and blocks with it", async () => {
    const { client, datastore } = setUp();
    await client.create(pool('a', '10.0.0.0/24'));
    await client.create({ ...head, kind: 'Node', metadata: { name: 'n1' }, spec: {} });
    const ipam = new Ipam(datastore);
    await ipam.autoAssign({ hostname: 'n1', ipv4: 1, use: 'Tunnel', handleId: 'ipip-tunnel-addr-n1' });
    const { ipv4 } = await ipam.autoAssign({ hostname: 'n1', ipv4: 1, use: 'Workload', handleId: 'net.c' });
    await client.create({
      ...head,
      kind: 'WorkloadEndpoint',
      metadata: { name: 'n1-cni-c-eth0', namespace: 'shop' },
      spec: {
        orchestrator: 'cni',
        node: 'n1',
        containerID: 'c',
        endpoint: 'eth0',
        interfaceName: 'cali1',
        ipNetworks: ipv4.addresses.map((address) => `${address.replace(/\/.*$/, '')}/32`),
      },
    });
    await client.delete({ kind: 'Node', name: 'n1' });
    const kinds = ['Node', 'WorkloadEndpoint', 'IPAMBlock', 'IPAMHandle', 'BlockAffinity'] as const;
    const left = await Promise.all(kinds.map(async (kind) => (await datastore.list(kind)).items.length));
    expect(left).toEqual([0, 0, 0, 0, 0]);
  });

  test('leaves addresses of a node to those who got them since', async () => {
    const { client, datastore } = setUp();
    await client.create(pool('a', '10.0.0.0/24'));
    await client.create({ ...head, kind: 'Node', metadata: { name: 'n1' }, spec: {} });
    const ipam = new Ipam(datastore);
    await ipam.assignIp({ address: '10.0.0.1', hostname: 'n2', handleId: 'new', attributes: { node: 'n2' } });
    await ipam.assignIp({ address: '10.0.0.2', hostname: 'n1', handleId: 'old', attributes: { node: 'n1' } });
    const identity = { orchestrator: 'cni', node: 'n1', containerID: 'c', endpoint: 'eth0', interfaceName: 'cali1' };
    await client.create({
      ...head,
      kind: 'WorkloadEndpoint',
      metadata: { name: 'n1-cni-c-eth0', namespace: 'shop' },
      spec: { ...identity, ipNetworks: ['10.0.0.1/32', '10.0.0.2/32', '10.0.0.3/32'] },
    });
    await client.delete({ kind: 'Node', name: 'n1' });
    expect((await ipam.attributes('10.0.0.1')).handleId).toBe('new');
    await expect(ipam.attributes('10.0.0.2')).rejects.toThrow('10.0.0.2 is not assigned');
    expect(await client.list('WorkloadEndpoint')).toEqual([]);
  });

  test("deletes a node's endpoints, peers and configurations with it", async () => {
    const { client } = setUp();
    await client.create({ ...head, kind: 'Node', metadata: { name: 'n1' }, spec: {} });
    await client.create({
      ...head,
      kind: 'BGPPeer',
      metadata: { name: 'p' },
      spec: { node: 'n1', peerIP: '192.0.2.1', asNumber: 1 },
    });
    await client.create({
      ...head,
      kind: 'FelixConfiguration',
      metadata: { name: 'node.n1' },
      spec: {},
    });
    await client.create({ ...head, kind: 'BGPConfiguration', metadata: { name: 'node.n1' }, spec: {} });
    for (const node of ['n1', 'n2']) {
      const spec = { node, interfaceName: '*' };
      await client.create({ ...head, kind: 'HostEndpoint', metadata: { name: `${node}-all` }, spec });
    }
    await client.delete({ kind: 'Node', name: 'n1' });
    const left = await Promise.all(
      (['Node', 'BGPPeer', 'FelixConfiguration', 'BGPConfiguration'] as const).map((kind) => client.list(kind)),
    );
    expect(left).toEqual([[], [], [], []]);
    expect((await client.list('HostEndpoint')).map(({ key }) => key.name)).toEqual(['n2-all']);
  });
});

describe('Client.ensureInitialized()', () => {
  test('creates identity and tiers once, and merges the cluster type', async () => {
    const { client } = setUp();
    await client.ensureInitialized({ clusterType: 'bgp', version: 'v0.1.0' });
    const [first] = await client.list('ClusterInformation');
    await client.ensureInitialized({ clusterType: 'k8s,bgp' });
    const [second] = await client.list('ClusterInformation');
    expect(second?.value.spec).toEqual({ ...first?.value.spec, clusterType: 'bgp,k8s' });
    expect(second?.value.spec).toMatchObject({ datastoreReady: true, calicoVersion: 'v0.1.0' });
    expect((await client.list('Tier')).map(({ key }) => key.name)).toEqual(['default', 'kube-admin', 'kube-baseline']);
  });

  test('leaves the version of a cluster that another implementation made', async () => {
    const { client } = setUp();
    await client.ensureInitialized({ version: 'v3.31.7' });
    await client.ensureInitialized({ version: 'v0.1.0' });
    const [stored] = await client.list('ClusterInformation');
    expect(stored?.value.spec.calicoVersion).toBe('v3.31.7');
  });
});
