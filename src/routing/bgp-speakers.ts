import type { Node } from '../api/kinds/node.js';
import { hashBytes } from '../base/hash.js';
import { type Address, type Family, formatAddress, tryParseAddress } from '../net/address.js';
import { formatPrefix, networkOf, tryParsePrefix } from '../net/prefix.js';

/** A host's own end: its address and the subnet it stands in. */
export interface SpeakerAddress {
  readonly address: string;
  readonly subnet: string;
}

/** A Node as BGP sees it. One without addresses speaks no BGP. */
export interface Speaker {
  readonly name: string;
  /** Its own, where it does not have that of the cluster. */
  readonly asNumber: number | undefined;
  readonly ipv4: SpeakerAddress | undefined;
  readonly ipv6: SpeakerAddress | undefined;
  /** A route reflector, outside the mesh. */
  readonly clusterId: string | undefined;
  readonly labels: ReadonlyMap<string, string>;
}

export function speakerOf(node: Node): Speaker {
  const { bgp = {} } = node.spec;
  return {
    name: node.metadata.name,
    asNumber: bgp.asNumber,
    ipv4: speakerAddress(bgp.ipv4Address),
    ipv6: speakerAddress(bgp.ipv6Address),
    clusterId: bgp.routeReflectorClusterID === '' ? undefined : bgp.routeReflectorClusterID,
    labels: new Map(Object.entries(node.metadata.labels ?? {})),
  };
}

function speakerAddress(cidr: string | undefined): SpeakerAddress | undefined {
  const prefix = cidr === undefined ? undefined : tryParsePrefix(cidr);
  if (prefix === undefined) return undefined;
  return { address: formatAddress(prefix.address), subnet: formatPrefix(networkOf(prefix)) };
}

export function addressOf(speaker: Speaker, family: Family): string | undefined {
  return (family === 4 ? speaker.ipv4 : speaker.ipv6)?.address;
}

/** Canonical text and family of an address. */
export function readAddress(text: string): { readonly address: string; readonly family: Family } | undefined {
  const address: Address | undefined = tryParseAddress(text);
  return address === undefined ? undefined : { address: formatAddress(address), family: address.family };
}

/**
 * The router id: what is given, else the host's IPv4 address. `hash`, or a host without IPv4, makes one from the host's name: the first
 * four bytes of its SHA-256, kept below the multicast addresses.
 */
export function routerId(speaker: Speaker, given: string | undefined): string {
  if (given !== undefined && given !== '' && given !== 'hash') return given;
  if (given !== 'hash' && speaker.ipv4 !== undefined) return speaker.ipv4.address;
  const [first = 0, ...rest] = hashBytes('sha256', speaker.name).subarray(0, 4);
  return [first > 223 ? first - 32 : first, ...rest].join('.');
}
