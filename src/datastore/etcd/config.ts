import { CalicoError } from '../../base/errors.js';

/** How to reach an etcd cluster. Files are read when the connection is made. */
export interface EtcdConfig {
  /** `https://192.0.2.10:2379`, `http://127.0.0.1:2379`, `unix:///run/calico/etcd.sock`; at least one, or none beside a domain. */
  readonly endpoints: readonly string[];
  /** The domain whose SRV records name the endpoints, in place of them. */
  readonly discoveryDomain?: string;
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

function checkWhere({ endpoints, discoveryDomain: domain }: EtcdConfig): void {
  if (domain === undefined) {
    if (endpoints.length === 0) throw bad('no etcd endpoint given', 'set ETCD_ENDPOINTS');
    return;
  }
  if (endpoints.length > 0) {
    throw bad(
      'etcd endpoints and a domain to discover them exclude each other',
      'set ETCD_ENDPOINTS or ETCD_DISCOVERY_SRV',
    );
  }
  if (!/^[a-z0-9_]([-a-z0-9_]*[a-z0-9])?(\.[a-z0-9_]([-a-z0-9_]*[a-z0-9])?)*\.?$/i.test(domain)) {
    throw bad(`"${domain}" is not a domain`, 'write ETCD_DISCOVERY_SRV=example.com');
  }
}

function checkCertificates(config: EtcdConfig): void {
  const files = [config.caCertFile, config.certFile, config.keyFile];
  const inline = [config.caCert, config.cert, config.key];
  if (files.some((file) => file !== undefined) && inline.some((pem) => pem !== undefined)) {
    throw bad(
      'etcd certificates are given as files and inline',
      'give etcdCACertFile and so on, or etcdCACert and so on',
    );
  }
  if ((config.cert === undefined) !== (config.key === undefined)) {
    throw bad('etcd client certificate and key belong together: one is missing', 'give etcdCert and etcdKey');
  }
  if ((config.certFile === undefined) !== (config.keyFile === undefined)) {
    throw bad(
      'etcd client certificate and key belong together: one is missing',
      'set ETCD_CERT_FILE and ETCD_KEY_FILE',
    );
  }
}

/** Checks what the user wrote and drops what is empty. @throws {CalicoError} `ERR_CALI_DATASTORE_CONFIG` */
export function checkEtcdConfig(config: EtcdConfig): EtcdConfig {
  checkWhere(config);
  const endpoints = config.endpoints.map(checkEndpoint);
  checkCertificates(config);
  if ((config.username === undefined) !== (config.password === undefined)) {
    throw bad('etcd user name and password belong together: one is missing', 'set ETCD_USERNAME and ETCD_PASSWORD');
  }
  return { ...config, endpoints };
}

/**
 * What the environment says: `ETCD_ENDPOINTS` or `ETCD_DISCOVERY_SRV`, `ETCD_CA_CERT_FILE`, `ETCD_CERT_FILE`, `ETCD_KEY_FILE`, `ETCD_USERNAME`,
 * `ETCD_PASSWORD`, each also with the prefix `CALICO_`, which wins; the older `ETCD_AUTHORITY` with `ETCD_SCHEME`.
 *
 * @returns undefined when neither endpoint nor domain is named: use the host's own etcd, see `embedded.ts`
 * @throws {CalicoError} `ERR_CALI_DATASTORE_CONFIG` in words
 */
export function etcdConfigFromEnvironment(environment: Environment): EtcdConfig | undefined {
  const read = (name: string): string | undefined => {
    const value = environment[`CALICO_${name}`] ?? environment[name];
    return value === undefined || value.trim() === '' ? undefined : value.trim();
  };
  const list = read('ETCD_ENDPOINTS');
  const authority = read('ETCD_AUTHORITY');
  const older = authority === undefined ? undefined : `${read('ETCD_SCHEME') ?? 'http'}://${authority}`;
  const endpoints = (list ?? older ?? '')
    .split(',')
    .map((endpoint) => endpoint.trim())
    .filter((endpoint) => endpoint !== '');
  const discoveryDomain = read('ETCD_DISCOVERY_SRV');
  if (endpoints.length === 0 && discoveryDomain === undefined) return undefined;
  const optional = {
    discoveryDomain,
    caCertFile: read('ETCD_CA_CERT_FILE'),
    certFile: read('ETCD_CERT_FILE'),
    keyFile: read('ETCD_KEY_FILE'),
    username: read('ETCD_USERNAME'),
    password: read('ETCD_PASSWORD'),
  };
  const given = Object.fromEntries(Object.entries(optional).filter(([, value]) => value !== undefined));
  return checkEtcdConfig({ endpoints, ...given });
}
