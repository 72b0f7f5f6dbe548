import { resolve } from 'node:path';
import { CalicoError } from '../../../base/errors.js';
import { tryParseAddress } from '../../../net/address.js';
import { tryParsePrefix } from '../../../net/prefix.js';
import { type Call, flag, textOption } from '../../command.js';
import type { DatastoreSettings } from '../../config.js';
import { readAsNumber } from '../../first-era/as-number.js';

/** The image that `make image` builds. */
export const OWN_IMAGE = 'calico/node:latest';
export const DEFAULT_LOG_FOLDER = '/var/log/calico';
/** Where the agent looks for it. */
export const FELIX_CONFIG_FILE = '/etc/calico/felix.cfg';
const DETECTION = 'first-found';
const BACKENDS = ['bird', 'vxlan', 'none'];

/** How a node is to be started, whichever command asked for it. */
export interface NodeStart {
  readonly name: string;
  readonly runtime: 'docker' | 'none';
  readonly image: string;
  /** Named by the person: then the engine may fetch it. */
  readonly isImageGiven: boolean;
  /** Absolute: neither an engine nor a daemon knows where this was typed. */
  readonly logFolder: string;
  /** Absolute. */
  readonly felixConfig: string | undefined;
  readonly hasLibnetwork: boolean;
  /** Variables of `calico-node`, in the order in which they are shown; those of the datastore and certificates apart. */
  readonly variables: readonly (readonly [string, string])[];
  readonly datastore: DatastoreSettings;
}

/** What goes wrong while a node is started, as everybody's scripts know it. */
export function startError(message: string, hint?: string, cause?: unknown): CalicoError {
  return new CalicoError('ERR_CALI_CLI_NODE_RUN', `error executing command: ${message}`, {
    ...(hint === undefined ? {} : { hint }),
    cause,
  });
}

function readAddress(call: Call, option: string, family: 4 | 6): string | undefined {
  const text = textOption(call, option);
  if (text === undefined || text === '' || text === 'autodetect' || text === 'none') return text;
  const address = text.includes('/') ? tryParsePrefix(text)?.address : tryParseAddress(text);
  if (address === undefined) {
    const example = family === 4 ? '192.0.2.1 or 192.0.2.1/24' : '2001:db8::1 or 2001:db8::1/64';
    throw startError(`--${option}: "${text}" is not an IP address`, `write ${example}, autodetect or none`);
  }
  if (address.family !== family) throw startError(`--${option} is wrong IP version`);
  return text;
}

function readBackend(call: Call): string {
  const backend = textOption(call, 'backend') ?? 'bird';
  if (!BACKENDS.includes(backend)) throw startError(`unknown backend '${backend}'`, `choose ${BACKENDS.join(', ')}`);
  return backend;
}

function readAs(call: Call): string | undefined {
  const text = textOption(call, 'as');
  if (text === undefined) return undefined;
  const number = readAsNumber(text);
  if (number === undefined) throw startError(`--as: "${text}" is not an AS number`, 'write 64512 or 1.10');
  return String(number);
}

const INLINE_CREDENTIALS = ['ETCD_KEY', 'ETCD_CERT', 'ETCD_CA_CERT'];

function checkDatastore(datastore: DatastoreSettings): void {
  const type = datastore['CALICO_DATASTORE_TYPE'] ?? datastore['DATASTORE_TYPE'] ?? 'etcdv3';
  if (type !== 'etcdv3') {
    throw startError(
      'unsupported backend specified in config',
      'calicoctl starts nodes that use etcd: set DATASTORE_TYPE=etcdv3',
    );
  }
  // A key among the variables of a node would show in the list of processes and to everybody who may ask the engine.
  if (INLINE_CREDENTIALS.some((name) => (datastore[name] ?? '') !== '')) {
    throw startError(
      'invalid config file: it holds etcdKey, etcdCert or etcdCACert, which no node is given',
      'write them into files, and name these with etcdKeyFile, etcdCertFile and etcdCACertFile',
    );
  }
}

type Variables = (readonly [string, string])[];

