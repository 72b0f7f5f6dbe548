import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { ResourceByKind } from '../../../src/api/registry.js';
import { EtcdDatastore } from '../../../src/datastore/etcd/etcd-datastore.js';
import { Ipam } from '../../../src/ipam/ipam.js';
import { RawEtcd } from '../../setup/etcd-raw.js';
import { TestEtcd } from '../../setup/etcd.js';

const pool: ResourceByKind['IPPool'] = {
  apiVersion: 'projectcalico.org/v3',
  kind: 'IPPool',
  metadata: { name: 'office' },
  spec: { cidr: '192.0.2.0/26', blockSize: 29 },
};

describe('IPAM on etcd', () => {
  let etcd: TestEtcd;
  let raw: RawEtcd;
  let store: EtcdDatastore;

  beforeAll(async () => {
    etcd = await TestEtcd.start();
    raw = new RawEtcd(etcd.config);
    store = new EtcdDatastore(etcd.config);
    await store.put({ kind: 'IPPool', name: 'office' }, pool);
  });

  afterAll(async () => {
    raw.close();
    await store[Symbol.asyncDispose]();
    await etcd.stop();
  });

  test('stores blocks, affinities and handles in the form that other tools read', async () => {
    const ipam = new Ipam(store);
    await ipam.assignIp({ address: '192.0.2.2', hostname: 'h1', handleId: 'a', attributes: { pod: 'web' } });
    const text = (await raw.get('/calico/ipam/v2/assignment/ipv4/block/192.0.2.0-29')) ?? '';
    expect(text).toMatch(
      /^\{"cidr":"192\.0\.2\.0\/29","affinity":"host:h1","affinity_claim_time":"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ","allocations":\[null,null,0,null,null,null,null,null\],"unallocated":\[0,1,3,4,5,6,7\],"attributes":\[\{"handle_id":"a","secondary":\{"pod":"web"\}\}\],"sequenceNumber":\d{19},"sequenceNumberForAllocation":\{"2":\d{19}\},"deleted":false\}$/,
    );
    expect(JSON.parse((await raw.get('/calico/ipam/v2/host/h1/ipv4/block/192.0.2.0-29')) ?? '')).toEqual({
      state: 'confirmed',
      deleted: false,
    });
    expect(JSON.parse((await raw.get('/calico/ipam/v2/handle/a')) ?? '')).toEqual({
      block: { '192.0.2.0/29': 1 },
      deleted: false,
    });
    await ipam.releaseByHandle('a');
    expect(await raw.get('/calico/ipam/v2/handle/a')).toBeUndefined();
  });

  test('gives ten hosts that want everything at once each address once, and takes all back', async () => {
    const stores = Array.from({ length: 10 }, () => new EtcdDatastore(etcd.config));
    const ipams = stores.map((each) => new Ipam(each));
    try {
      const results = await Promise.all(
        ipams.flatMap((ipam, host) =>
          Array.from({ length: 8 }, (_, i) =>
            ipam.autoAssign({ ipv4: 1, hostname: `h${host}`, use: 'Workload', handleId: `w${host}-${i}` }),
          ),
        ),
      );
      const addresses = results.flatMap(({ ipv4 }) => ipv4.addresses);
      expect(addresses).toHaveLength(64);
      expect(new Set(addresses).size).toBe(64);
      const held = (await store.list('IPAMHandle')).items.map(({ key }) => key.name);
      expect(held).toHaveLength(64);
      await Promise.all(held.map((handle, i) => (ipams[i % ipams.length] ?? new Ipam(store)).releaseByHandle(handle)));
      expect((await store.list('IPAMHandle')).items).toEqual([]);
      expect((await new Ipam(store).utilization()).map(({ used }) => used)).toEqual([0]);
    } finally {
      for (const each of stores) await each[Symbol.asyncDispose]();
    }
  });
});
