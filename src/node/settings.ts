import { CalicoError, formatError } from '../base/errors.js';
import { addressBits, type Family, tryParseAddress } from '../net/address.js';
import { formatPrefix, networkOf, type Prefix, tryParsePrefix } from '../net/prefix.js';
import { parseSelector } from '../selector/parser.js';
import { type DetectionMethod, parseDetectionMethod } from './detection-method.js';

export type Environment = Readonly<Record<string, string | undefined>>;

export type EncapsulationMode = 'Never' | 'Always' | 'CrossSubnet';

/** Where a node's address of a family comes from. */
export type AddressSetting =
  /** What is stored stays; found only where nothing is stored (and, for IPv6, not even then). */
  | { readonly type: 'keep' }
  /** Found anew at each start, and watched. */
  | { readonly type: 'autodetect' }
  | { readonly type: 'none' }
  /** Without a length of its own it has that of the interface. */
  | { readonly type: 'given'; readonly prefix: Prefix; readonly hasLength: boolean };

/** The pool that start-up creates when there is none of its family. */
export interface PoolSetting {
  /** Undefined: chosen by start-up; `none`: no pool. */
  readonly cidr: string | undefined;
  readonly blockSize: number;
  readonly ipipMode: EncapsulationMode;
  readonly vxlanMode: EncapsulationMode;
  readonly natOutgoing: boolean;
  readonly nodeSelector: string;
  readonly disableBgpExport: boolean;
}

export interface FamilySettings {
  readonly family: Family;
  /** `IP` or `IP6`. */
  readonly variable: string;
  readonly address: AddressSetting;
  readonly method: DetectionMethod;
  readonly pool: PoolSetting;
}

/** How `calico-node` was asked to run: the environment, read and checked once. */
export interface NodeSettings {
  readonly networking: 'bird' | 'vxlan' | 'none';
  readonly ipv4: FamilySettings;
  readonly ipv6: FamilySettings;
  readonly asNumber: number | undefined;
  /** BIRD's own name among its peers: an IPv4 address, or `hash`. Undefined: the host's IPv4 address. */
  readonly routerId: string | undefined;
  readonly checkDuplicateAddresses: boolean;
  readonly createDefaultPools: boolean;
  readonly useIpv6: boolean;
  readonly clusterType: string | undefined;
  /** Name of this host's Kubernetes Node, where there is one. */
  readonly kubernetesNode: string | undefined;
  readonly pollIntervalMs: number;
  readonly runFelix: boolean;
}

const FALSE_WORDS = new Set(['false', '0', 'no', 'n', 'f']);
const ENCAPSULATION: Readonly<Record<string, EncapsulationMode>> = {
  '': 'Never',
  off: 'Never',
  never: 'Never',
  always: 'Always',
  crosssubnet: 'CrossSubnet',
  'cross-subnet': 'CrossSubnet',
};
const BLOCK_SIZES = { 4: { least: 20, most: 32, usual: 26 }, 6: { least: 116, most: 128, usual: 122 } } as const;
const UNIT_MS: Readonly<Record<string, number>> = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000 };
const DEFAULT_POLL_MS = 60_000;

/** A variable that cannot be used; `calico-node` does not start. */
export function badSetting(variable: string, message: string, hint?: string): CalicoError {
  return new CalicoError('ERR_CALI_NODE_SETTING', message, {
    where: { field: variable },
    ...(hint === undefined ? {} : { hint }),
  });
}

/** Unset is the default; of what is set, even empty, only the words for no are false. */
function readTruth(environment: Environment, variable: string, unset: boolean): boolean {
  const value = environment[variable];
  return value === undefined ? unset : !FALSE_WORDS.has(value.toLowerCase());
}

function readEncapsulation(environment: Environment, variable: string): EncapsulationMode {
  const mode = ENCAPSULATION[(environment[variable] ?? '').trim().toLowerCase()];
  if (mode === undefined) {
    throw badSetting(variable, `"${environment[variable]}" is not a mode`, 'choose Never, Always or CrossSubnet');
  }
  return mode;
}

function readAddress(environment: Environment, variable: string, family: Family): AddressSetting {
  const text = (environment[variable] ?? '').trim();
  if (text === '') return { type: 'keep' };
  if (text === 'autodetect' || text === 'none') return { type: text };
  const prefix = tryParsePrefix(text);
  if (prefix?.address.family !== family) {
    const example = family === 4 ? '192.0.2.1/24' : '2001:db8::1/64';
    const hint = `write ${variable}=${example}, autodetect or none`;
    throw badSetting(variable, `"${text}" is not an IPv${family} address`, hint);
  }
  return { type: 'given', prefix, hasLength: text.includes('/') };
}

function readBlockSize(environment: Environment, variable: string, family: Family): number {
  const text = environment[variable]?.trim() ?? '';
  const { least, most, usual } = BLOCK_SIZES[family];
  if (text === '') return usual;
  const size = /^\d{1,3}$/.test(text) ? Number(text) : 0;
  if (size < least || size > most) throw badSetting(variable, `"${text}" is not a number from ${least} to ${most}`);
  return size;
}

function readPoolCidr(environment: Environment, variable: string, family: Family): string | undefined {
  const text = environment[variable]?.trim() ?? '';
  if (text === '') return undefined;
  if (text === 'none') return text;
  const prefix = tryParsePrefix(text);
  if (prefix?.address.family !== family || !text.includes('/') || prefix.length === addressBits(family)) {
    throw badSetting(
      variable,
      `"${text}" is not an IPv${family} CIDR`,
      `write ${variable}=${family === 4 ? '192.168.0.0/16' : 'fd80:24e2:f998:72d6::/64'}, or none`,
    );
  }
  return formatPrefix(networkOf(prefix));
}

