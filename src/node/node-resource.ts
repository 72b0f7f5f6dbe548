import { API_VERSION } from '../api/meta.js';
import type { Node } from '../api/kinds/node.js';
import { CalicoError } from '../base/errors.js';
import { type Family, formatAddress } from '../net/address.js';
import { formatPrefix, type Prefix, tryParsePrefix } from '../net/prefix.js';
import { chooseAddress, type HostInterface, ownInterfaces } from './address-choice.js';
import { formatDetectionMethod } from './detection-method.js';
import type { FamilySettings, NodeSettings } from './settings.js';

/** What is known about this host when its Node is computed. */
export interface HostFacts {
  readonly name: string;
  readonly settings: NodeSettings;
  readonly interfaces: readonly HostInterface[];
  /** For `can-reach`, by family: the address the kernel would send from. */
  readonly sources: Readonly<Partial<Record<Family, string>>>;
}

export interface WantedNode {
  readonly node: Node;
  /** Families whose address differs from the stored one. */
  readonly changed: readonly Family[];
  /** One line for people each. */
  readonly warnings: readonly string[];
}

function storedAddress(stored: Node | undefined, family: Family): string | undefined {
  return family === 4 ? stored?.spec.bgp?.ipv4Address : stored?.spec.bgp?.ipv6Address;
}

function seenText(interfaces: readonly HostInterface[], family: Family): string {
  const seen = interfaces.map(({ name, addresses }) => {
    const own = addresses.filter(({ address }) => address.family === family).map(formatPrefix);
    return `${name} (${own.length === 0 ? 'none' : own.join(', ')})`;
  });
  return seen.length === 0 ? 'there is no interface' : `there are ${seen.join(', ')}`;
}

/** No address of a family that the node must have. */
function noAddress({ family, variable, method }: FamilySettings, interfaces: readonly HostInterface[]): CalicoError {
  return new CalicoError(
    'ERR_CALI_NODE_ADDRESS',
    `no IPv${family} address of this host found by "${formatDetectionMethod(method)}": ${seenText(interfaces, family)}`,
    {
      where: { field: variable },
      hint: `set ${variable} to the host's address, to none, or choose another ${variable}_AUTODETECTION_METHOD`,
    },
  );
}

/** A bare IPv4 address has the length it has on its interface; IPv6 stays a /128, as Calico documents it. */
function withLength(prefix: Prefix, interfaces: readonly HostInterface[]): Prefix {
  if (prefix.address.family === 6) return prefix;
  const text = formatAddress(prefix.address);
  const held = interfaces
    .flatMap(({ addresses }) => addresses)
    .find(({ address }) => address.family === 4 && formatAddress(address) === text);
  return held ?? prefix;
}

function isOnHost(prefix: Prefix, interfaces: readonly HostInterface[]): boolean {
  const text = formatAddress(prefix.address);
  return interfaces.some(({ addresses }) => addresses.some(({ address }) => formatAddress(address) === text));
}

interface Resolved {
  readonly address: string | undefined;
  readonly warning?: string;
}

function resolveGiven(prefix: Prefix, hasLength: boolean, { interfaces }: HostFacts): Resolved {
  const whole = hasLength ? prefix : withLength(prefix, interfaces);
  const address = formatPrefix(whole);
  return isOnHost(whole, interfaces)
    ? { address }
    : { address, warning: `no interface of this host has the address ${formatAddress(whole.address)}` };
}

function resolveFamily(family: FamilySettings, facts: HostFacts, stored: string | undefined): Resolved {
  const setting = family.address;
  if (setting.type === 'none') return { address: undefined };
  if (setting.type === 'given') return resolveGiven(setting.prefix, setting.hasLength, facts);
  if (setting.type === 'keep' && (stored !== undefined || family.family === 6)) return { address: stored };
  const found = chooseAddress(family.method, family.family, facts.interfaces, facts.sources[family.family]);
  if (found !== undefined) return { address: formatPrefix(found) };
  if (stored === undefined) throw noAddress(family, facts.interfaces);
  return { address: stored, warning: `${noAddress(family, facts.interfaces).message}; it keeps ${stored}` };
}

function bgpOf(stored: Node | undefined, ipv4: string | undefined, ipv6: string | undefined, asNumber?: number) {
  const kept = { ...stored?.spec.bgp };
  delete kept.ipv4Address;
  delete kept.ipv6Address;
  const bgp = {
    ...kept,
    ...(ipv4 === undefined ? {} : { ipv4Address: ipv4 }),
    ...(ipv6 === undefined ? {} : { ipv6Address: ipv6 }),
    ...(asNumber === undefined ? {} : { asNumber }),
  };
  return Object.keys(bgp).length === 0 ? undefined : bgp;
}

