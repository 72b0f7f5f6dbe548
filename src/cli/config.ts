import { suggestion } from '../api/issues.js';
import { type Fields, isFields } from '../api/plain-fields.js';
import { CalicoError, type Issue, NotFoundError } from '../base/errors.js';
import type { Surroundings } from './command.js';
import type { ManifestEntry } from './manifests/manifest.js';
import { describeIssue } from './messages.js';

export const DEFAULT_CONFIG_FILE = '/etc/calico/calicoctl.cfg';
const CONFIG_API_VERSION = 'projectcalico.org/v3';
const CONFIG_KIND = 'CalicoAPIConfig';

/** Where the datastore is, in the terms of the environment variables, whatever the source. */
export type DatastoreSettings = Readonly<Record<string, string | undefined>>;

interface Field {
  readonly variable: string;
  /** What the file holds; text unless given. */
  readonly type?: 'boolean' | 'number';
  /** There is no such variable: only the file may say it. */
  readonly onlyInFile?: true;
}

/** Fields of the file and the variables they stand for. */
const FIELDS: Readonly<Record<string, Field>> = {
  datastoreType: { variable: 'DATASTORE_TYPE' },
  etcdEndpoints: { variable: 'ETCD_ENDPOINTS' },
  etcdDiscoverySrv: { variable: 'ETCD_DISCOVERY_SRV' },
  etcdUsername: { variable: 'ETCD_USERNAME' },
  etcdPassword: { variable: 'ETCD_PASSWORD' },
  etcdKeyFile: { variable: 'ETCD_KEY_FILE' },
  etcdCertFile: { variable: 'ETCD_CERT_FILE' },
  etcdCACertFile: { variable: 'ETCD_CA_CERT_FILE' },
  etcdKey: { variable: 'ETCD_KEY', onlyInFile: true },
  etcdCert: { variable: 'ETCD_CERT', onlyInFile: true },
  etcdCACert: { variable: 'ETCD_CA_CERT', onlyInFile: true },
  kubeconfig: { variable: 'KUBECONFIG' },
  kubeconfigInline: { variable: 'KUBECONFIG_INLINE', onlyInFile: true },
  k8sAPIEndpoint: { variable: 'K8S_API_ENDPOINT' },
  k8sKeyFile: { variable: 'K8S_KEY_FILE' },
  k8sCertFile: { variable: 'K8S_CERT_FILE' },
  k8sCAFile: { variable: 'K8S_CA_FILE' },
  k8sAPIToken: { variable: 'K8S_API_TOKEN', onlyInFile: true },
  k8sInsecureSkipTLSVerify: { variable: 'K8S_INSECURE_SKIP_TLS_VERIFY', type: 'boolean' },
  k8sDisableNodePoll: { variable: 'K8S_DISABLE_NODE_POLL', type: 'boolean' },
  usePodCIDR: { variable: 'USE_POD_CIDR', type: 'boolean' },
  k8sClientQPS: { variable: 'K8S_CLIENT_QPS', type: 'number' },
  k8sClientBurst: { variable: 'K8S_CLIENT_BURST', type: 'number' },
  k8sCurrentContext: { variable: 'K8S_CURRENT_CONTEXT' },
  calicoAPIGroup: { variable: 'CALICO_API_GROUP' },
};

/** The same thing said twice, as text and as the name of a file. */
const EXCLUSIVE = [
  ['etcdKey', 'etcdKeyFile'],
  ['etcdCert', 'etcdCertFile'],
  ['etcdCACert', 'etcdCACertFile'],
] as const;

const TOP_FIELDS = ['apiVersion', 'kind', 'metadata', 'spec'];

function invalid(message: string, hint?: string, cause?: unknown): CalicoError {
  return new CalicoError('ERR_CALI_CLI_CONFIG', `invalid config file: ${message}`, {
    cause,
    ...(hint === undefined ? {} : { hint }),
  });
}

function shown(value: unknown): string {
  return typeof value === 'string' ? value : '';
}

function unknownFields(fields: Fields, path: string, known: readonly string[]): readonly Issue[] {
  return Object.keys(fields)
    .filter((name) => !known.includes(name))
    .map((name) => ({
      code: 'unknown_field',
      path: `${path}${name}`,
      message: `field in document is not recognized or is in the wrong location: ${name}`,
      ...suggestion(name, known),
    }));
}

