import { describe, expect, test } from 'vitest';
import { CalicoError, NotFoundError } from '../base/errors.js';
import { DEFAULT_CONFIG_FILE, readSettings, type SettingsSource } from './config.js';

const HEAD = 'apiVersion: projectcalico.org/v3\nkind: CalicoAPIConfig\nmetadata:\nspec:\n';

interface Given {
  readonly files?: Readonly<Record<string, string>>;
  readonly environment?: Readonly<Record<string, string>>;
  readonly config?: string;
}

async function settings({ files = {}, environment = {}, config }: Given): Promise<SettingsSource> {
  return readSettings(config, {
    environment,
    readFile: (path) => {
      const text = files[path];
      return text === undefined ? Promise.reject(new NotFoundError('ERR', 'none')) : Promise.resolve(text);
    },
    readStdin: () => Promise.resolve(''),
    stdout: () => undefined,
    stderr: () => undefined,
  });
}

const file = (text: string): Promise<SettingsSource> => settings({ files: { c: text }, config: 'c' });

describe('readSettings()', () => {
  test('takes the environment where there is no file', async () => {
    expect(await settings({ environment: { ETCD_ENDPOINTS: 'http://192.0.2.1:2379', ETCD_KEY: 'x' } })).toEqual({
      source: 'the environment',
      settings: { ETCD_ENDPOINTS: 'http://192.0.2.1:2379' },
    });
  });

  test('takes the file alone where there is one', async () => {
    const given = {
      files: { [DEFAULT_CONFIG_FILE]: `${HEAD}  etcdUsername: me\n` },
      environment: { ETCD_ENDPOINTS: 'http://192.0.2.1:2379', CALICO_ETCD_ENDPOINTS: 'http://192.0.2.2:2379' },
    };
    expect(await settings(given)).toEqual({ source: DEFAULT_CONFIG_FILE, settings: { ETCD_USERNAME: 'me' } });
  });

  test('knows every field, in YAML and in JSON', async () => {
    const spec = {
      datastoreType: 'etcdv3',
      etcdEndpoints: 'https://192.0.2.1:2379',
      etcdPassword: 'p',
      etcdKey: 'k',
      etcdCert: 'c',
      k8sInsecureSkipTLSVerify: true,
      k8sClientQPS: 5,
      kubeconfig: null,
    };
    const text = JSON.stringify({ apiVersion: 'projectcalico.org/v3', kind: 'CalicoAPIConfig', spec });
    expect((await file(text)).settings).toEqual({
      DATASTORE_TYPE: 'etcdv3',
      ETCD_ENDPOINTS: 'https://192.0.2.1:2379',
      ETCD_PASSWORD: 'p',
      ETCD_KEY: 'k',
      ETCD_CERT: 'c',
      K8S_INSECURE_SKIP_TLS_VERIFY: 'true',
      K8S_CLIENT_QPS: '5',
    });
    expect((await file(HEAD)).settings).toEqual({});
  });

  test.each([
    ['', "invalid config file: unknown APIVersion ''"],
    ['apiVersion: v1\n', "invalid config file: unknown APIVersion 'v1'"],
    [HEAD.replace('CalicoAPIConfig', 'Node'), "invalid config file: expected kind 'CalicoAPIConfig', got 'Node'"],
    [
      `${HEAD}  etcdEndpoint: http://192.0.2.1:2379\n`,
      'invalid config file: c:5:3: spec.etcdEndpoint: field in document is not recognized or is in the wrong location: etcdEndpoint',
    ],
    [`${HEAD}  etcdEndpoints: [a]\n`, 'invalid config file: c:5:18: spec.etcdEndpoints: it is not text'],
    [
      `${HEAD}  usePodCIDR: 1\n  k8sClientQPS: "1"\n`,
      'invalid config file: c:5:15: spec.usePodCIDR: it is not true or false (and 1 more)',
    ],
    [
      `${HEAD}  etcdKey: a\n  etcdCert: b\n  etcdKeyFile: c\n`,
      'invalid config file: c:5:12: spec.etcdKey: it and spec.etcdKeyFile exclude each other',
    ],
    [
      `${HEAD}  etcdCert: b\n`,
      'invalid config file: c:5:13: spec.etcdCert: spec.etcdKey is missing: they belong together',
    ],
    [`${HEAD}---\n${HEAD}`, 'invalid config file: c holds 2 documents'],
    [
      `${HEAD}  etcdPassword: a\n  etcdPassword: b\n`,
      'invalid config file: c:6:3: it is not YAML: Map keys must be unique: "etcdPassword" stands here again',
    ],
  ])('refuses %j', async (text, message) => {
    await expect(file(text)).rejects.toMatchObject({ code: 'ERR_CALI_CLI_CONFIG', message });
  });

  test('never shows what may be a secret', async () => {
    const secret = 'hunter2';
    const texts = [
      `  etcdPassword: [${secret}]\n`,
      `  etcdPassword: "${secret}\n`,
      `  etcdKey: ${secret}: x\n`,
      `  ? ${secret}\n  : - [\n`,
    ];
    for (const text of texts) {
      const error = await file(`${HEAD}${text}`).catch((thrown: unknown) => thrown);
      expect(error).toBeInstanceOf(CalicoError);
      expect(String(error)).not.toContain(secret);
    }
  });

  test('does not pass over a file that is there and cannot be read', async () => {
    await expect(settings({ config: 'nowhere' })).rejects.toThrow('Error reading config file: nowhere');
  });
});
