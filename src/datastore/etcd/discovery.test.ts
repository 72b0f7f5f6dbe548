import type { SrvRecord } from 'node:dns';
import { describe, expect, test } from 'vitest';
import { UnavailableError } from '../../base/errors.js';
import { discoverEndpoints, type ResolveSrv } from './discovery.js';
import { Endpoints } from './endpoints.js';

const srv = (name: string, port: number, priority = 0): SrvRecord => ({ name, port, priority, weight: 0 });

function dns(zone: Readonly<Record<string, readonly SrvRecord[] | string>>): ResolveSrv {
  return (name) => {
    const answer = zone[name] ?? 'ENOTFOUND';
    return typeof answer === 'string'
      ? Promise.reject(Object.assign(new Error(`querySrv ${answer} ${name}`), { code: answer }))
      : Promise.resolve(answer);
  };
}

const TLS = '_etcd-client-ssl._tcp.example.com';
const PLAIN = '_etcd-client._tcp.example.com';

const discover = (zone: Parameters<typeof dns>[0], random = () => 0) =>
  discoverEndpoints('example.com', dns(zone), random);

describe('discoverEndpoints()', () => {
  test('takes the servers with TLS, and the others only where there are none', async () => {
    const [a, b] = [srv('a.example.com', 2379), srv('b.example.com.', 2380)];
    expect(await discover({ [TLS]: [a], [PLAIN]: [b] })).toEqual(['https://a.example.com:2379']);
    expect(await discover({ [PLAIN]: [b] })).toEqual(['http://b.example.com:2380']);
    expect(await discover({ [TLS]: [srv('.', 0)], [PLAIN]: [b] })).toEqual(['http://b.example.com:2380']);
    expect(await discover({ [TLS]: 'ENODATA', [PLAIN]: [b] })).toEqual(['http://b.example.com:2380']);
  });

  test('tries lower priorities first, and draws within one', async () => {
    const records = [srv('c', 1, 20), srv('a', 1, 10), srv('b', 1, 10)];
    const draws = [0.1, 0.9, 0.2];
    expect(await discover({ [TLS]: records }, () => draws.shift() ?? 0)).toEqual([
      'https://b:1',
      'https://a:1',
      'https://c:1',
    ]);
  });

  test('says that there are none, or that DNS does not answer', async () => {
    await expect(discover({})).rejects.toThrow(
      'DNS names no etcd server of example.com: there is neither _etcd-client-ssl._tcp nor _etcd-client._tcp',
    );
    const failing = discover({ [TLS]: 'ETIMEOUT', [PLAIN]: [srv('a', 1)] });
    await expect(failing).rejects.toThrow(
      'cannot look up the etcd servers of _etcd-client-ssl._tcp.example.com: ETIMEOUT',
    );
    await expect(failing).rejects.toBeInstanceOf(UnavailableError);
  });
});

describe('Endpoints', () => {
  test('goes round those configured', async () => {
    const endpoints = new Endpoints({ endpoints: ['http://a:1', 'http://b:1'] }, () => 0.5, dns({}));
    await endpoints.ready();
    const seen = [endpoints.current];
    endpoints.leaveCurrent();
    seen.push(endpoints.current);
    expect([...seen, endpoints.count, endpoints.description]).toEqual([
      'http://b:1',
      'http://a:1',
      2,
      'etcd at http://a:1, http://b:1',
    ]);
  });

  test('asks DNS once for all who wait, and anew when no server is left', async () => {
    let questions = 0;
    const resolve: ResolveSrv = () => {
      questions += 1;
      return Promise.resolve([srv(`server-${questions}`, 2379, 0), srv('other', 2379, 1)]);
    };
    const endpoints = new Endpoints({ endpoints: [], discoveryDomain: 'example.com' }, () => 0, resolve);
    expect(endpoints.description).toBe('etcd of example.com');
    await Promise.all([endpoints.ready(), endpoints.ready()]);
    expect([endpoints.current, endpoints.count]).toEqual(['https://server-1:2379', 2]);
    endpoints.leaveCurrent();
    await endpoints.ready();
    expect([endpoints.current, questions]).toEqual(['https://other:2379', 1]);
    endpoints.leaveCurrent();
    await endpoints.ready();
    expect([endpoints.current, questions]).toEqual(['https://server-2:2379', 2]);
  });

  test('asks again after a question that failed', async () => {
    const answers = ['ESERVFAIL', undefined];
    const resolve: ResolveSrv = (name) => dns({ [TLS]: answers.shift() ?? [srv('a', 1)] })(name);
    const endpoints = new Endpoints({ endpoints: [], discoveryDomain: 'example.com' }, () => 0, resolve);
    await expect(endpoints.ready()).rejects.toMatchObject({ code: 'ERR_CALI_DATASTORE_DISCOVERY' });
    await endpoints.ready();
    expect(endpoints.current).toBe('https://a:1');
  });
});