function addressesOf(stored: Node | undefined, own: readonly string[]): NonNullable<Node['spec']['addresses']> {
  const bare = (text: string): string => text.replace(/\/\d+$/, '');
  const foreign = (stored?.spec.addresses ?? []).filter(({ type }) => type === 'ExternalIP');
  return [
    ...own.flatMap((address) => [
      { address, type: 'CalicoNodeIP' as const },
      { address: bare(address), type: 'InternalIP' as const },
    ]),
    ...foreign,
  ];
}

function interfacesOf(interfaces: readonly HostInterface[]): NonNullable<Node['spec']['interfaces']> {
  return ownInterfaces(interfaces).map(({ name, addresses }) => ({ name, addresses: addresses.map(formatPrefix) }));
}

function orchRefsOf(stored: Node | undefined, kubernetesNode: string | undefined): Node['spec']['orchRefs'] {
  const refs = stored?.spec.orchRefs ?? [];
  if (kubernetesNode === undefined) return refs.length === 0 ? undefined : refs;
  return [
    ...refs.filter(({ orchestrator }) => orchestrator !== 'k8s'),
    { nodeName: kubernetesNode, orchestrator: 'k8s' },
  ];
}

function prefixOf(text: string | undefined): Prefix | undefined {
  return text === undefined ? undefined : tryParsePrefix(text);
}

/**
 * This host's Node as it should be: what is stored, with addresses, AS number and interfaces as settings and host say.
 *
 * @throws {CalicoError} `ERR_CALI_NODE_ADDRESS` the host has no address it must have
 */
export function wantedNode(stored: Node | undefined, facts: HostFacts): WantedNode {
  const { settings, interfaces, name } = facts;
  const spec = { ...stored?.spec };
  const kept = { v4: storedAddress(stored, 4), v6: storedAddress(stored, 6) };
  const policyOnly = settings.networking === 'none';
  const ipv4 = policyOnly ? { address: kept.v4 } : resolveFamily(settings.ipv4, facts, kept.v4);
  const ipv6 = policyOnly ? { address: kept.v6 } : resolveFamily(settings.ipv6, facts, kept.v6);
  if (!policyOnly && ipv4.address === undefined && ipv6.address === undefined) throw noFamily();
  const bgp = bgpOf(stored, ipv4.address, ipv6.address, settings.asNumber);
  const orchRefs = orchRefsOf(stored, settings.kubernetesNode);
  delete spec.bgp;
  const own = [ipv4.address, ipv6.address].filter((address) => address !== undefined);
  const node: Node = {
    apiVersion: API_VERSION,
    kind: 'Node',
    metadata: stored?.metadata ?? { name },
    spec: {
      ...spec,
      ...(bgp === undefined ? {} : { bgp }),
      ...(orchRefs === undefined ? {} : { orchRefs }),
      addresses: addressesOf(stored, own),
      interfaces: interfacesOf(interfaces),
    },
  };
  const changed = ([4, 6] as const).filter(
    (family) => storedAddress(stored, family) !== (family === 4 ? ipv4 : ipv6).address,
  );
  const warnings = [ipv4.warning, ipv6.warning].filter((warning) => warning !== undefined);
  return { node, changed, warnings };
}

function noFamily(): CalicoError {
  return new CalicoError('ERR_CALI_NODE_ADDRESS', 'this node would have neither an IPv4 nor an IPv6 address', {
    where: { field: 'IP' },
    hint: 'set IP or IP6, or CALICO_NETWORKING_BACKEND=none for policy alone',
  });
}

/**
 * Another node with the same address: two hosts that believe to be one.
 *
 * @throws {CalicoError} `ERR_CALI_NODE_ADDRESS_TAKEN`
 */
export function refuseTakenAddress({ node, changed }: WantedNode, others: readonly Node[]): void {
  for (const family of changed) {
    const own = prefixOf(storedAddress(node, family));
    if (own === undefined) continue;
    const text = formatAddress(own.address);
    const holder = others.find((other) => {
      const address = prefixOf(storedAddress(other, family))?.address;
      return other.metadata.name !== node.metadata.name && address !== undefined && formatAddress(address) === text;
    });
    if (holder === undefined) continue;
    throw new CalicoError(
      'ERR_CALI_NODE_ADDRESS_TAKEN',
      `node "${node.metadata.name}" cannot have the address ${text}: node "${holder.metadata.name}" has it`,
      {
        hint: `give one of them another ${family === 4 ? 'IP' : 'IP6'}, or remove the old node with: calicoctl delete node ${holder.metadata.name}`,
      },
    );
  }
}
