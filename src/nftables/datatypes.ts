import { addressFromBytes, formatAddress, tryParseAddress } from '../net/address.js';
import { invalidValue } from './errors.js';

/** Key and data types by the name `nft` gives them. `unknown` only comes from read-back of somebody else's set. */
export type Datatype =
  | 'nf_proto'
  | 'ipv4_addr'
  | 'ipv6_addr'
  | 'ether_addr'
  | 'inet_proto'
  | 'inet_service'
  | 'icmp_type'
  | 'icmpv6_type'
  | 'icmp_code'
  | 'icmpv6_code'
  | 'mark'
  | 'iface_index'
  | 'ifname'
  | 'unknown';

interface DatatypeFacts {
  /** nft's own number (its `enum datatypes`), stored in the set so that `nft` can print it. */
  readonly number: number;
  /** Bytes without padding. */
  readonly length: number;
  readonly byteOrder: 'big' | 'host';
  /** Writes the value at `offset`; false when the text is not one. */
  write(text: string, target: Uint8Array, offset: number): boolean;
  print(bytes: Uint8Array): string;
}

/** The names nft takes, which are those of Debian's /etc/protocols. */
const PROTOCOL_NUMBERS: ReadonlyMap<string, number> = new Map([
  ['icmp', 1],
  ['igmp', 2],
  ['ipencap', 4],
  ['tcp', 6],
  ['udp', 17],
  ['dccp', 33],
  ['ipv6', 41],
  ['gre', 47],
  ['esp', 50],
  ['ah', 51],
  ['ipv6-icmp', 58],
  ['icmpv6', 58],
  ['ipip', 94],
  ['ipcomp', 108],
  ['comp', 108],
  ['sctp', 132],
  ['udplite', 136],
]);

const PROTOCOL_NAMES: ReadonlyMap<number, string> = new Map(
  [...PROTOCOL_NUMBERS]
    .filter(([name]) => name !== 'icmpv6' && name !== 'comp')
    .map(([name, number]) => [number, name]),
);

const ICMP_TYPES: ReadonlyMap<number, string> = new Map([
  [0, 'echo-reply'],
  [3, 'destination-unreachable'],
  [4, 'source-quench'],
  [5, 'redirect'],
  [8, 'echo-request'],
  [9, 'router-advertisement'],
  [10, 'router-solicitation'],
  [11, 'time-exceeded'],
  [12, 'parameter-problem'],
  [13, 'timestamp-request'],
  [14, 'timestamp-reply'],
  [15, 'info-request'],
  [16, 'info-reply'],
  [17, 'address-mask-request'],
  [18, 'address-mask-reply'],
]);

const ICMPV6_TYPES: ReadonlyMap<number, string> = new Map([
  [1, 'destination-unreachable'],
  [2, 'packet-too-big'],
  [3, 'time-exceeded'],
  [4, 'parameter-problem'],
  [128, 'echo-request'],
  [129, 'echo-reply'],
  [130, 'mld-listener-query'],
  [131, 'mld-listener-report'],
  [132, 'mld-listener-done'],
  [133, 'nd-router-solicit'],
  [134, 'nd-router-advert'],
  [135, 'nd-neighbor-solicit'],
  [136, 'nd-neighbor-advert'],
  [137, 'nd-redirect'],
  [138, 'router-renumbering'],
  [141, 'ind-neighbor-solicit'],
  [142, 'ind-neighbor-advert'],
  [143, 'mld2-listener-report'],
]);

const ICMP_CODES: ReadonlyMap<number, string> = new Map([
  [0, 'net-unreachable'],
  [1, 'host-unreachable'],
  [2, 'prot-unreachable'],
  [3, 'port-unreachable'],
  [4, 'frag-needed'],
  [9, 'net-prohibited'],
  [10, 'host-prohibited'],
  [13, 'admin-prohibited'],
]);

const ICMPV6_CODES: ReadonlyMap<number, string> = new Map([
  [0, 'no-route'],
  [1, 'admin-prohibited'],
  [3, 'addr-unreachable'],
  [4, 'port-unreachable'],
  [5, 'policy-fail'],
  [6, 'reject-route'],
]);