function addWhenGiven(variables: Variables, name: string, value: string | undefined): void {
  if (value !== undefined && value !== '') variables.push([name, value]);
}

function commonVariables(call: Call, name: string): Variables {
  const variables: Variables = [
    ['NODENAME', name],
    ['CALICO_NETWORKING_BACKEND', readBackend(call)],
    ['CALICO_MANAGE_CNI', 'false'],
  ];
  addWhenGiven(variables, 'IP', readAddress(call, 'ip', 4));
  addWhenGiven(variables, 'IP6', readAddress(call, 'ip6', 6));
  addWhenGiven(variables, 'AS', readAs(call));
  return variables;
}

function readRuntime(call: Call): 'docker' | 'none' {
  const runtime = textOption(call, 'runtime') ?? 'docker';
  if (runtime === 'docker' || runtime === 'none') return runtime;
  throw startError(`unknown runtime '${runtime}'`, 'choose docker, or none to start calico-node without a container');
}

function readFelixConfig(call: Call, runtime: NodeStart['runtime']): string | undefined {
  const text = textOption(call, 'felixConfig');
  if (text === undefined || text === '') return undefined;
  const path = resolve(text);
  if (runtime === 'docker' || path === FELIX_CONFIG_FILE) return path;
  throw startError(
    `--felix-config=${text} goes with a container only`,
    `without one calico-node reads ${FELIX_CONFIG_FILE}: put the file there`,
  );
}

function shared(call: Call, datastore: DatastoreSettings) {
  checkDatastore(datastore);
  const image = textOption(call, 'nodeImage');
  const runtime = readRuntime(call);
  return {
    runtime,
    image: image ?? OWN_IMAGE,
    isImageGiven: image !== undefined,
    logFolder: resolve(textOption(call, 'logDir') ?? DEFAULT_LOG_FOLDER),
    felixConfig: readFelixConfig(call, runtime),
    datastore,
  };
}

/** `calicoctl node run`. @throws {CalicoError} `ERR_CALI_CLI_NODE_RUN` */
export function readRunOptions(call: Call, hostName: string, datastore: DatastoreSettings): NodeStart {
  const name = textOption(call, 'name') ?? hostName;
  const variables = commonVariables(call, name);
  for (const [option, variable] of [
    ['ipAutodetectionMethod', 'IP_AUTODETECTION_METHOD'],
    ['ip6AutodetectionMethod', 'IP6_AUTODETECTION_METHOD'],
  ] as const) {
    const method = textOption(call, option);
    if (method !== DETECTION) addWhenGiven(variables, variable, method);
  }
  if (call.options['defaultIppools'] === false) variables.push(['NO_DEFAULT_POOLS', 'true']);
  const hasLibnetwork = !flag(call, 'disableDockerNetworking');
  if (hasLibnetwork) {
    variables.push(['CALICO_LIBNETWORK_ENABLED', 'true']);
    variables.push(['CALICO_LIBNETWORK_IFPREFIX', textOption(call, 'dockerNetworkingIfprefix') ?? 'cali']);
  }
  if (hasLibnetwork && flag(call, 'useDockerNetworkingContainerLabels')) {
    variables.push(['CALICO_LIBNETWORK_CREATE_PROFILES', 'false'], ['CALICO_LIBNETWORK_LABEL_ENDPOINTS', 'true']);
  }
  return { ...shared(call, datastore), name, hasLibnetwork, variables };
}

/** The first era's `calicoctl node`. @throws {CalicoError} `ERR_CALI_CLI_NODE_RUN` */
export function readOldOptions(call: Call, hostName: string, datastore: DatastoreSettings): NodeStart {
  const variables = commonVariables(call, hostName);
  addWhenGiven(variables, 'NO_DEFAULT_POOLS', datastore['NO_DEFAULT_POOLS']);
  const hasLibnetwork = flag(call, 'libnetwork');
  if (hasLibnetwork) variables.push(['CALICO_LIBNETWORK_ENABLED', 'true']);
  return { ...shared(call, datastore), name: hostName, hasLibnetwork, variables };
}
