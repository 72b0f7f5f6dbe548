import { setTimeout as sleepMs } from 'node:timers/promises';
import { afterEach, describe, expect, test } from 'vitest';
import { pool, poolKey } from '../../../src/datastore/sample-resources.fake.js';
import { EtcdDatastore } from '../../../src/datastore/etcd/etcd-datastore.js';
import { TestAuthority } from '../../setup/certificates.js';
import { TestEtcd } from '../../setup/etcd.js';

const cleanups: (() => Promise<void>)[] = [];

afterEach(async () => {
  for (const cleanup of cleanups.splice(0).toReversed()) await cleanup();
});

function open(config: ConstructorParameters<typeof EtcdDatastore>[0]): EtcdDatastore {
  const store = new EtcdDatastore(config);
  cleanups.push(() => store[Symbol.asyncDispose]());
  return store;
}

async function startEtcd(options: Parameters<typeof TestEtcd.start>[0]): Promise<TestEtcd> {
  const etcd = await TestEtcd.start(options);
  cleanups.push(() => etcd.stop());
  return etcd;
}

async function createAuthority(): Promise<TestAuthority> {
  const authority = await TestAuthority.create();
  cleanups.push(() => authority.remove());
  return authority;
}

/** The JSON gateway, for what our client never does: administer users. */
async function administer(etcd: TestEtcd, path: string, body: object): Promise<void> {
  const response = await fetch(`${etcd.endpoint}/v3/auth/${path}`, {
    method: 'POST',
    headers: { connection: 'close' },
    body: JSON.stringify(body),
  });
  if (!response.ok) throw new Error(`${path}: ${await response.text()}`);
}

const base64 = (text: string): string => Buffer.from(text).toString('base64');

describe('etcd with TLS', () => {
  test('serves a client whose certificate it trusts, and names what is wrong with others', async () => {
    const authority = await createAuthority();
    const server = await authority.issue('server');
    const client = await authority.issue('client');
    const etcd = await startEtcd({ listen: 'tcp', tls: { caFile: authority.caFile, ...server } });
    const config = { ...etcd.config, caCertFile: authority.caFile, ...client };
    await etcd.waitUntilServing(config);

    const store = open(config);
    const created = await store.create(poolKey('a'), pool('a'));
    expect(await store.get(poolKey('a'))).toEqual(created);

    const other = await createAuthority();
    await expect(open({ ...config, caCertFile: other.caFile }).status()).rejects.toThrow(
      `etcd at ${etcd.endpoint}: its certificate is signed by an authority this host does not trust`,
    );
    await expect(open({ ...etcd.config, caCertFile: authority.caFile }).status()).rejects.toMatchObject({
      code: 'ERR_CALI_DATASTORE_UNAVAILABLE',
    });
    const plain = etcd.endpoint.replace('https', 'http');
    await expect(open({ endpoints: [plain] }).status()).rejects.toMatchObject({
      code: 'ERR_CALI_DATASTORE_UNAVAILABLE',
    });
    await expect(open({ ...config, caCertFile: '/nonexistent/ca.pem' }).status()).rejects.toThrow(
      'cannot read the CA certificate "/nonexistent/ca.pem": ENOENT',
    );
  });
});

describe('etcd with users', () => {
  test('takes user name and password, renews tokens, and refuses others in words', async () => {
    const etcd = await startEtcd({ listen: 'tcp', moreArguments: ['--auth-token-ttl=2'] });
    await administer(etcd, 'user/add', { name: 'root', password: 'rootpw' });
    await administer(etcd, 'user/grant', { user: 'root', role: 'root' });
    await administer(etcd, 'role/add', { name: 'calico' });
    const perm = { permType: 2, key: base64('/calico/'), range_end: base64('/calico0') };
    await administer(etcd, 'role/grant', { name: 'calico', perm });
    await administer(etcd, 'user/add', { name: 'calico', password: 'secret' });
    await administer(etcd, 'user/grant', { user: 'calico', role: 'calico' });
    await administer(etcd, 'enable', {});

    const store = open({ ...etcd.config, username: 'calico', password: 'secret' });
    const { revision } = await store.create(poolKey('a'), pool('a'));
    expect((await store.list('IPPool')).items).toHaveLength(1);

    // Longer than a token lives that nobody uses.
    await sleepMs(3_500);
    expect((await store.list('IPPool')).items).toHaveLength(1);

    // The token dies with the server's memory of it.
    await etcd.kill();
    await etcd.startAgain({ wait: false });
    await expect
      .poll(() => store.get(poolKey('a')).then((stored) => stored.revision, String), { timeout: 10_000 })
      .toBe(revision);
    const watch = store.watch(['IPPool'], { afterRevision: revision })[Symbol.asyncIterator]();
    expect((await watch.next()).value).toMatchObject({ events: [] });
    await watch.return?.(undefined);

    await expect(open({ ...etcd.config, username: 'calico', password: 'wrong' }).list('IPPool')).rejects.toThrow(
      `etcd at ${etcd.endpoint} refuses: authentication failed, invalid user ID or password`,
    );
    await expect(open(etcd.config).list('IPPool')).rejects.toMatchObject({ code: 'ERR_CALI_DATASTORE_UNAUTHORIZED' });
  });
});