/** What is wrong, in words that never hold a value: it may be a secret. */
function issuesOf(object: Fields, spec: Fields): readonly Issue[] {
  const issues = [...unknownFields(object, '', TOP_FIELDS), ...unknownFields(spec, 'spec.', Object.keys(FIELDS))];
  for (const [name, value] of Object.entries(spec)) {
    const type = FIELDS[name]?.type ?? 'string';
    if (!Object.hasOwn(FIELDS, name) || value === null || typeof value === type) continue;
    const wanted = { string: 'text', boolean: 'true or false', number: 'a number' }[type];
    issues.push({ code: 'type', path: `spec.${name}`, message: `it is not ${wanted}` });
  }
  const isSet = (name: string) => (spec[name] ?? '') !== '';
  for (const [inline, file] of EXCLUSIVE) {
    if (!isSet(inline) || !isSet(file)) continue;
    issues.push({ code: 'rule', path: `spec.${inline}`, message: `it and spec.${file} exclude each other` });
  }
  if (isSet('etcdKey') !== isSet('etcdCert')) {
    const [given, missing] = isSet('etcdKey') ? ['etcdKey', 'etcdCert'] : ['etcdCert', 'etcdKey'];
    issues.push({ code: 'rule', path: `spec.${given}`, message: `spec.${missing} is missing: they belong together` });
  }
  return issues;
}

function settingsOf({ object, locate }: ManifestEntry): DatastoreSettings {
  const fields = isFields(object) ? object : {};
  const { apiVersion, kind, spec = {} } = fields;
  if (apiVersion !== CONFIG_API_VERSION) throw invalid(`unknown APIVersion '${shown(apiVersion)}'`);
  if (kind !== CONFIG_KIND) throw invalid(`expected kind '${CONFIG_KIND}', got '${shown(kind)}'`);
  const given = isFields(spec) ? spec : {};
  const issues = [...issuesOf(fields, given)];
  if (!isFields(spec) && spec !== null)
    issues.push({ code: 'type', path: 'spec', message: 'it is not a set of fields' });
  const [first] = issues;
  if (first !== undefined) {
    const { text, hint } = describeIssue(first, undefined, locate);
    throw invalid(issues.length === 1 ? text : `${text} (and ${issues.length - 1} more)`, hint);
  }
  return Object.fromEntries(
    Object.entries(given)
      .filter(([, value]) => value !== null)
      .map(([name, value]) => [FIELDS[name]?.variable ?? name, String(value)]),
  );
}

async function parseConfigFile(file: string, text: string): Promise<DatastoreSettings> {
  const { parseManifest } = await import('./manifests/manifest.js');
  let entries: readonly ManifestEntry[];
  try {
    entries = parseManifest(file, text);
  } catch (error) {
    if (error instanceof CalicoError) throw invalid(error.message, error.hint, error);
    throw error;
  }
  const [entry, ...more] = entries;
  if (more.length > 0) throw invalid(`${file} holds ${entries.length} documents`, 'leave one in it');
  return settingsOf(entry ?? { object: {}, locate: () => file });
}

function isMissing(error: unknown): boolean {
  if (error instanceof NotFoundError) return true;
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  return code === 'ENOENT' || code === 'ENOTDIR';
}

function fromEnvironment(environment: DatastoreSettings): DatastoreSettings {
  const onlyInFile = Object.values(FIELDS).flatMap((field) => (field.onlyInFile === true ? [field.variable] : []));
  return Object.fromEntries(Object.entries(environment).filter(([name]) => !onlyInFile.includes(name)));
}

/** What {@link readSettings} calls the source where there is no file. */
export const ENVIRONMENT = 'the environment';

/** Where the datastore is, and who says so. */
export interface SettingsSource {
  /** The path of the configuration file, or `the environment`. */
  readonly source: string;
  readonly settings: DatastoreSettings;
}

/**
 * Where the datastore is: the configuration file alone if there is one, else the environment.
 *
 * @param file as given by `--config`; it must exist then
 * @throws {CalicoError} `ERR_CALI_CLI_CONFIG` the file cannot be read, or is not what it should be; never shows a value of it
 */
export async function readSettings(file: string | undefined, surroundings: Surroundings): Promise<SettingsSource> {
  const path = file ?? DEFAULT_CONFIG_FILE;
  let text: string;
  try {
    text = await surroundings.readFile(path);
  } catch (cause) {
    if (file === undefined && isMissing(cause)) {
      return { source: ENVIRONMENT, settings: fromEnvironment(surroundings.environment) };
    }
    throw new CalicoError('ERR_CALI_CLI_CONFIG', `Error reading config file: ${path}`, { cause });
  }
  return { source: path, settings: await parseConfigFile(path, text) };
}
