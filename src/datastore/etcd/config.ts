import { CalicoError } from '../../base/errors.js';

/** How to reach an etcd cluster. Files are read when the connection is made. */
export interface EtcdConfig {
  /** `https://192.0.2.10:2379`, `http://127.0.0.1:2379`, `unix:///run/calico/etcd.sock`; at least one. */
  readonly endpoints: readonly string[];
  readonly caCertFile?: string;
  /** Certificate and key together, or neither. */
  readonly certFile?: string;
  readonly keyFile?: string;
  /** The same inline, as PEM; not beside files. */
  readonly caCert?: string;
  readonly cert?: string;
  readonly key?: string;
  readonly username?: string;
  readonly password?: string;
}

export type Environment = Readonly<Record<string, string | undefined>>;

function bad(message: string, hint: string): CalicoError {
  return new CalicoError('ERR_CALI_DATASTORE_CONFIG', message, { hint });
}

/** An endpoint as text without user and password, for messages. */
export function describeEndpoint(endpoint: string): string {
  return endpoint.startsWith('unix:') ? endpoint : endpoint.replace(/^([a-z]+:\/\/)?.*@/i, '$1');
}

function checkEndpoint(endpoint: string): string {
  if (describeEndpoint(endpoint) !== endpoint) {
    throw bad(
      `the etcd endpoint "${describeEndpoint(endpoint)}" carries a user or a password`,
      'set ETCD_USERNAME and ETCD_PASSWORD instead',
    );
  }
  const port = /:(\d+)\/?$/.exec(endpoint)?.[1];
  if (port !== undefined && !endpoint.startsWith('unix:') && (Number(port) < 1 || Number(port) > 65_535)) {
    throw bad(`the etcd endpoint "${endpoint}" has port ${port}`, 'write a port from 1 to 65535; etcd listens on 2379');
  }
  if (/^unix:\/\/\/.+/.test(endpoint) || /^https?:\/\/(\[[0-9a-f:.]+\]|[^/:[\]@]+):\d{1,5}\/?$/i.test(endpoint)) {
    return endpoint.replace(/(?<=:\d+)\/$/, '');
  }
  throw bad(
    `"${describeEndpoint(endpoint)}" is not an etcd endpoint`,
    'write http://HOST:PORT, https://HOST:PORT or unix:///PATH, several separated by commas',
  );
}

/** Checks what the user wrote and drops what is empty. @throws {CalicoError} `ERR_CALI_DATASTORE_CONFIG` */
export function checkEtcdConfig(config: EtcdConfig): EtcdConfig {
  if (config.endpoints.length === 0) throw bad('no etcd endpoint given', 'set ETCD_ENDPOINTS');
  const endpoints = config.endpoints.map(checkEndpoint);
  if ((config.certFile === undefined) !== (config.keyFile === undefined)) {
    throw bad(
      'etcd client certificate and key belong together: one is missing',
      'set ETCD_CERT_FILE and ETCD_KEY_FILE',
    );
  }
  if ((config.username === undefined) !== (config.password === undefined)) {
    throw bad('etcd user name and password belong together: one is missing', 'set ETCD_USERNAME and ETCD_PASSWORD');
  }
  return { ...config, endpoints };
}

/**
 * What the environment says: `ETCD_ENDPOINTS`, `ETCD_CA_CERT_FILE`, `ETCD_CERT_FILE`, `ETCD_KEY_FILE`, `ETCD_USERNAME`,
 * `ETCD_PASSWORD`, each also with the prefix `CALICO_`, which wins; the older `ETCD_AUTHORITY` with `ETCD_SCHEME`.
 *
 * @returns undefined when no endpoint is named: use the host's own etcd, see `embedded.ts`
 * @throws {CalicoError} `ERR_CALI_DATASTORE_CONFIG` in words
 */
export function etcdConfigFromEnvironment(environment: Environment): EtcdConfig | undefined {
  const read = (name: string): string | undefined => {
    const value = environment[`CALICO_${name}`] ?? environment[name];
    return value === undefined || value.trim() === '' ? undefined : value.trim();
  };
  const list = read('ETCD_ENDPOINTS');
  if (read('ETCD_DISCOVERY_SRV') !== undefined) {
    throw bad('ETCD_DISCOVERY_SRV is not supported', 'name the servers in ETCD_ENDPOINTS');
  }
  const authority = read('ETCD_AUTHORITY');
  const older = authority === undefined ? undefined : `${read('ETCD_SCHEME') ?? 'http'}://${authority}`;
  const endpoints = (list ?? older ?? '')
    .split(',')
    .map((endpoint) => endpoint.trim())
    .filter((endpoint) => endpoint !== '');
  if (endpoints.length === 0) return undefined;
  const optional = {
    caCertFile: read('ETCD_CA_CERT_FILE'),
    certFile: read('ETCD_CERT_FILE'),
    keyFile: read('ETCD_KEY_FILE'),
    username: read('ETCD_USERNAME'),
    password: read('ETCD_PASSWORD'),
  };
  const given = Object.fromEntries(Object.entries(optional).filter(([, value]) => value !== undefined));
  return checkEtcdConfig({ endpoints, ...given });
}
