import { describe, expect, test } from 'vitest';
import { checkEtcdConfig, etcdConfigFromEnvironment } from './config.js';

describe('etcdConfigFromEnvironment()', () => {
  test('names no etcd when the environment names none', () => {
    expect(etcdConfigFromEnvironment({ ETCD_ENDPOINTS: ' ' })).toBeUndefined();
  });

  test('reads endpoints, files and credentials; the CALICO_ form wins', () => {
    const config = etcdConfigFromEnvironment({
      ETCD_ENDPOINTS: 'http://192.0.2.1:2379',
      CALICO_ETCD_ENDPOINTS: 'https://192.0.2.10:2379, https://[2001:db8::1]:2379/',
      ETCD_CA_CERT_FILE: '/etc/calico/ca.pem',
      ETCD_CERT_FILE: '/etc/calico/cert.pem',
      ETCD_KEY_FILE: '/etc/calico/key.pem',
      ETCD_USERNAME: 'calico',
      ETCD_PASSWORD: 'secret',
    });
    expect(config).toEqual({
      endpoints: ['https://192.0.2.10:2379', 'https://[2001:db8::1]:2379'],
      caCertFile: '/etc/calico/ca.pem',
      certFile: '/etc/calico/cert.pem',
      keyFile: '/etc/calico/key.pem',
      username: 'calico',
      password: 'secret',
    });
  });

  test('takes a domain in place of endpoints', () => {
    expect(etcdConfigFromEnvironment({ ETCD_DISCOVERY_SRV: 'example.com' })).toEqual({
      endpoints: [],
      discoveryDomain: 'example.com',
    });
  });

  test('takes the older authority and scheme', () => {
    expect(etcdConfigFromEnvironment({ ETCD_AUTHORITY: '127.0.0.1:4001' })?.endpoints).toEqual([
      'http://127.0.0.1:4001',
    ]);
    expect(etcdConfigFromEnvironment({ ETCD_AUTHORITY: 'etcd:2379', ETCD_SCHEME: 'https' })?.endpoints).toEqual([
      'https://etcd:2379',
    ]);
  });

  test.each([
    [{ ETCD_ENDPOINTS: '192.0.2.10:2379' }, '"192.0.2.10:2379" is not an etcd endpoint'],
    [
      { ETCD_ENDPOINTS: 'http://a:pw@192.0.2.10:2379' },
      'the etcd endpoint "http://192.0.2.10:2379" carries a user or a password',
    ],
    [{ ETCD_ENDPOINTS: 'a:pw@192.0.2.10:2379' }, 'the etcd endpoint "192.0.2.10:2379" carries a user or a password'],
    [{ ETCD_ENDPOINTS: 'http://a:p/w@h:1' }, 'the etcd endpoint "http://h:1" carries a user or a password'],
    [{ ETCD_ENDPOINTS: 'http://192.0.2.10:99999' }, 'the etcd endpoint "http://192.0.2.10:99999" has port 99999'],
    [
      { ETCD_ENDPOINTS: 'http://h:1', ETCD_CERT_FILE: 'c' },
      'etcd client certificate and key belong together: one is missing',
    ],
    [
      { ETCD_ENDPOINTS: 'http://h:1', ETCD_USERNAME: 'u' },
      'etcd user name and password belong together: one is missing',
    ],
    [
      { ETCD_DISCOVERY_SRV: 'example.com', ETCD_ENDPOINTS: 'http://h:1' },
      'etcd endpoints and a domain to discover them exclude each other',
    ],
    [{ ETCD_DISCOVERY_SRV: 'http://example.com' }, '"http://example.com" is not a domain'],
  ])('refuses %j', (environment, message) => {
    expect(() => etcdConfigFromEnvironment(environment)).toThrow(message);
  });
});

describe('checkEtcdConfig()', () => {
  test.each([
    [{ caCertFile: 'ca.pem', caCert: 'PEM' }, 'etcd certificates are given as files and inline'],
    [{ cert: 'PEM' }, 'etcd client certificate and key belong together: one is missing'],
  ])('refuses %j', (more, message) => {
    expect(() => checkEtcdConfig({ endpoints: ['http://h:1'], ...more })).toThrow(message);
  });
});