const PROTOCOL_FAMILIES: ReadonlyMap<number, string> = new Map([
  [2, 'ipv4'],
  [10, 'ipv6'],
]);

/** A number in decimal or 0x form that fits in `bytes` bytes, else undefined. */
function tryParseNumber(text: string, bytes: number): number | undefined {
  if (!/^(0x[0-9a-f]+|\d+)$/i.test(text)) return undefined;
  const value = Number(text);
  return value < 256 ** bytes ? value : undefined;
}

function numberIn(names: ReadonlyMap<number, string>, text: string): number | undefined {
  for (const [number, name] of names) if (name === text) return number;
  return tryParseNumber(text, 1);
}

function writeByte(value: number | undefined, target: Uint8Array, offset: number): boolean {
  if (value === undefined) return false;
  target[offset] = value;
  return true;
}

function byteNamedBy(names: ReadonlyMap<number, string>, number: number): DatatypeFacts {
  return {
    number,
    length: 1,
    byteOrder: 'big',
    write: (text, target, offset) => writeByte(numberIn(names, text), target, offset),
    print: (bytes) => names.get(bytes[0] ?? 0) ?? String(bytes[0] ?? 0),
  };
}

function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('hex');
}

/** The four octets straight into the key: this is the path of a hundred thousand members. */
function writeIpv4(text: string, target: Uint8Array, offset: number): boolean {
  const address = tryParseAddress(text);
  if (address?.family !== 4) return false;
  target[offset] = address.value >>> 24;
  target[offset + 1] = address.value >>> 16;
  target[offset + 2] = address.value >>> 8;
  target[offset + 3] = address.value;
  return true;
}

function writeIpv6(text: string, target: Uint8Array, offset: number): boolean {
  const address = tryParseAddress(text);
  if (address?.family !== 6) return false;
  for (const [i, word] of address.words.entries()) {
    target[offset + 4 * i] = word >>> 24;
    target[offset + 4 * i + 1] = word >>> 16;
    target[offset + 4 * i + 2] = word >>> 8;
    target[offset + 4 * i + 3] = word;
  }
  return true;
}

function writeEther(text: string, target: Uint8Array, offset: number): boolean {
  if (!/^([0-9a-f]{1,2}:){5}[0-9a-f]{1,2}$/i.test(text)) return false;
  for (const [i, octet] of text.split(':').entries()) target[offset + i] = Number.parseInt(octet, 16);
  return true;
}

function writePort(text: string, target: Uint8Array, offset: number): boolean {
  const value = tryParseNumber(text, 2);
  if (value === undefined) return false;
  target[offset] = value >>> 8;
  target[offset + 1] = value;
  return true;
}

function writeHost32(text: string, target: Uint8Array, offset: number): boolean {
  const value = tryParseNumber(text, 4);
  if (value === undefined) return false;
  hostView(target).setUint32(offset, value, LITTLE);
  return true;
}

function writeName(text: string, target: Uint8Array, offset: number): boolean {
  const bytes = Buffer.from(text);
  if (bytes.length === 0 || bytes.length > 15 || bytes.includes(0)) return false;
  target.set(bytes, offset);
  return true;
}

/** Host byte order, as marks and interface indexes are kept. */
export const LITTLE = new Uint8Array(Uint32Array.of(1).buffer)[0] === 1;

