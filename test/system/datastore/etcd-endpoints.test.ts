import { afterEach, describe, expect, test } from 'vitest';
import { pool, poolKey } from '../../../src/datastore/sample-resources.fake.js';
import { EtcdDatastore } from '../../../src/datastore/etcd/etcd-datastore.js';
import { TestAuthority } from '../../setup/certificates.js';
import { TestDns, type Zone } from '../../setup/dns.js';
import { TestEtcd } from '../../setup/etcd.js';

const cleanups: (() => Promise<void>)[] = [];

afterEach(async () => {
  for (const cleanup of cleanups.splice(0).toReversed()) await cleanup();
});

function open(...options: ConstructorParameters<typeof EtcdDatastore>): EtcdDatastore {
  const store = new EtcdDatastore(...options);
  cleanups.push(() => store[Symbol.asyncDispose]());
  return store;
}

async function startEtcd(options: Parameters<typeof TestEtcd.start>[0] = {}): Promise<TestEtcd> {
  const etcd = await TestEtcd.start({ listen: 'tcp', ...options });
  cleanups.push(() => etcd.stop());
  return etcd;
}

async function startDns(zone: Zone): Promise<TestDns> {
  const dns = await TestDns.start(zone);
  cleanups.push(() => dns.stop());
  return dns;
}

const portOf = (etcd: TestEtcd): number => Number(new URL(etcd.endpoint).port);
const DEAD = 'http://127.0.0.1:1';

describe('several endpoints', () => {
  test('writes and reads go on when the first is dead and the second is killed', async () => {
    const [second, third] = [await startEtcd(), await startEtcd()];
    const store = open({ endpoints: [DEAD, second.endpoint, third.endpoint] }, { random: () => 0 });
    // A write that reached nobody is made at the next one.
    await store.put(poolKey('a'), pool('a'));
    const watch = store.watch(['IPPool'], { afterRevision: '1' })[Symbol.asyncIterator]();
    await watch.next();
    await second.kill();
    await watch.return?.(undefined);
    await expect
      .poll(() => store.put(poolKey('b'), pool('b')).then(() => 'written', String), { timeout: 10_000 })
      .toBe('written');
    // Two clusters in truth: so it is seen which one was asked.
    expect((await store.list('IPPool')).items.map(({ key }) => key.name)).toEqual(['b']);
  });

  test('names the last one asked when none answers, each asked once', async () => {
    const store = open({ endpoints: [DEAD, 'http://127.0.0.1:2', 'http://127.0.0.1:3'] }, { random: () => 0 });
    await expect(store.list('IPPool')).rejects.toThrow('etcd at http://127.0.0.1:3: connection refused');
    await expect(store.put(poolKey('a'), pool('a'))).rejects.toMatchObject({ code: 'ERR_CALI_DATASTORE_UNAVAILABLE' });
  });
});

describe('endpoints from DNS', () => {
  const SERVICE = '_etcd-client._tcp.calico.test';

  test('are found by SRV records, and asked for again when the servers move', async () => {
    const [first, second] = [await startEtcd(), await startEtcd()];
    const dns = await startDns({ [SERVICE]: [{ target: 'localhost', port: portOf(first) }] });
    const store = open({ endpoints: [], discoveryDomain: 'calico.test' }, { resolveSrv: dns.resolveSrv });
    expect(store.description).toBe('etcd of calico.test');
    await store.put(poolKey('a'), pool('a'));
    expect(store.description).toBe(`etcd at http://localhost:${portOf(first)}`);
    expect(dns.questions).toEqual(['_etcd-client-ssl._tcp.calico.test', SERVICE]);

    dns.zone[SERVICE] = [{ target: 'localhost', port: portOf(second) }];
    await first.kill();
    await expect
      .poll(() => store.list('IPPool').then(({ items }) => items.length, String), { timeout: 10_000 })
      .toBe(0);
    expect(store.description).toBe(`etcd at http://localhost:${portOf(second)}`);
  });

  test('with TLS are checked by the name that DNS gave', async () => {
    const authority = await TestAuthority.create();
    cleanups.push(() => authority.remove());
    const server = await authority.issue('server', 'DNS:localhost');
    const client = await authority.issue('client');
    const etcd = await startEtcd({ tls: { caFile: authority.caFile, ...server } });
    const zone = { '_etcd-client-ssl._tcp.calico.test': [{ target: 'localhost', port: portOf(etcd) }] };
    const dns = await startDns(zone);
    const config = { endpoints: [], discoveryDomain: 'calico.test', caCertFile: authority.caFile, ...client };
    const store = open(config, { resolveSrv: dns.resolveSrv });
    await expect.poll(() => store.status().then(() => 'there', String), { timeout: 10_000 }).toBe('there');
    // The certificate is for the name alone.
    await expect(
      open({ endpoints: [etcd.endpoint], caCertFile: authority.caFile, ...client }).status(),
    ).rejects.toThrow('its certificate is for another name');
  });

  test('that do not exist are said so', async () => {
    const dns = await startDns({});
    const store = open({ endpoints: [], discoveryDomain: 'calico.test' }, { resolveSrv: dns.resolveSrv });
    await expect(store.list('IPPool')).rejects.toMatchObject({
      code: 'ERR_CALI_DATASTORE_DISCOVERY',
      message: 'DNS names no etcd server of calico.test: there is neither _etcd-client-ssl._tcp nor _etcd-client._tcp',
    });
  });
});
