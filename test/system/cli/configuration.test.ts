import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { EtcdDatastore } from '../../../src/datastore/etcd/etcd-datastore.js';
import { runProgram } from '../../setup/calicoctl.js';
import { TestAuthority } from '../../setup/certificates.js';
import { TestEtcd } from '../../setup/etcd.js';

let etcd: TestEtcd;
let directory: string;

beforeAll(async () => {
  etcd = await TestEtcd.start({ listen: 'tcp' });
  directory = await mkdtemp(join(tmpdir(), 'calico-cli-config-'));
});

afterAll(async () => {
  await etcd.stop();
  await rm(directory, { recursive: true, force: true });
});

const NOWHERE = 'http://127.0.0.1:1';
const TABLE = 'NAME   ORDER\n\n';

async function file(spec: object, name = 'calicoctl.cfg'): Promise<string> {
  const path = join(directory, name);
  const config = { apiVersion: 'projectcalico.org/v3', kind: 'CalicoAPIConfig', metadata: {}, spec };
  await writeFile(path, JSON.stringify(config));
  return path;
}

const get = (environment: Record<string, string>, ...words: string[]) =>
  runProgram(['get', 'tier', ...words], { environment });

describe('the environment', () => {
  test.each([
    ['ETCD_ENDPOINTS', () => ({ ETCD_ENDPOINTS: etcd.endpoint })],
    ['CALICO_ETCD_ENDPOINTS, which wins', () => ({ CALICO_ETCD_ENDPOINTS: etcd.endpoint, ETCD_ENDPOINTS: NOWHERE })],
    ['several endpoints, one of them away', () => ({ ETCD_ENDPOINTS: `${NOWHERE},${etcd.endpoint}` })],
    ['ETCD_AUTHORITY of the first era', () => ({ ETCD_AUTHORITY: etcd.endpoint.replace('http://', '') })],
    [
      'ETCD_AUTHORITY with ETCD_SCHEME',
      () => ({ ETCD_AUTHORITY: etcd.endpoint.replace('http://', ''), ETCD_SCHEME: 'http' }),
    ],
    ['DATASTORE_TYPE', () => ({ DATASTORE_TYPE: 'etcdv3', ETCD_ENDPOINTS: etcd.endpoint })],
  ])('says where etcd is: %s', async (_, environment) => {
    expect(await get(environment())).toEqual({ status: 0, stdout: TABLE, stderr: '' });
  });

  test.each([
    [{ DATASTORE_TYPE: 'kubernetes' }, 'datastore type "kubernetes" is not supported'],
    [{ CALICO_DATASTORE_TYPE: 'kubernetes', DATASTORE_TYPE: 'etcdv3' }, 'datastore type "kubernetes" is not supported'],
    [{ ETCD_ENDPOINTS: 'nonsense' }, '"nonsense" is not an etcd endpoint'],
    [
      { ETCD_ENDPOINTS: NOWHERE, ETCD_KEY_FILE: '/k' },
      'etcd client certificate and key belong together: one is missing',
    ],
    [
      { ETCD_ENDPOINTS: 'https://127.0.0.1:1', ETCD_CA_CERT_FILE: '/nowhere.pem' },
      'cannot read the CA certificate "/nowhere.pem": ENOENT',
    ],
  ])('is refused when it cannot be meant: %j', async (environment, message) => {
    const { status, stderr } = await get(environment);
    expect([status, stderr.split('\n')[0]]).toEqual([1, `Failed to create Calico API client: ${message}`]);
  });
});

