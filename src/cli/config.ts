import { CalicoError } from '../base/errors.js';
import type { Surroundings } from './command.js';

export const DEFAULT_CONFIG_FILE = '/etc/calico/calicoctl.cfg';
const CONFIG_API_VERSION = 'projectcalico.org/v3';
const CONFIG_KIND = 'CalicoAPIConfig';

/** Where the datastore is, in the terms of the environment variables, whatever the source. */
export type DatastoreSettings = Readonly<Record<string, string | undefined>>;

/** Fields of the file and the variables they stand for. */
const VARIABLE_OF_FIELD: Readonly<Record<string, string>> = {
  datastoreType: 'DATASTORE_TYPE',
  etcdEndpoints: 'ETCD_ENDPOINTS',
  etcdDiscoverySrv: 'ETCD_DISCOVERY_SRV',
  etcdUsername: 'ETCD_USERNAME',
  etcdPassword: 'ETCD_PASSWORD',
  etcdKeyFile: 'ETCD_KEY_FILE',
  etcdCertFile: 'ETCD_CERT_FILE',
  etcdCACertFile: 'ETCD_CA_CERT_FILE',
  etcdKey: 'ETCD_KEY',
  etcdCert: 'ETCD_CERT',
  etcdCACert: 'ETCD_CA_CERT',
  kubeconfig: 'KUBECONFIG',
  kubeconfigInline: 'KUBECONFIG_INLINE',
  k8sAPIEndpoint: 'K8S_API_ENDPOINT',
  k8sKeyFile: 'K8S_KEY_FILE',
  k8sCertFile: 'K8S_CERT_FILE',
  k8sCAFile: 'K8S_CA_FILE',
  k8sAPIToken: 'K8S_API_TOKEN',
  k8sInsecureSkipTLSVerify: 'K8S_INSECURE_SKIP_TLS_VERIFY',
  k8sDisableNodePoll: 'K8S_DISABLE_NODE_POLL',
  usePodCIDR: 'USE_POD_CIDR',
  k8sClientQPS: 'K8S_CLIENT_QPS',
  k8sClientBurst: 'K8S_CLIENT_BURST',
  k8sCurrentContext: 'K8S_CURRENT_CONTEXT',
  calicoAPIGroup: 'CALICO_API_GROUP',
};

function invalid(message: string): CalicoError {
  return new CalicoError('ERR_CALI_CLI_CONFIG', `invalid config file: ${message}`);
}

function fieldsOf(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};
}

function shown(value: unknown): string {
  return typeof value === 'string' ? value : '';
}

async function parseConfigFile(text: string): Promise<DatastoreSettings> {
  const { parse } = await import('yaml');
  const { apiVersion, kind, spec } = fieldsOf(parse(text));
  if (apiVersion !== CONFIG_API_VERSION) throw invalid(`unknown APIVersion '${shown(apiVersion)}'`);
  if (kind !== CONFIG_KIND) throw invalid(`expected kind '${CONFIG_KIND}', got '${shown(kind)}'`);
  const settings: Record<string, string> = {};
  for (const [field, value] of Object.entries(fieldsOf(spec))) {
    const variable = VARIABLE_OF_FIELD[field];
    if (variable === undefined) throw invalid(`unknown field spec.${field}`);
    settings[variable] = typeof value === 'string' ? value : JSON.stringify(value);
  }
  return settings;
}

/**
 * Where the datastore is: the configuration file alone if there is one, else the environment.
 *
 * @param file as given by `--config`; it must exist then
 */
export async function readSettings(file: string | undefined, surroundings: Surroundings): Promise<DatastoreSettings> {
  let text: string;
  try {
    text = await surroundings.readFile(file ?? DEFAULT_CONFIG_FILE);
  } catch (cause) {
    if (file === undefined) return surroundings.environment;
    throw new CalicoError('ERR_CALI_CLI_CONFIG', `Error reading config file: ${file}`, { cause });
  }
  return parseConfigFile(text);
}
