import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import type { Call } from '../../command.js';
import { dockerRun, dockerSecrets, type HostFacts, nativeEnvironment, shellText } from './container.js';
import { readOldOptions, readRunOptions } from './options.js';

const facts: HostFacts = { hasModules: true, sharesRun: false };
const call = (options: Call['options'] = {}): Call => ({ arguments: [], options });
const store = { ETCD_ENDPOINTS: 'http://192.0.2.10:2379' };

describe('node run', () => {
  test('makes the command that everybody knows', () => {
    const start = readRunOptions(call({ disableDockerNetworking: true }), 'calico-01', store);
    expect(shellText(dockerRun(start, 'detached', facts))).toBe(
      'docker run --net=host --privileged --name=calico-node -d --restart=always ' +
        '-e NODENAME=calico-01 -e CALICO_NETWORKING_BACKEND=bird -e CALICO_MANAGE_CNI=false ' +
        '-e ETCD_ENDPOINTS=http://192.0.2.10:2379 -e ETCD_DISCOVERY_SRV= ' +
        '-v /var/log/calico:/var/log/calico -v /var/run/calico:/var/run/calico -v /var/lib/calico:/var/lib/calico ' +
        '-v /lib/modules:/lib/modules -v /run:/run calico/node:latest',
    );
  });

  test('hands every option on', () => {
    const options = {
      ip: '192.0.2.1/24',
      ip6: 'autodetect',
      as: '1.10',
      name: 'edge',
      ipAutodetectionMethod: 'can-reach=192.0.2.9',
      ip6AutodetectionMethod: 'first-found',
      logDir: '/srv/log',
      nodeImage: 'registry.example/node:1',
      backend: 'none',
      defaultIppools: false,
      felixConfig: '/etc/felix.cfg',
      dockerNetworkingIfprefix: 'eth',
      useDockerNetworkingContainerLabels: true,
    };
    const text = shellText(dockerRun(readRunOptions(call(options), 'calico-01', store), 'init-system', facts));
    for (const part of [
      '--name=calico-node --rm -e NODENAME=edge -e CALICO_NETWORKING_BACKEND=none',
      '-e IP=192.0.2.1/24 -e IP6=autodetect -e AS=65546 -e IP_AUTODETECTION_METHOD=can-reach=192.0.2.9 -e NO_DEFAULT_POOLS=true',
      '-e CALICO_LIBNETWORK_ENABLED=true -e CALICO_LIBNETWORK_IFPREFIX=eth',
      '-e CALICO_LIBNETWORK_CREATE_PROFILES=false -e CALICO_LIBNETWORK_LABEL_ENDPOINTS=true',
      '-v /srv/log:/var/log/calico',
      '-v /run/docker/plugins:/run/docker/plugins -v /var/run/docker.sock:/var/run/docker.sock',
      '-v /etc/felix.cfg:/etc/calico/felix.cfg',
    ]) {
      expect(text).toContain(part);
    }
    expect(text).not.toContain('IP6_AUTODETECTION_METHOD');
    expect(text.endsWith(' registry.example/node:1')).toBe(true);
  });

  test('names files by their whole path, which is theirs in other working directories too', () => {
    const options = { logDir: 'log', felixConfig: 'felix.cfg' };
    const start = readRunOptions(call(options), 'calico-01', { ...store, ETCD_KEY_FILE: 'key.pem' });
    const text = shellText(dockerRun(start, 'detached', facts));
    for (const mount of [
      '/log:/var/log/calico',
      '/felix.cfg:/etc/calico/felix.cfg',
      '/key.pem:/etc/calico/certs/key.pem',
    ])
      expect(text).toContain(`-v ${process.cwd()}${mount}`);
    expect(nativeEnvironment(start)['ETCD_KEY_FILE']).toBe(`${process.cwd()}/key.pem`);
  });

  test('gives certificates their place inside, and never shows a password', () => {
    const secured = {
      ETCD_ENDPOINTS: 'https://192.0.2.10:2379',
      ETCD_CA_CERT_FILE: '/tls/ca.pem',
      ETCD_CERT_FILE: '/tls/cert.pem',
      ETCD_KEY_FILE: '/tls/key.pem',
      CALICO_ETCD_USERNAME: 'calico',
      ETCD_PASSWORD: 'sesame-4711',
    };
    const start = readRunOptions(call(), 'calico-01', secured);
    const text = shellText(dockerRun(start, 'detached', facts));
    expect(text).toContain('-e ETCD_CA_CERT_FILE=/etc/calico/certs/ca_cert.crt');
    expect(text).toContain('-v /tls/key.pem:/etc/calico/certs/key.pem');
    expect(text).toContain('-e ETCD_USERNAME -e ETCD_PASSWORD -v ');
    expect(text).not.toContain('sesame-4711');
    expect(dockerSecrets(start)).toEqual({ ETCD_USERNAME: 'calico', ETCD_PASSWORD: 'sesame-4711' });
    expect(nativeEnvironment(start)).toMatchObject({ ETCD_KEY_FILE: '/tls/key.pem', ETCD_PASSWORD: 'sesame-4711' });
  });

  test('names files by where they are, whatever folder they were named from', () => {
    const here = process.cwd();
    const named = { ...store, ETCD_CA_CERT_FILE: 'tls/ca.pem' };
    const start = readRunOptions(call({ logDir: 'log', felixConfig: './felix.cfg' }), 'calico-01', named);
    const words = dockerRun(start, 'detached', facts);
    expect(words).toContain(`${join(here, 'log')}:/var/log/calico`);
    expect(words).toContain(`${join(here, 'felix.cfg')}:/etc/calico/felix.cfg`);
    expect(words).toContain(`${join(here, 'tls/ca.pem')}:/etc/calico/certs/ca_cert.crt`);
    expect(nativeEnvironment(start)).toMatchObject({ ETCD_CA_CERT_FILE: join(here, 'tls/ca.pem') });
  });

  test.each<readonly [Call['options'], string]>([
    [{ ip: '2001:db8::1' }, 'error executing command: --ip is wrong IP version'],
    [{ ip6: '192.0.2.1' }, 'error executing command: --ip6 is wrong IP version'],
    [{ ip: '192.0.2.300' }, 'error executing command: --ip: "192.0.2.300" is not an IP address'],
    [{ backend: 'gobgp' }, "error executing command: unknown backend 'gobgp'"],
    [{ as: '0' }, 'error executing command: --as: "0" is not an AS number'],
    [
      { runtime: 'none', felixConfig: '/srv/felix.cfg' },
      'error executing command: --felix-config=/srv/felix.cfg goes with a container only',
    ],
    [{ runtime: 'rkt' }, "error executing command: unknown runtime 'rkt'"],
  ])('refuses %j', (options, message) => {
    expect(() => readRunOptions(call(options), 'calico-01', store)).toThrow(message);
  });

  test('starts nodes that use etcd only', () => {
    expect(() => readRunOptions(call(), 'calico-01', { DATASTORE_TYPE: 'kubernetes' })).toThrow(
      'error executing command: unsupported backend specified in config',
    );
  });

  test('refuses keys that stand in the configuration file itself, instead of starting a node without them', () => {
    expect(() => readRunOptions(call(), 'calico-01', { ...store, ETCD_KEY: 'pem' })).toThrow(
      'error executing command: invalid config file: it holds etcdKey, etcdCert or etcdCACert, which no node is given',
    );
  });
});

describe('the old form', () => {
  test('serves Docker only when asked to, and knows the old name of the datastore', () => {
    const old = { ETCD_AUTHORITY: '192.0.2.10:4001', NO_DEFAULT_POOLS: 'true' };
    const plain = shellText(dockerRun(readOldOptions(call(), 'calico-01', old), 'detached', facts));
    expect(plain).toContain('-e ETCD_ENDPOINTS=http://192.0.2.10:4001');
    expect(plain).toContain('-e NO_DEFAULT_POOLS=true');
    expect(plain).not.toContain('LIBNETWORK');
    const networked = shellText(
      dockerRun(readOldOptions(call({ libnetwork: true }), 'calico-01', old), 'detached', {
        ...facts,
        sharesRun: true,
      }),
    );
    expect(networked).toContain('-e CALICO_LIBNETWORK_ENABLED=true');
    expect(networked).toContain('-v /run:/run:rslave -v /run/docker/plugins:/run/docker/plugins');
  });
});

describe('shellText()', () => {
  test('quotes what a shell would take apart', () => {
    expect(shellText(['echo', "it's", 'a b', 'a=b'])).toBe(String.raw`echo 'it'\''s' 'a b' a=b`);
  });
});
