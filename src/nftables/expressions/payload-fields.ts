import { type Datatype, datatypeLength, printValue } from '../datatypes.js';
import { printField } from '../elements.js';
import type { Payload } from './payload.js';
import { type Operand, type RuleText, opaque } from './rule-text.js';

interface NamedField {
  readonly name: string;
  readonly offset: number;
  readonly datatype: Datatype | 'number' | 'tcp_flags' | 'arp_operation' | 'ether_type';
  readonly length: number;
}

function field(name: string, offset: number, length: number, datatype: NamedField['datatype'] = 'number'): NamedField {
  return { name, offset, length, datatype };
}

const ETHER: readonly NamedField[] = [
  field('ether daddr', 0, 6, 'ether_addr'),
  field('ether saddr', 6, 6, 'ether_addr'),
  field('ether type', 12, 2, 'ether_type'),
];

const IP4: readonly NamedField[] = [
  field('ip length', 2, 2),
  field('ip id', 4, 2),
  field('ip ttl', 8, 1),
  field('ip protocol', 9, 1, 'inet_proto'),
  field('ip saddr', 12, 4, 'ipv4_addr'),
  field('ip daddr', 16, 4, 'ipv4_addr'),
];

const IP6: readonly NamedField[] = [
  field('ip6 length', 4, 2),
  field('ip6 nexthdr', 6, 1, 'inet_proto'),
  field('ip6 hoplimit', 7, 1),
  field('ip6 saddr', 8, 16, 'ipv6_addr'),
  field('ip6 daddr', 24, 16, 'ipv6_addr'),
];

const ARP: readonly NamedField[] = [
  field('arp hlen', 4, 1),
  field('arp plen', 5, 1),
  field('arp operation', 6, 2, 'arp_operation'),
  field('arp saddr ether', 8, 6, 'ether_addr'),
  field('arp saddr ip', 14, 4, 'ipv4_addr'),
  field('arp daddr ether', 18, 6, 'ether_addr'),
  field('arp daddr ip', 24, 4, 'ipv4_addr'),
];

function ports(protocol: string): readonly NamedField[] {
  return [field(`${protocol} sport`, 0, 2, 'inet_service'), field(`${protocol} dport`, 2, 2, 'inet_service')];
}

const BY_PROTOCOL: ReadonlyMap<number, readonly NamedField[]> = new Map([
  [1, [field('icmp type', 0, 1, 'icmp_type'), field('icmp code', 1, 1, 'icmp_code')]],
  [6, [...ports('tcp'), field('tcp flags', 13, 1, 'tcp_flags')]],
  [17, [...ports('udp'), field('udp length', 4, 2)]],
  [33, ports('dccp')],
  [58, [field('icmpv6 type', 0, 1, 'icmpv6_type'), field('icmpv6 code', 1, 1, 'icmpv6_code')]],
  [132, ports('sctp')],
  [136, ports('udplite')],
]);
const ANY_TRANSPORT = ports('th');
const ICMP_FAMILY: ReadonlyMap<number, 4 | 6> = new Map([
  [1, 4],
  [58, 6],
]);

const TCP_FLAGS = ['fin', 'syn', 'rst', 'psh', 'ack', 'urg', 'ecn', 'cwr'];
const ARP_OPERATIONS = ['0', 'request', 'reply', 'rrequest', 'rreply'];
const ETHER_TYPES: ReadonlyMap<number, string> = new Map([
  [0x0800, 'ip'],
  [0x0806, 'arp'],
  [0x86dd, 'ip6'],
  [0x8100, 'vlan'],
]);

function bigEndian(bytes: Uint8Array): number {
  return bytes.reduce((number, byte) => number * 256 + byte, 0);
}

function printScalar(datatype: NamedField['datatype'], bytes: Uint8Array): string {
  switch (datatype) {
    case 'number':
      return String(bigEndian(bytes));
    case 'tcp_flags':
      return flagNames(TCP_FLAGS, bigEndian(bytes));
    case 'arp_operation':
      return ARP_OPERATIONS[bigEndian(bytes)] ?? String(bigEndian(bytes));
    case 'ether_type':
      return ETHER_TYPES.get(bigEndian(bytes)) ?? `0x${bigEndian(bytes).toString(16)}`;
    default:
      return printValue(datatype, bytes);
  }
}

/** Names of the set bits, lowest first; `0x0` for none. */
export function flagNames(names: readonly string[], bits: number): string {
  const shown = names.filter((name, bit) => name !== '' && (bits & (1 << bit)) !== 0);
  return shown.length === 0 ? `0x${bits.toString(16)}` : shown.join(',');
}

function fieldsAt(expression: Payload, text: RuleText): readonly NamedField[] {
  if (expression.base === 'link') return ETHER;
  if (expression.base === 'network') {
    if (text.family === 'arp') return ARP;
    if (text.network === undefined) return [];
    return text.network === 4 ? IP4 : IP6;
  }
  if (expression.base !== 'transport') return [];
  return text.transport === undefined ? ANY_TRANSPORT : (BY_PROTOCOL.get(text.transport) ?? ANY_TRANSPORT);
}

/** What a load of packet bytes holds, by the name nft has for it in this rule; `@nh,96,32` when it has none. */
export function payloadOperand(expression: Payload, text: RuleText): Operand {
  const { base, offset, length } = expression;
  const named = fieldsAt(expression, text).find((candidate) => candidate.offset === offset);
  const isAddress = named?.datatype === 'ipv4_addr' || named?.datatype === 'ipv6_addr';
  if (named === undefined || length > named.length || (length < named.length && !isAddress)) {
    const header = { link: 'll', network: 'nh', transport: 'th', inner: 'ih' }[base];
    return opaque(`@${header},${offset * 8},${length * 8}`, length);
  }
  impliedChecks(expression, text);
  const { datatype } = named;
  if (isAddress && length < named.length) return truncated(named, length);
  return {
    text: named.name,
    length,
    isFlags: datatype === 'tcp_flags',
    print: (from, to) =>
      to === undefined ? printScalar(datatype, from) : `${printScalar(datatype, from)}-${printScalar(datatype, to)}`,
  };
}

/** The first bytes of an address: what is compared with them is a prefix. */
function truncated(named: NamedField, length: number): Operand {
  const datatype = named.datatype === 'ipv4_addr' ? 'ipv4_addr' : 'ipv6_addr';
  const print = (bytes: Uint8Array): string => {
    const start = new Uint8Array(datatypeLength(datatype));
    const end = new Uint8Array(datatypeLength(datatype)).fill(255);
    start.set(bytes.subarray(0, start.length));
    end.set(bytes.subarray(0, end.length));
    return printField(datatype, start, end);
  };
  return { text: named.name, length, print };
}

function impliedChecks(expression: Payload, text: RuleText): void {
  if (expression.base === 'network') text.implies('network');
  if (expression.base !== 'transport' || text.transport === undefined) return;
  if (!BY_PROTOCOL.has(text.transport)) return;
  text.implies('transport');
  if (ICMP_FAMILY.get(text.transport) === text.network) text.implies('network');
}
