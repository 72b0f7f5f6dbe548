import type { Family } from '../net/address.js';
import { formatAddress } from '../net/address.js';
import { addressInPrefix, parsePrefix, type Prefix } from '../net/prefix.js';
import type { DetectionMethod } from './detection-method.js';

/** An interface of this host with its addresses, host bits and length as configured. */
export interface HostInterface {
  readonly name: string;
  readonly addresses: readonly Prefix[];
}

/** Never this host's own: what containers, tunnels and other programs make. */
const EXCLUDED =
  /^(?:docker.*|cbr.*|dummy.*|podman.*|virbr.*|lxcbr.*|veth.*|lo|br-.*|cali.*|tunl.*|flannel.*|kube-ipvs.*|cni.*|vxlan\.calico.*|vxlan-v6\.calico.*|wireguard\.cali.*|wg-v6\.cali.*|nodelocaldns.*)/;

/** Loopback, link-local, multicast, unspecified, broadcast: not global unicast. */
const NOT_GLOBAL = [
  '0.0.0.0/32',
  '127.0.0.0/8',
  '169.254.0.0/16',
  '224.0.0.0/4',
  '255.255.255.255/32',
  '::/128',
  '::1/128',
  'fe80::/10',
  'ff00::/8',
].map(parsePrefix);

function isGlobalUnicast({ address }: Prefix): boolean {
  return !NOT_GLOBAL.some((range) => addressInPrefix(address, range));
}

function isExcluded(name: string): boolean {
  return EXCLUDED.test(name);
}

/** The interfaces that are this host's own, in the kernel's order, each with an address. */
export function ownInterfaces(interfaces: readonly HostInterface[]): readonly HostInterface[] {
  return interfaces.filter(({ name, addresses }) => !isExcluded(name) && addresses.length > 0);
}

function matches(method: DetectionMethod, name: string): boolean {
  switch (method.type) {
    case 'interface':
      return method.pattern.test(name);
    case 'skip-interface':
      return !isExcluded(name) && !method.pattern.test(name);
    case 'first-found':
      return !isExcluded(name);
    case 'cidr':
    case 'can-reach':
      return true;
  }
}

function fits(method: DetectionMethod, prefix: Prefix): boolean {
  return method.type !== 'cidr' || method.prefixes.some((range) => addressInPrefix(prefix.address, range));
}

/**
 * The host's address of a family, with the length it has on its interface.
 *
 * Interfaces are looked at from the last of the kernel's list to the first, whatever their state.
 *
 * @param source for `can-reach`: the local address the kernel would use
 * @returns undefined when no interface has one that fits
 */
export function chooseAddress(
  method: DetectionMethod,
  family: Family,
  interfaces: readonly HostInterface[],
  source?: string,
): Prefix | undefined {
  for (const { name, addresses } of interfaces.toReversed()) {
    if (!matches(method, name)) continue;
    const found = addresses.find(
      (prefix) =>
        prefix.address.family === family &&
        isGlobalUnicast(prefix) &&
        fits(method, prefix) &&
        (method.type !== 'can-reach' || formatAddress(prefix.address) === source),
    );
    if (found !== undefined) return found;
  }
  return undefined;
}
