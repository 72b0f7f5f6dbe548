import { setTimeout as sleepMs } from 'node:timers/promises';
import { afterAll, beforeAll } from 'vitest';
import { describeDatastore } from '../../../src/datastore/datastore.contract.js';
import { EtcdDatastore } from '../../../src/datastore/etcd/etcd-datastore.js';
import { RawEtcd } from '../../setup/etcd-raw.js';
import { TestEtcd } from '../../setup/etcd.js';

for (const listen of ['unix', 'tcp'] as const) {
  let etcd: TestEtcd;
  beforeAll(async () => {
    etcd = await TestEtcd.start({ listen });
  });
  afterAll(() => etcd.stop());

  describeDatastore(`etcd over ${listen}`, async () => {
    const raw = new RawEtcd(etcd.config);
    await raw.deleteAll();
    const datastore = new EtcdDatastore(etcd.config);
    const slow = new EtcdDatastore(etcd.config, { watchBufferEvents: 10 });
    return {
      datastore,
      putRaw: (path, text) => raw.put(path, text),
      compact: async () => datastore.compact((await datastore.list('Tier')).revision),
      pass: (seconds) => sleepMs(seconds * 1_000),
      openSlowReader: () => Promise.resolve(slow),
      stop: async () => {
        await datastore[Symbol.asyncDispose]();
        await slow[Symbol.asyncDispose]();
        raw.close();
      },
    };
  });
}
