import { CalicoError } from '../base/errors.js';
import type { Ipv6Address } from './address.js';

/**
 * The host side of every workload interface. A constant, so that a workload that moves to another host finds its gateway at
 * the address it has cached.
 */
export const HOST_SIDE_MAC = 'ee:ee:ee:ee:ee:ee';

/** Canonical text of a MAC: six lower-case octets with colons; undefined when it is none. Dashes are taken too. */
export function tryParseMac(text: string): string | undefined {
  if (!/^[0-9a-f]{2}(?:[:-][0-9a-f]{2}){5}$/i.test(text)) return undefined;
  return text.toLowerCase().replaceAll('-', ':');
}

/** @throws {CalicoError} `ERR_CALI_NET_MAC` */
export function parseMac(text: string): string {
  const mac = tryParseMac(text);
  if (mac === undefined) {
    throw new CalicoError('ERR_CALI_NET_MAC', `"${text}" is not a MAC address: write six octets (02:00:5e:00:53:01)`);
  }
  return mac;
}

/** The six octets of a MAC as text. @throws {CalicoError} `ERR_CALI_NET_MAC` */
export function macBytes(mac: string): Uint8Array {
  return Uint8Array.from(parseMac(mac).split(':'), (octet) => Number.parseInt(octet, 16));
}

/** Canonical text of six octets; undefined for any other length (tunnels have addresses of 4 or 16 octets instead). */
export function macFromBytes(bytes: Uint8Array): string | undefined {
  return bytes.length === 6 ? Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join(':') : undefined;
}

/** The IPv6 link-local address the kernel derives from a MAC (modified EUI-64, RFC 4291 appendix A). */
export function linkLocalAddress(mac: string): Ipv6Address {
  const [a = 0, b = 0, c = 0, d = 0, e = 0, f = 0] = macBytes(mac);
  const third = (((a ^ 2) << 24) | (b << 16) | (c << 8) | 0xff) >>> 0;
  const fourth = ((0xfe << 24) | (d << 16) | (e << 8) | f) >>> 0;
  return { family: 6, words: [0xfe800000, 0, third, fourth] };
}
