import type { Family } from '../net/address.js';
import type { Datatype } from './datatypes.js';
import { type Expression } from './expressions/expression.js';
import { ct } from './expressions/ct.js';
import { fib } from './expressions/fib.js';
import { meta } from './expressions/meta.js';
import { payload } from './expressions/payload.js';
import type { Register } from './expressions/register.js';

/** What must hold before a field can be read; the rule checks it first unless an earlier statement did. */
export interface Needs {
  readonly family?: Family;
  /** Number of the transport protocol. */
  readonly protocol?: number;
}

/** Something of a packet that can be loaded and compared or looked up. */
export interface Field {
  readonly datatype: Datatype;
  readonly needs?: Needs;
  /** Loads the field, or only its first `length` bytes where the packet holds it. */
  load(dreg: Register, length?: number): Expression;
  /** True when part of it can be loaded: then a prefix on a byte border costs one comparison. */
  readonly partial?: boolean;
}

interface PayloadPlace {
  readonly base: 'link' | 'network' | 'transport';
  readonly offset: number;
  readonly length: number;
}

function inPacket(datatype: Datatype, place: PayloadPlace, needs: Needs = {}): Field {
  return {
    datatype,
    needs,
    partial: true,
    load: (dreg, length) => payload(place.base, place.offset, length ?? place.length, dreg),
  };
}

// Offsets: RFC 791, RFC 8200, RFC 9293 and RFC 768 (ports), RFC 792 and RFC 4443 (type), RFC 826.
const SADDR_4 = inPacket('ipv4_addr', { base: 'network', offset: 12, length: 4 }, { family: 4 });
const DADDR_4 = inPacket('ipv4_addr', { base: 'network', offset: 16, length: 4 }, { family: 4 });
const SADDR_6 = inPacket('ipv6_addr', { base: 'network', offset: 8, length: 16 }, { family: 6 });
const DADDR_6 = inPacket('ipv6_addr', { base: 'network', offset: 24, length: 16 }, { family: 6 });

export function sourceAddress(family: Family): Field {
  return family === 4 ? SADDR_4 : SADDR_6;
}

export function destinationAddress(family: Family): Field {
  return family === 4 ? DADDR_4 : DADDR_6;
}

/** Numbers of the transport protocols that have ports where TCP has them. */
const PORT_PROTOCOLS = { tcp: 6, udp: 17, dccp: 33, sctp: 132, udplite: 136 } as const;
export type PortProtocol = keyof typeof PORT_PROTOCOLS;

function port(offset: number, protocol: PortProtocol | undefined): Field {
  const needs = protocol === undefined ? {} : { protocol: PORT_PROTOCOLS[protocol] };
  return inPacket('inet_service', { base: 'transport', offset, length: 2 }, needs);
}

/** Of the protocol given; without one, of whatever transport protocol the packet has (`th sport`). */
export function sourcePort(protocol?: PortProtocol): Field {
  return port(0, protocol);
}

/** Of the protocol given; without one, of whatever transport protocol the packet has (`th dport`). */
export function destinationPort(protocol?: PortProtocol): Field {
  return port(2, protocol);
}

export function icmpTypeField(family: Family): Field {
  const place: PayloadPlace = { base: 'transport', offset: 0, length: 1 };
  return family === 4
    ? inPacket('icmp_type', place, { family: 4, protocol: 1 })
    : inPacket('icmpv6_type', place, { family: 6, protocol: 58 });
}

export function icmpCodeField(family: Family): Field {
  const place: PayloadPlace = { base: 'transport', offset: 1, length: 1 };
  return family === 4
    ? inPacket('icmp_code', place, { family: 4, protocol: 1 })
    : inPacket('icmpv6_code', place, { family: 6, protocol: 58 });
}

function ofMeta(datatype: Datatype, key: Parameters<typeof meta>[0]): Field {
  return { datatype, load: (dreg) => meta(key, dreg) };
}

export const INPUT_INTERFACE = ofMeta('ifname', 'iifname');
export const OUTPUT_INTERFACE = ofMeta('ifname', 'oifname');
export const TRANSPORT_PROTOCOL = ofMeta('inet_proto', 'l4proto');
export const PACKET_FAMILY = ofMeta('nf_proto', 'nfproto');
export const PACKET_MARK = ofMeta('mark', 'mark');
export const CONNECTION_MARK: Field = { datatype: 'mark', load: (dreg) => ct('mark', dreg) };

/** The interface a reply to this packet would leave by, seen from where it came in; 0 when that is another one, or nowhere. */
export const REVERSE_PATH: Field = {
  datatype: 'iface_index',
  load: (dreg) => fib(['saddr', 'mark', 'iif'], 'oif', dreg),
};

/** ARP's own fields (RFC 826, Ethernet and IPv4), for tables of family `arp`. */
export const ARP_SENDER_ETHER = inPacket('ether_addr', { base: 'network', offset: 8, length: 6 });
export const ARP_SENDER_ADDRESS = inPacket('ipv4_addr', { base: 'network', offset: 14, length: 4 });
export const ARP_TARGET_ETHER = inPacket('ether_addr', { base: 'network', offset: 18, length: 6 });
export const ARP_TARGET_ADDRESS = inPacket('ipv4_addr', { base: 'network', offset: 24, length: 4 });