describe('the configuration file', () => {
  test('wins over the environment, and silences it', async () => {
    const config = await file({ etcdEndpoints: etcd.endpoint });
    const environment = { ETCD_ENDPOINTS: NOWHERE, ETCD_USERNAME: 'nobody', DATASTORE_TYPE: 'kubernetes' };
    expect(await get(environment, '--config', config)).toMatchObject({ status: 0, stdout: TABLE });
    expect(await runProgram(['-c', config, 'get', 'tier'], { environment })).toMatchObject({ status: 0 });
  });

  test('is refused by line and field', async () => {
    const config = join(directory, 'wrong.cfg');
    const text = 'apiVersion: projectcalico.org/v3\nkind: CalicoAPIConfig\nspec:\n  etcdEndpont: x\n';
    await writeFile(config, text);
    expect(await get({}, '-c', config)).toEqual({
      status: 1,
      stdout: '',
      stderr:
        `invalid config file: ${config}:4:3: spec.etcdEndpont: field in document is not recognized or is in the wrong location: etcdEndpont\n` +
        '  hint: did you mean "etcdEndpoints"?\n',
    });
    await writeFile(config, text.replace('CalicoAPIConfig', 'Node'));
    expect((await get({}, '-c', config)).stderr).toBe(
      "invalid config file: expected kind 'CalicoAPIConfig', got 'Node'\n",
    );
    await writeFile(config, text.replace('v3', 'v1'));
    expect((await get({}, '-c', config)).stderr).toBe(
      "invalid config file: unknown APIVersion 'projectcalico.org/v1'\n",
    );
    expect((await get({}, '-c', `${config}.none`)).stderr).toBe(`Error reading config file: ${config}.none\n`);
  });

  test('names certificates by file, or holds them itself', async () => {
    const authority = await TestAuthority.create();
    const secured = await (async () => {
      const server = await authority.issue('server');
      return TestEtcd.start({ listen: 'tcp', tls: { caFile: authority.caFile, ...server } });
    })();
    try {
      const { certFile, keyFile } = await authority.issue('client');
      await secured.waitUntilServing({ ...secured.config, caCertFile: authority.caFile, certFile, keyFile });
      const etcdEndpoints = secured.endpoint;
      const files = { etcdCACertFile: authority.caFile, etcdCertFile: certFile, etcdKeyFile: keyFile };
      const [etcdCACert, etcdCert, etcdKey] = await Promise.all(
        [authority.caFile, certFile, keyFile].map((path) => readFile(path, 'utf8')),
      );
      const inline = { etcdCACert, etcdCert, etcdKey };
      expect(await get({}, '-c', await file({ etcdEndpoints, ...files }))).toMatchObject({ status: 0, stdout: TABLE });
      expect(await get({}, '-c', await file({ etcdEndpoints, ...inline }))).toMatchObject({ status: 0, stdout: TABLE });
      const both = await get({}, '-c', await file({ etcdEndpoints, ...files, ...inline }));
      expect(both.stderr).toContain('spec.etcdKey: it and spec.etcdKeyFile exclude each other');
      expect(both.stderr).not.toContain('PRIVATE KEY');
    } finally {
      await secured.stop();
      await authority.remove();
    }
  });
});

describe('the version of the cluster', () => {
  test('is to be ours, for those who use the datastore and did not decline', async () => {
    await using store = new EtcdDatastore(etcd.config);
    const environment = { ETCD_ENDPOINTS: etcd.endpoint };
    const put = (calicoVersion: string) =>
      store.put(
        { kind: 'ClusterInformation', name: 'default' },
        {
          apiVersion: 'projectcalico.org/v3',
          kind: 'ClusterInformation',
          metadata: { name: 'default' },
          spec: { calicoVersion, clusterType: 'bare' },
        },
      );
    await put('v9.9.9-1-gabc');
    expect(await get(environment)).toEqual({
      status: 1,
      stdout: '',
      stderr:
        'version mismatch.\nClient Version:   v0.1.0\nCluster Version:  v9.9.9-1-gabc\nUse --allow-version-mismatch to override\n',
    });
    expect((await get(environment, '--allow-version-mismatch')).status).toBe(0);
    expect((await runProgram(['version'], { environment })).stdout).toMatch(
      /^Client Version: {4}v0\.1\.0\nGit commit: {8}\w+\nCluster Version: {3}v9\.9\.9-1-gabc\nCluster Type: {6}bare\n$/,
    );
    await put('');
    expect((await get(environment)).status).toBe(0);
    await store.delete({ kind: 'ClusterInformation', name: 'default' });
    expect((await get(environment)).status).toBe(0);
    expect((await runProgram(['version'], { environment: { ETCD_ENDPOINTS: NOWHERE } })).stdout).toMatch(
      /\nUnable to detect installed Calico version\n$/,
    );
  });
});

describe('the program', () => {
  test('answers to the name of a kubectl plug-in', async () => {
    const { stdout } = await runProgram(['get', '--help'], { program: `${process.cwd()}/dist/bin/kubectl-calico` });
    expect(stdout).toMatch(/^Usage: kubectl calico get /);
  });
});
