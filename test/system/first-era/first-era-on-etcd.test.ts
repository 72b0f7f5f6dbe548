import { afterAll, beforeAll } from 'vitest';
import { EtcdDatastore } from '../../../src/datastore/etcd/etcd-datastore.js';
import { describeFirstEra } from '../../../src/cli/first-era/first-era.contract.js';
import { RawEtcd } from '../../setup/etcd-raw.js';
import { TestEtcd } from '../../setup/etcd.js';

let etcd: TestEtcd;
let raw: RawEtcd;
let store: EtcdDatastore;

beforeAll(async () => {
  etcd = await TestEtcd.start();
  raw = new RawEtcd(etcd.config);
  store = new EtcdDatastore(etcd.config);
});

afterAll(async () => {
  raw.close();
  await store[Symbol.asyncDispose]();
  await etcd.stop();
});

describeFirstEra('etcd', async () => {
  await raw.deleteAll();
  return store;
});
