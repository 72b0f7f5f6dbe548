import { formatBlockAffinityName, parseBlockAffinityName } from './kinds/block-affinity.js';
import { type InternalKind, internalKinds, isInternalKind, isNamespaced, type Kind, publicKinds } from './registry.js';
import type { ResourceKey } from './resource-update.js';
import { CalicoError } from '../base/errors.js';

const RESOURCE_PREFIX = '/calico/resources/v3/projectcalico.org/';
const IPAM_PREFIX = '/calico/ipam/v2/';
const FELIX_PREFIX = '/calico/felix/';
/** Of the one that there may be; another name leads where nothing ever lies. */
const IPAM_CONFIGURATION_PATH = `${IPAM_PREFIX}config`;

const kindByPlural = new Map<string, Kind>(
  Object.values(publicKinds).map((definition) => [definition.plural, definition.kind as Kind]),
);

/** `192.168.0.0/26` → `ipv4/block/192.168.0.0-26`; IPv6 colons stay. */
function blockPath(cidr: string): string {
  return `ipv${cidr.includes(':') ? 6 : 4}/block/${cidr.replace('/', '-')}`;
}

function parseBlockPath(path: string): string | undefined {
  const match = /^ipv([46])\/block\/([0-9a-f.:]+)-(\d+)$/.exec(path);
  if (match === null) return undefined;
  const [, family, address, length] = match;
  return address?.includes(':') === (family === '6') ? `${address}/${length}` : undefined;
}

function affinityPath(name: string): string {
  const parsed = parseBlockAffinityName(name);
  if (parsed === undefined) {
    throw new CalicoError('ERR_CALI_API_KEY', `"${name}" does not name a block affinity: host:<node>/<cidr>`);
  }
  return `${parsed.type}/${parsed.owner}/${blockPath(parsed.cidr)}`;
}

function internalPath(kind: InternalKind, name: string): string {
  switch (kind) {
    case 'IPAMBlock':
      return `${IPAM_PREFIX}assignment/${blockPath(name)}`;
    case 'BlockAffinity':
      return `${IPAM_PREFIX}${affinityPath(name)}`;
    case 'IPAMHandle':
      return `${IPAM_PREFIX}handle/${name}`;
    case 'FelixStatus':
      return `${FELIX_PREFIX}${name}`;
  }
}

/**
 * Where an object lies in etcd. Names go in unescaped: validation keeps "/" out of them.
 *
 * @throws {CalicoError} `ERR_CALI_API_KEY` for a namespaced kind without namespace, or a name that cannot be one
 */
export function formatKeyPath(key: ResourceKey): string {
  if (isInternalKind(key.kind)) return internalPath(key.kind, key.name);
  if (key.kind === 'IPAMConfiguration' && key.name === 'default') return IPAM_CONFIGURATION_PATH;
  const { plural } = publicKinds[key.kind];
  if (!isNamespaced(key.kind)) return `${RESOURCE_PREFIX}${plural}/${key.name}`;
  if (key.namespace === undefined || key.namespace === '') {
    throw new CalicoError('ERR_CALI_API_KEY', `${key.kind} "${key.name}" has no namespace`);
  }
  return `${RESOURCE_PREFIX}${plural}/${key.namespace}/${key.name}`;
}

/**
 * Prefixes under which all objects of a kind lie, one range read each; that of IPAMConfiguration is its only key. A prefix may
 * cover keys that are no objects (IPAM's host markers): {@link parseKeyPath} answers undefined for them.
 */
export function keyPrefixes(kind: Kind, namespace?: string): readonly string[] {
  switch (kind) {
    case 'IPAMBlock':
      return [`${IPAM_PREFIX}assignment/`];
    case 'BlockAffinity':
      return [`${IPAM_PREFIX}host/`, `${IPAM_PREFIX}virtual/`];
    case 'IPAMHandle':
      return [`${IPAM_PREFIX}handle/`];
    case 'FelixStatus':
      return [FELIX_PREFIX];
    case 'IPAMConfiguration':
      return [IPAM_CONFIGURATION_PATH];
    default: {
      const within = namespace === undefined || !isNamespaced(kind) ? '' : `${namespace}/`;
      return [`${RESOURCE_PREFIX}${publicKinds[kind].plural}/${within}`];
    }
  }
}

function parseIpamPath(path: string): ResourceKey | undefined {
  if (path === 'config') return { kind: 'IPAMConfiguration', name: 'default' };
  const slash = path.indexOf('/');
  const rest = path.slice(slash + 1);
  if (rest === '') return undefined;
  switch (path.slice(0, slash)) {
    case 'assignment': {
      const cidr = parseBlockPath(rest);
      return cidr === undefined ? undefined : { kind: 'IPAMBlock', name: cidr };
    }
    case 'handle':
      return { kind: 'IPAMHandle', name: rest };
    case 'host':
      return parseAffinityPath('host', rest);
    case 'virtual':
      return parseAffinityPath('virtual', rest);
    default:
      return undefined;
  }
}

function parseAffinityPath(type: 'host' | 'virtual', path: string): ResourceKey | undefined {
  const slash = path.indexOf('/');
  const cidr = parseBlockPath(path.slice(slash + 1));
  if (slash <= 0 || cidr === undefined) return undefined;
  return { kind: 'BlockAffinity', name: formatBlockAffinityName({ type, owner: path.slice(0, slash), cidr }) };
}

/** The object that lies at a path of etcd; undefined for paths of other things. Inverse of {@link formatKeyPath}. */
export function parseKeyPath(path: string): ResourceKey | undefined {
  if (path.startsWith(IPAM_PREFIX)) return parseIpamPath(path.slice(IPAM_PREFIX.length));
  if (path.startsWith(FELIX_PREFIX)) return { kind: 'FelixStatus', name: path.slice(FELIX_PREFIX.length) };
  if (!path.startsWith(RESOURCE_PREFIX)) return undefined;
  const [plural = '', ...names] = path.slice(RESOURCE_PREFIX.length).split('/');
  const kind = kindByPlural.get(plural);
  if (kind === undefined || names.includes('')) return undefined;
  const [first, second] = names;
  if (first === undefined || names.length !== (isNamespaced(kind) ? 2 : 1)) return undefined;
  // Other implementations leave settings of IPAM here too, which their own IPAM does not read.
  if (kind === 'IPAMConfiguration' && first === 'default') return undefined;
  return second === undefined ? { kind, name: first } : { kind, namespace: first, name: second };
}

/** Every kind, the internal ones included. */
export const ALL_KINDS: readonly Kind[] = [...Object.keys(publicKinds), ...Object.keys(internalKinds)].filter(
  (kind): kind is Kind => Object.hasOwn(publicKinds, kind) || Object.hasOwn(internalKinds, kind),
);

/** As people know an object: `NetworkPolicy "shop/web"`. */
export function describeKey(key: ResourceKey): string {
  return `${key.kind} "${key.namespace === undefined ? '' : `${key.namespace}/`}${key.name}"`;
}