function readSelector(environment: Environment, variable: string): string {
  const text = environment[variable]?.trim() ?? '';
  if (text === '') return 'all()';
  try {
    parseSelector(text);
    return text;
  } catch (error) {
    throw badSetting(variable, formatError(error));
  }
}

function readPool(environment: Environment, family: Family): PoolSetting {
  const prefix = `CALICO_IPV${family}POOL`;
  return {
    cidr: readPoolCidr(environment, `${prefix}_CIDR`, family),
    blockSize: readBlockSize(environment, `${prefix}_BLOCK_SIZE`, family),
    ipipMode: family === 4 ? readEncapsulation(environment, `${prefix}_IPIP`) : 'Never',
    vxlanMode: readEncapsulation(environment, `${prefix}_VXLAN`),
    natOutgoing: readTruth(environment, `${prefix}_NAT_OUTGOING`, family === 4),
    nodeSelector: readSelector(environment, `${prefix}_NODE_SELECTOR`),
    disableBgpExport: readTruth(environment, `${prefix}_DISABLE_BGP_EXPORT`, false),
  };
}

function readFamily(environment: Environment, family: Family): FamilySettings {
  const variable = family === 4 ? 'IP' : 'IP6';
  const methodVariable = `${variable}_AUTODETECTION_METHOD`;
  const method = environment[methodVariable]?.trim() ?? '';
  return {
    family,
    variable,
    address: readAddress(environment, variable, family),
    method: parseDetectionMethod(methodVariable, method === '' ? 'first-found' : method),
    pool: readPool(environment, family),
  };
}

function readAsNumber(environment: Environment): number | undefined {
  const text = environment['AS']?.trim() ?? '';
  if (text === '') return undefined;
  const parts = /^\d+(\.\d+)?$/.test(text) ? text.split('.').map(Number) : [];
  const [high = 0, low = 0] = parts.length === 1 ? [0, ...parts] : parts;
  const isDotted = parts.length === 2;
  const value = isDotted ? high * 65_536 + low : low;
  const isValid = parts.length > 0 && value <= 0xffffffff && (!isDotted || (high <= 0xffff && low <= 0xffff));
  if (!isValid) throw badSetting('AS', `"${text}" is not an AS number`, 'write AS=64512 or AS=1.10');
  return value;
}

/** It goes into BIRD's configuration as it is. */
function readRouterId(environment: Environment): string | undefined {
  const text = environment['CALICO_ROUTER_ID']?.trim() ?? '';
  if (text === '') return undefined;
  if (text === 'hash' || tryParseAddress(text)?.family === 4) return text;
  throw badSetting('CALICO_ROUTER_ID', `"${text}" is not an IPv4 address`, 'write CALICO_ROUTER_ID=192.0.2.1, or hash');
}

function readNetworking(environment: Environment): NodeSettings['networking'] {
  const text = environment['CALICO_NETWORKING_BACKEND']?.trim() ?? '';
  if (text === '') return environment['CALICO_NETWORKING'] === 'false' ? 'none' : 'bird';
  if (text === 'bird' || text === 'vxlan' || text === 'none') return text;
  throw badSetting('CALICO_NETWORKING_BACKEND', `"${text}" is not a backend`, 'choose bird, vxlan or none');
}

/** `60s`, `1m30s`; undefined when it is not a duration. */
function parseDuration(text: string): number | undefined {
  if (!/^(\d+(\.\d+)?(ms|s|m|h))+$/.test(text)) return undefined;
  return [...text.matchAll(/(\d+(?:\.\d+)?)(ms|s|m|h)/g)].reduce(
    (sum, [, amount, unit]) => sum + Number(amount) * (UNIT_MS[unit ?? ''] ?? 0),
    0,
  );
}

/** Reads what `calico-node` takes from its environment. @throws {CalicoError} `ERR_CALI_NODE_SETTING` names the variable */
export function readNodeSettings(environment: Environment): NodeSettings {
  const ipv4 = readFamily(environment, 4);
  const ipv6 = readFamily(environment, 6);
  const createDefaultPools = environment['NO_DEFAULT_POOLS'] !== 'true';
  const given = [ipv4, ipv6].find(({ pool }) => pool.cidr !== undefined && pool.cidr !== 'none');
  if (!createDefaultPools && given !== undefined) {
    const variable = `CALICO_IPV${given.family}POOL_CIDR`;
    throw badSetting('NO_DEFAULT_POOLS', `it is true, and ${variable} asks for a pool`, `unset one of the two`);
  }
  const clusterType = environment['CLUSTER_TYPE']?.trim() ?? '';
  const kubernetesNode = environment['CALICO_K8S_NODE_REF']?.trim() ?? '';
  return {
    networking: readNetworking(environment),
    ipv4,
    ipv6,
    asNumber: readAsNumber(environment),
    routerId: readRouterId(environment),
    checkDuplicateAddresses: environment['DISABLE_NODE_IP_CHECK'] !== 'true',
    createDefaultPools,
    useIpv6: readTruth(environment, 'FELIX_IPV6SUPPORT', true),
    clusterType: clusterType === '' ? undefined : clusterType,
    kubernetesNode: kubernetesNode === '' ? undefined : kubernetesNode,
    pollIntervalMs: parseDuration(environment['AUTODETECT_POLL_INTERVAL'] ?? '') ?? DEFAULT_POLL_MS,
    runFelix: environment['CALICO_DISABLE_FELIX'] !== 'true',
  };
}
