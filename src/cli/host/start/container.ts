import { resolve } from 'node:path';
import { FELIX_CONFIG_FILE, type NodeStart } from './options.js';

export const CONTAINER = 'calico-node';

/** Certificates of the datastore: the variable that names the file, and where the container sees it. */
const CERTIFICATES = [
  ['ETCD_CA_CERT_FILE', '/etc/calico/certs/ca_cert.crt'],
  ['ETCD_KEY_FILE', '/etc/calico/certs/key.pem'],
  ['ETCD_CERT_FILE', '/etc/calico/certs/cert.crt'],
] as const;

/** Handed on by name alone: their values are nobody's who lists processes. */
const SECRETS = ['ETCD_USERNAME', 'ETCD_PASSWORD'] as const;

/** How the container is to live. */
export type Mode = 'detached' | 'foreground' | 'init-system';

const LIFE: Readonly<Record<Mode, readonly string[]>> = {
  detached: ['-d', '--restart=always'],
  foreground: ['--rm'],
  'init-system': ['--rm'],
};

/** What is known of the host. */
export interface HostFacts {
  /** `/lib/modules` is there. */
  readonly hasModules: boolean;
  /** New mounts below `/run`, such as network namespaces, can be passed on to a container. */
  readonly sharesRun: boolean;
  /** In place of `--privileged`, where the engine cannot give that. */
  readonly privileges?: readonly string[];
}

/** A variable of the datastore under either of its names. */
function settingOf({ datastore }: NodeStart, name: string): string {
  return datastore[`CALICO_${name}`] ?? datastore[name] ?? '';
}

/** Absolute: neither an engine nor a daemon knows where this was typed. Empty when there is none. */
function certificateOf(start: NodeStart, name: string): string {
  const file = settingOf(start, name);
  return file === '' ? '' : resolve(file);
}

/** The endpoints, as the first era named them too. */
function endpointsOf(start: NodeStart): string {
  const endpoints = settingOf(start, 'ETCD_ENDPOINTS');
  const authority = settingOf(start, 'ETCD_AUTHORITY');
  if (endpoints !== '' || authority === '') return endpoints;
  return `${settingOf(start, 'ETCD_SCHEME') || 'http'}://${authority}`;
}

/** Every variable with its value as `calico-node` gets it on the host itself. */
export function nativeEnvironment(start: NodeStart): Readonly<Record<string, string>> {
  const names = [...SECRETS, 'ETCD_DISCOVERY_SRV'];
  const variables = new Map([...start.variables, ['ETCD_ENDPOINTS', endpointsOf(start)]]);
  for (const name of names) variables.set(name, settingOf(start, name));
  for (const [name] of CERTIFICATES) variables.set(name, certificateOf(start, name));
  return withoutEmpty(variables);
}

function withoutEmpty(variables: ReadonlyMap<string, string>): Readonly<Record<string, string>> {
  const given: Record<string, string> = {};
  for (const [name, value] of variables) if (value !== '') given[name] = value;
  return given;
}

function variablesOf(start: NodeStart): readonly string[] {
  const fixed = [
    ...start.variables,
    ['ETCD_ENDPOINTS', endpointsOf(start)],
    ['ETCD_DISCOVERY_SRV', settingOf(start, 'ETCD_DISCOVERY_SRV')],
    ...CERTIFICATES.filter(([name]) => settingOf(start, name) !== ''),
  ].map(([name, value]) => `${name}=${value}`);
  return [...fixed, ...SECRETS.filter((name) => settingOf(start, name) !== '')];
}

function mountsOf(start: NodeStart, { hasModules, sharesRun }: HostFacts): readonly string[] {
  return [
    `${start.logFolder}:/var/log/calico`,
    '/var/run/calico:/var/run/calico',
    '/var/lib/calico:/var/lib/calico',
    ...(hasModules ? ['/lib/modules:/lib/modules'] : []),
    sharesRun ? '/run:/run:rslave' : '/run:/run',
    ...(start.hasLibnetwork
      ? ['/run/docker/plugins:/run/docker/plugins', '/var/run/docker.sock:/var/run/docker.sock']
      : []),
    ...(start.felixConfig === undefined ? [] : [`${start.felixConfig}:${FELIX_CONFIG_FILE}`]),
    ...CERTIFICATES.flatMap(([name, inside]) => {
      const file = certificateOf(start, name);
      return file === '' ? [] : [`${file}:${inside}`];
    }),
  ];
}

/** The files of the host that the node is given, each with what names it; an engine makes folders of those that are missing. */
export function givenFiles(start: NodeStart): readonly (readonly [name: string, file: string])[] {
  const certificates = CERTIFICATES.map(([name]) => [name, certificateOf(start, name)] as const);
  return [['--felix-config', start.felixConfig ?? ''] as const, ...certificates].filter(([, file]) => file !== '');
}

/** The words that start the container, `docker` first. */
export function dockerRun(start: NodeStart, mode: Mode, facts: HostFacts): readonly [string, ...string[]] {
  return [
    'docker',
    'run',
    '--net=host',
    ...(facts.privileges ?? ['--privileged']),
    `--name=${CONTAINER}`,
    ...LIFE[mode],
    ...variablesOf(start).flatMap((variable) => ['-e', variable]),
    ...mountsOf(start, facts).flatMap((mount) => ['-v', mount]),
    start.image,
  ];
}

/** The secrets that `dockerRun` names without their values, for the engine's client to find. */
export function dockerSecrets(start: NodeStart): Readonly<Record<string, string>> {
  return withoutEmpty(new Map(SECRETS.map((name) => [name, settingOf(start, name)])));
}

/** A command as one may type it into a shell. */
export function shellText(words: readonly string[]): string {
  return words
    .map((word) => (/^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", String.raw`'\''`)}'`))
    .join(' ');
}
