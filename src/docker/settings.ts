import { CalicoError } from '../base/errors.js';
import { engineAddress } from './engine.js';

export type Environment = Readonly<Record<string, string | undefined>>;

/** What the environment says of the plugin. */
export interface DockerSettings {
  readonly isEnabled: boolean;
  /** `global`: networks are shared where engines have a cluster store. Undefined: as the engine can. */
  readonly scope: 'global' | 'local' | undefined;
  /** Of the interface inside, before its number. */
  readonly interfacePrefix: string;
  /** False: only policy by label lets traffic through. */
  readonly createProfiles: boolean;
  /** Labels `org.projectcalico.label.KEY` of a container become labels of its endpoint. */
  readonly labelEndpoints: boolean;
  /** Containers are told the names of those on other hosts. */
  readonly resolveNames: boolean;
  /** Undefined: that of the host's uplink. */
  readonly mtu: number | undefined;
  /** What becomes of `docker run -p` where nothing can be published. */
  readonly publishedPorts: 'refuse' | 'ignore';
  /** Where the engine is asked. */
  readonly engineAddress: string;
}

function bad(variable: string, message: string, hint: string): CalicoError {
  return new CalicoError('ERR_CALI_DOCKER_SETTING', message, { where: { field: variable }, hint });
}

function choice<T extends string>(environment: Environment, variable: string, values: readonly [T, ...T[]]): T {
  const text = environment[variable]?.trim().toLowerCase() ?? '';
  if (text === '') return values[0];
  const chosen = values.find((value) => value === text);
  if (chosen === undefined) throw bad(variable, `"${text}" is not known`, `choose ${values.join(' or ')}`);
  return chosen;
}

function isUnset(environment: Environment, variable: string): boolean {
  return (environment[variable]?.trim() ?? '') === '';
}

/** Only the word "false" turns off what is on, only "true" turns on what is off. */
function truth(environment: Environment, variable: string, unset: boolean): boolean {
  const text = environment[variable]?.trim().toLowerCase();
  return unset ? text !== 'false' : text === 'true';
}

function readMtu(environment: Environment): number | undefined {
  const variable = 'CALICO_LIBNETWORK_VETH_MTU';
  const text = environment[variable]?.trim() ?? '';
  if (text === '' || text === '0') return undefined;
  const mtu = /^\d{1,5}$/.test(text) ? Number(text) : 0;
  if (mtu < 68 || mtu > 65_535) throw bad(variable, `"${text}" is not an MTU`, 'write a number from 68 to 65535');
  return mtu;
}

function readPrefix(environment: Environment): string {
  const variable = 'CALICO_LIBNETWORK_IFPREFIX';
  const text = environment[variable]?.trim() ?? '';
  if (text === '') return 'cali';
  // The engine puts a number behind it, and the kernel takes 15 bytes.
  if (!/^[A-Za-z][A-Za-z0-9_-]{0,10}$/.test(text)) {
    throw bad(
      variable,
      `"${text}" cannot begin the name of an interface`,
      'write at most 11 letters, digits, "-", "_"',
    );
  }
  return text;
}

/** @throws {CalicoError} `ERR_CALI_DOCKER_SETTING` names the variable */
export function readDockerSettings(environment: Environment): DockerSettings {
  return {
    isEnabled: truth(environment, 'CALICO_LIBNETWORK_ENABLED', false),
    scope: isUnset(environment, 'CALICO_LIBNETWORK_SCOPE')
      ? undefined
      : choice<'global' | 'local'>(environment, 'CALICO_LIBNETWORK_SCOPE', ['global', 'local']),
    interfacePrefix: readPrefix(environment),
    createProfiles: truth(environment, 'CALICO_LIBNETWORK_CREATE_PROFILES', true),
    labelEndpoints: truth(environment, 'CALICO_LIBNETWORK_LABEL_ENDPOINTS', true),
    resolveNames: truth(environment, 'CALICO_LIBNETWORK_RESOLVE_NAMES', true),
    mtu: readMtu(environment),
    publishedPorts: choice(environment, 'CALICO_LIBNETWORK_PUBLISHED_PORTS', ['refuse', 'ignore']),
    engineAddress: engineAddress(environment),
  };
}
