import { CalicoError } from '../base/errors.js';

export type Family = 4 | 6;

/** An IPv4 address as an unsigned 32-bit number, first octet highest. */
export interface Ipv4Address {
  readonly family: 4;
  readonly value: number;
}

/** An IPv6 address as four unsigned 32-bit numbers, most significant first. */
export interface Ipv6Address {
  readonly family: 6;
  readonly words: readonly [number, number, number, number];
}

export type Address = Ipv4Address | Ipv6Address;

function invalid(text: string, why: string): CalicoError {
  return new CalicoError('ERR_CALI_NET_ADDRESS', `"${text}" is not an IP address: ${why}`);
}

/** The 32-bit value, or undefined: exactly four decimal octets, no leading zeros (octal readings differ between tools). */
function ipv4Value(text: string): number | undefined {
  let value = 0;
  let octet = -1;
  let octets = 0;
  let leadingZero = false;
  for (let i = 0; i <= text.length; i += 1) {
    const code = i === text.length ? 46 : text.charCodeAt(i);
    if (code === 46) {
      if (octet < 0) return undefined;
      value = value * 256 + octet;
      octets += 1;
      octet = -1;
      leadingZero = false;
    } else {
      if (code < 48 || code > 57 || leadingZero) return undefined;
      octet = octet < 0 ? code - 48 : octet * 10 + code - 48;
      leadingZero = octet === 0;
      if (octet > 255 || octets > 3) return undefined;
    }
  }
  return octets === 4 ? value : undefined;
}

function hexGroup(group: string): number | undefined {
  return /^[0-9a-f]{1,4}$/i.test(group) ? Number.parseInt(group, 16) : undefined;
}

/** 16-bit groups of one side of `::`; an IPv4 tail counts as two. */
function groupsOf(text: string, allowIpv4Tail: boolean): number[] | undefined {
  if (text === '') return [];
  const parts = text.split(':');
  const groups: number[] = [];
  for (const [index, part] of parts.entries()) {
    if (allowIpv4Tail && index === parts.length - 1 && part.includes('.')) {
      const value = ipv4Value(part);
      if (value === undefined) return undefined;
      groups.push(value >>> 16, value & 0xffff);
    } else {
      const group = hexGroup(part);
      if (group === undefined) return undefined;
      groups.push(group);
    }
  }
  return groups;
}

function ipv6Groups(text: string): number[] | undefined {
  const gap = text.indexOf('::');
  if (gap < 0) {
    const groups = groupsOf(text, true);
    return groups?.length === 8 ? groups : undefined;
  }
  const head = groupsOf(text.slice(0, gap), false);
  const tail = groupsOf(text.slice(gap + 2), true);
  if (head === undefined || tail === undefined || head.length + tail.length > 7) return undefined;
  return [...head, ...Array.from({ length: 8 - head.length - tail.length }, () => 0), ...tail];
}

/** The address, or undefined when the text is not one. Zones (`%eth0`), octal and short forms are refused. */
export function tryParseAddress(text: string): Address | undefined {
  if (!text.includes(':')) {
    const value = ipv4Value(text);
    return value === undefined ? undefined : { family: 4, value };
  }
  const groups = ipv6Groups(text);
  if (groups === undefined) return undefined;
  const word = (i: number): number => ((groups[i] ?? 0) * 65536 + (groups[i + 1] ?? 0)) >>> 0;
  return { family: 6, words: [word(0), word(2), word(4), word(6)] };
}

/** @throws {CalicoError} `ERR_CALI_NET_ADDRESS` */
export function parseAddress(text: string): Address {
  const address = tryParseAddress(text);
  if (address === undefined) throw invalid(text, 'write four octets (192.0.2.7) or IPv6 groups (2001:db8::7)');
  return address;
}

function formatIpv6(words: readonly number[]): string {
  const groups = words.flatMap((word) => [word >>> 16, word & 0xffff]);
  let bestStart = -1;
  let bestLength = 1;
  for (let i = 0; i < 8; i += 1) {
    let length = 0;
    while (i + length < 8 && groups[i + length] === 0) length += 1;
    if (length > bestLength) [bestStart, bestLength] = [i, length];
    if (length > 0) i += length;
  }
  const hex = groups.map((group) => group.toString(16));
  if (bestStart < 0) return hex.join(':');
  return `${hex.slice(0, bestStart).join(':')}::${hex.slice(bestStart + bestLength).join(':')}`;
}

/** Canonical text (RFC 5952 for IPv6): the form used wherever an address is a map key or a set member. */
export function formatAddress(address: Address): string {
  if (address.family === 6) return formatIpv6(address.words);
  const v = address.value;
  return `${v >>> 24}.${(v >>> 16) & 255}.${(v >>> 8) & 255}.${v & 255}`;
}

/** Network byte order: 4 or 16 bytes, as the kernel takes them. */
export function addressBytes(address: Address): Uint8Array {
  if (address.family === 4) {
    const v = address.value;
    return Uint8Array.of(v >>> 24, (v >>> 16) & 255, (v >>> 8) & 255, v & 255);
  }
  const bytes = new Uint8Array(16);
  const view = new DataView(bytes.buffer);
  address.words.forEach((word, i) => view.setUint32(i * 4, word));
  return bytes;
}

/** The inverse of {@link addressBytes}. @throws {CalicoError} for a length other than 4 or 16 */
export function addressFromBytes(bytes: Uint8Array): Address {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (bytes.length === 4) return { family: 4, value: view.getUint32(0) };
  if (bytes.length !== 16)
    throw invalid(Buffer.from(bytes).toString('hex'), `it has ${bytes.length} bytes, not 4 or 16`);
  return { family: 6, words: [view.getUint32(0), view.getUint32(4), view.getUint32(8), view.getUint32(12)] };
}

/** Number of bits: 32 or 128. */
export function addressBits(family: Family): 32 | 128 {
  return family === 4 ? 32 : 128;
}

/** Address plus a non-negative offset below 2^32; wraps at the end of the family's space. */
export function addToAddress(address: Address, offset: number): Address {
  if (address.family === 4) return { family: 4, value: (address.value + offset) % 2 ** 32 };
  const words: [number, number, number, number] = [...address.words];
  let carry = offset;
  for (let i = 3; i >= 0 && carry > 0; i -= 1) {
    const sum = (words[i] ?? 0) + carry;
    words[i] = sum % 2 ** 32;
    carry = Math.floor(sum / 2 ** 32);
  }
  return { family: 6, words };
}

/** Negative, zero or positive; IPv4 sorts before IPv6. */
export function compareAddresses(a: Address, b: Address): number {
  if (a.family === 4 && b.family === 4) return a.value - b.value;
  if (a.family === 6 && b.family === 6) {
    for (let i = 0; i < 4; i += 1) {
      const difference = (a.words[i] ?? 0) - (b.words[i] ?? 0);
      if (difference !== 0) return difference;
    }
    return 0;
  }
  return a.family - b.family;
}