export function hostView(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

const FACTS: Readonly<Record<Datatype, DatatypeFacts>> = {
  unknown: { number: 0, length: 0, byteOrder: 'big', write: () => false, print: (bytes) => `0x${hex(bytes)}` },
  nf_proto: byteNamedBy(PROTOCOL_FAMILIES, 2),
  ipv4_addr: {
    number: 7,
    length: 4,
    byteOrder: 'big',
    write: writeIpv4,
    print: (bytes) => formatAddress(addressFromBytes(bytes)),
  },
  ipv6_addr: {
    number: 8,
    length: 16,
    byteOrder: 'big',
    write: writeIpv6,
    print: (bytes) => formatAddress(addressFromBytes(bytes)),
  },
  ether_addr: {
    number: 9,
    length: 6,
    byteOrder: 'big',
    write: writeEther,
    print: (bytes) => [...bytes].map((octet) => octet.toString(16).padStart(2, '0')).join(':'),
  },
  inet_proto: {
    number: 12,
    length: 1,
    byteOrder: 'big',
    write: (text, target, offset) => writeByte(PROTOCOL_NUMBERS.get(text) ?? tryParseNumber(text, 1), target, offset),
    print: (bytes) => PROTOCOL_NAMES.get(bytes[0] ?? 0) ?? String(bytes[0] ?? 0),
  },
  inet_service: {
    number: 13,
    length: 2,
    byteOrder: 'big',
    write: writePort,
    print: (bytes) => String(hostView(bytes).getUint16(0)),
  },
  icmp_type: byteNamedBy(ICMP_TYPES, 14),
  icmpv6_type: byteNamedBy(ICMPV6_TYPES, 29),
  icmp_code: byteNamedBy(ICMP_CODES, 32),
  icmpv6_code: byteNamedBy(ICMPV6_CODES, 33),
  mark: {
    number: 19,
    length: 4,
    byteOrder: 'host',
    write: writeHost32,
    print: (bytes) => `0x${hostView(bytes).getUint32(0, LITTLE).toString(16).padStart(8, '0')}`,
  },
  iface_index: {
    number: 20,
    length: 4,
    byteOrder: 'host',
    write: writeHost32,
    print: (bytes) => String(hostView(bytes).getUint32(0, LITTLE)),
  },
  ifname: {
    number: 41,
    length: 16,
    byteOrder: 'host',
    write: writeName,
    print: (bytes) => `"${interfaceName(bytes)}"`,
  },
};

/** Text up to the first NUL. */
export function interfaceName(bytes: Uint8Array): string {
  const end = bytes.indexOf(0);
  return Buffer.from(end < 0 ? bytes : bytes.subarray(0, end)).toString();
}

const BY_NUMBER: ReadonlyMap<number, Datatype> = new Map(
  Object.entries(FACTS).map(([name, facts]) => [facts.number, name as Datatype]),
);

export function datatypeLength(datatype: Datatype): number {
  return FACTS[datatype].length;
}

export function datatypeByteOrder(datatype: Datatype): 'big' | 'host' {
  return FACTS[datatype].byteOrder;
}

/** Writes the value named by the text. @throws {CalicoError} when the text is no value of the type */
export function writeValue(datatype: Datatype, text: string, target: Uint8Array, offset: number): void {
  if (!FACTS[datatype].write(text, target, offset)) throw invalidValue(datatype, text);
}

/** The value's bytes: network order, or host order for marks and indexes. */
export function valueBytes(datatype: Datatype, text: string): Uint8Array {
  const bytes = new Uint8Array(FACTS[datatype].length);
  writeValue(datatype, text, bytes, 0);
  return bytes;
}

/** As `nft` prints a value of the type; bytes of another length come as hexadecimal. */
export function printValue(datatype: Datatype, bytes: Uint8Array): string {
  const facts = FACTS[datatype];
  return bytes.length === facts.length ? facts.print(bytes) : FACTS.unknown.print(bytes);
}

/** Length of a key or value in registers: one datatype as it is, the fields of a concatenation padded to four bytes each. */
export function concatLength(datatypes: readonly Datatype[]): number {
  const [only] = datatypes;
  if (datatypes.length === 1 && only !== undefined) return FACTS[only].length;
  return datatypes.reduce((sum, datatype) => sum + paddedLength(FACTS[datatype].length), 0);
}

export function paddedLength(length: number): number {
  return (length + 3) & ~3;
}

const TYPE_BITS = 6;

/** nft's number for a key: the datatypes' numbers, six bits each. */
export function datatypesNumber(datatypes: readonly Datatype[]): number {
  return datatypes.reduce((number, datatype) => (number << TYPE_BITS) | FACTS[datatype].number, 0);
}

/** The inverse of {@link datatypesNumber}; a field we do not know comes back as `unknown`. */
export function datatypesOfNumber(number: number): readonly Datatype[] {
  const datatypes: Datatype[] = [];
  for (let rest = number; rest > 0; rest >>>= TYPE_BITS) {
    datatypes.unshift(BY_NUMBER.get(rest & (2 ** TYPE_BITS - 1)) ?? 'unknown');
  }
  return datatypes.length === 0 ? ['unknown'] : datatypes;
}
