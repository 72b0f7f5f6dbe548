import { type Family, addressBits, formatAddress } from '../net/address.js';
import { networkOf, tryParsePrefix } from '../net/prefix.js';
import { type Datatype, LITTLE, datatypeLength, hostView, paddedLength, valueBytes } from './datatypes.js';
import { isSpan } from './elements.js';
import { invalidValue } from './errors.js';
import { bitwise } from './expressions/bitwise.js';
import { cmp } from './expressions/cmp.js';
import { ct } from './expressions/ct.js';
import type { Expression } from './expressions/expression.js';
import { fib } from './expressions/fib.js';
import { type AnonymousSet, lookup } from './expressions/lookup.js';
import { meta } from './expressions/meta.js';
import { payload } from './expressions/payload.js';
import { range } from './expressions/range.js';
import { FIRST_REGISTER, registerAtWord } from './expressions/register.js';
import {
  type Field,
  INPUT_INTERFACE,
  type Needs,
  OUTPUT_INTERFACE,
  PACKET_FAMILY,
  type PortProtocol,
  REVERSE_PATH,
  TRANSPORT_PROTOCOL,
  destinationAddress,
  destinationPort,
  icmpCodeField,
  icmpTypeField,
  sourceAddress,
  sourcePort,
} from './fields.js';

/**
 * A piece of a rule: a match or an action. Plain data, so one value may be part of many rules. Matches use the registers only
 * for themselves, so pieces go together in any order.
 */
export interface Statement {
  readonly expressions: readonly Expression[];
  /** What has to be checked before it. */
  readonly needs?: Needs;
  /** What is known once it matched. */
  readonly proves?: Needs;
}

/** `not`: goes on when the match fails. */
export interface Sense {
  readonly not?: boolean;
}

const R1 = FIRST_REGISTER;

function equality(sense: Sense): 'eq' | 'neq' {
  return sense.not === true ? 'neq' : 'eq';
}

function needing(field: Field, expressions: readonly Expression[]): Statement {
  return field.needs === undefined ? { expressions } : { needs: field.needs, expressions };
}

/** `iifname "cali1a2b3c"`, or all names that begin so: `cali*`. */
export function iifname(name: string, sense: Sense = {}): Statement {
  return interfaceIs(INPUT_INTERFACE, name, sense);
}

/** `oifname`, like {@link iifname}. */
export function oifname(name: string, sense: Sense = {}): Statement {
  return interfaceIs(OUTPUT_INTERFACE, name, sense);
}

function interfaceIs(field: Field, name: string, sense: Sense): Statement {
  const bytes = name.endsWith('*') ? Buffer.from(name.slice(0, -1)) : valueBytes('ifname', name);
  if (bytes.length === 0 || bytes.length > 16) throw invalidValue('ifname', name);
  return { expressions: [field.load(R1), cmp(equality(sense), R1, bytes)] };
}

/** `meta nfproto ipv4`. */
export function isFamily(family: Family): Statement {
  return {
    expressions: [PACKET_FAMILY.load(R1), cmp('eq', R1, Uint8Array.of(family === 4 ? 2 : 10))],
    proves: { family },
  };
}

/** `meta l4proto tcp`; a name nft knows or a number. */
export function protocol(nameOrNumber: string | number, sense: Sense = {}): Statement {
  const bytes = valueBytes('inet_proto', String(nameOrNumber));
  const expressions = [TRANSPORT_PROTOCOL.load(R1), cmp(equality(sense), R1, bytes)];
  return sense.not === true ? { expressions } : { expressions, proves: { protocol: bytes[0] ?? 0 } };
}

function prefixMask(length: number, bits: number): Uint8Array {
  const mask = new Uint8Array(bits / 8);
  for (let bit = 0; bit < length; bit += 1) mask[bit >> 3] = (mask[bit >> 3] ?? 0) | (0x80 >> (bit & 7));
  return mask;
}

/** One prefix without a set: the truncated load where it ends on a byte, else a mask. */
function prefixIs(field: Field, text: string, sense: Sense): Statement {
  const parsed = tryParsePrefix(text);
  if (parsed === undefined || (parsed.address.family === 4) !== (field.datatype === 'ipv4_addr')) {
    throw invalidValue(field.datatype, text);
  }
  const network = networkOf(parsed);
  const bits = addressBits(parsed.address.family);
  const bytes = valueBytes(field.datatype, formatAddress(network.address));
  if (network.length > 0 && network.length % 8 === 0 && field.partial === true) {
    const length = network.length / 8;
    return needing(field, [field.load(R1, length), cmp(equality(sense), R1, bytes.subarray(0, length))]);
  }
  return needing(field, [
    field.load(R1),
    bitwise(R1, prefixMask(network.length, bits), new Uint8Array(bits / 8)),
    cmp(equality(sense), R1, bytes),
  ]);
}

/** The field is one of these values, prefixes or ranges: one comparison, or an anonymous set when there are several. */
export function isOneOf(field: Field, values: readonly string[], sense: Sense = {}): Statement {
  const [only] = values;
  if (values.length === 1 && only !== undefined) return isValue(field, only, sense);
  return isIn(field, anonymousSet([field.datatype], values), sense);
}

function isValue(field: Field, value: string, sense: Sense): Statement {
  if (value.includes('/')) return prefixIs(field, value, sense);
  if (isSpan(field.datatype, value)) return isInRange(field, value, sense);
  return needing(field, [field.load(R1), cmp(equality(sense), R1, valueBytes(field.datatype, value))]);
}

function isInRange(field: Field, text: string, sense: Sense): Statement {
  const [from = '', to = ''] = text.split('-');
  const bounds = { from: valueBytes(field.datatype, from), to: valueBytes(field.datatype, to) };
  if (Buffer.compare(bounds.from, bounds.to) > 0) throw invalidValue(field.datatype, text);
  return needing(field, [field.load(R1), range(equality(sense), R1, bounds)]);
}

/** A set for one rule; interval when a member is a prefix or a range. */
export function anonymousSet(key: readonly Datatype[], members: readonly string[]): AnonymousSet {
  const [only] = key;
  const interval = key.length === 1 && only !== undefined && members.some((member) => isSpan(only, member));
  return interval ? { key, interval, constant: true, members } : { key, constant: true, members };
}

/** Loads fields side by side, as the key of a concatenation wants them; with what they need, and the datatypes of the key. */
export function loadKey(fields: Field | readonly Field[]): { readonly loads: Expression[]; readonly needs: Needs } {
  const list = 'load' in fields ? [fields] : fields;
  const loads: Expression[] = [];
  let words = 0;
  let needs: Needs = {};
  for (const field of list) {
    loads.push(field.load(registerAtWord(words)));
    words += paddedLength(datatypeLength(field.datatype)) / 4;
    needs = { ...needs, ...field.needs };
  }
  return { loads, needs };
}

/** The field, or several together, is in the set: a named one of the rule's table or one made for this rule. */
export function isIn(fields: Field | readonly Field[], set: string | AnonymousSet, sense: Sense = {}): Statement {
  const { loads, needs } = loadKey(fields);
  return { needs, expressions: [...loads, lookup(set, R1, sense.not === true)] };
}

/** `ip saddr 192.0.2.0/24`, `ip6 saddr { … }`. */
export function saddr(family: Family, prefixes: string | readonly string[], sense: Sense = {}): Statement {
  return isOneOf(sourceAddress(family), listOf(prefixes), sense);
}

/** `ip daddr 192.0.2.0/24`, `ip6 daddr { … }`. */
export function daddr(family: Family, prefixes: string | readonly string[], sense: Sense = {}): Statement {
  return isOneOf(destinationAddress(family), listOf(prefixes), sense);
}

/** `ip saddr @name`. */
export function saddrIn(family: Family, set: string, sense: Sense = {}): Statement {
  return isIn(sourceAddress(family), set, sense);
}

/** `ip daddr @name`. */
export function daddrIn(family: Family, set: string, sense: Sense = {}): Statement {
  return isIn(destinationAddress(family), set, sense);
}

/** `tcp sport { 80, 8000-9000 }`; without a protocol `th sport …`, for rules that matched it before. */
export function sport(
  of: PortProtocol | undefined,
  ports: string | number | readonly (string | number)[],
  sense: Sense = {},
): Statement {
  return isOneOf(sourcePort(of), listOf(ports).map(String), sense);
}

/** `tcp dport { 80, 8000-9000 }`; without a protocol `th dport …`, for rules that matched it before. */
export function dport(
  of: PortProtocol | undefined,
  ports: string | number | readonly (string | number)[],
  sense: Sense = {},
): Statement {
  return isOneOf(destinationPort(of), listOf(ports).map(String), sense);
}

/** The packet's address, protocol and port together are in a set of type `ipv4_addr . inet_proto . inet_service` (or ipv6_addr). */
export function endpointIn(side: 'source' | 'destination', family: Family, set: string, sense: Sense = {}): Statement {
  const fields =
    side === 'source'
      ? [sourceAddress(family), TRANSPORT_PROTOCOL, sourcePort()]
      : [destinationAddress(family), TRANSPORT_PROTOCOL, destinationPort()];
  return isIn(fields, set, sense);
}

/** `icmp type echo-request`, `icmpv6 type 135 icmpv6 code 0`; names nft knows or numbers. */
export function icmp(family: Family, type: string | number, code?: number, sense: Sense = {}): Statement {
  const typeField = icmpTypeField(family);
  const typeBytes = valueBytes(typeField.datatype, String(type));
  if (code === undefined) return needing(typeField, [typeField.load(R1), cmp(equality(sense), R1, typeBytes)]);
  const codeField = icmpCodeField(family);
  const codeBytes = valueBytes(codeField.datatype, String(code));
  if (sense.not === true) {
    // Not (type and code) is one comparison only when both are loaded together; they lie side by side.
    const both = Uint8Array.of(typeBytes[0] ?? 0, codeBytes[0] ?? 0);
    return needing(typeField, [payload('transport', 0, 2, R1), cmp('neq', R1, both)]);
  }
  return needing(typeField, [
    typeField.load(R1),
    cmp('eq', R1, typeBytes),
    codeField.load(R1),
    cmp('eq', R1, codeBytes),
  ]);
}

// include/uapi/linux/netfilter/nf_conntrack_common.h: enum ip_conntrack_info as NF_CT_STATE_BIT, and IPS_*.
const CT_STATES = { invalid: 1, established: 2, related: 4, new: 8, untracked: 64 } as const;
const CT_STATUSES = { expected: 1, 'seen-reply': 2, assured: 4, confirmed: 8, snat: 16, dnat: 32, dying: 512 } as const;

export type CtState = keyof typeof CT_STATES;
export type CtStatus = keyof typeof CT_STATUSES;

/** A 32-bit value in host order, as marks and connection states lie in registers. */
export function word(value: number): Uint8Array {
  const bytes = new Uint8Array(4);
  hostView(bytes).setUint32(0, value >>> 0, LITTLE);
  return bytes;
}

function anyBitOf(load: Expression, bits: number, sense: Sense): Statement {
  const op = sense.not === true ? 'eq' : 'neq';
  return { expressions: [load, bitwise(R1, word(bits), word(0)), cmp(op, R1, word(0))] };
}

/** `ct state established,related`: any of them. */
export function ctState(states: readonly CtState[], sense: Sense = {}): Statement {
  return anyBitOf(
    ct('state', R1),
    states.reduce((bits, state) => bits | CT_STATES[state], 0),
    sense,
  );
}

/** `ct status dnat`: any of them. */
export function ctStatus(statuses: readonly CtStatus[], sense: Sense = {}): Statement {
  return anyBitOf(
    ct('status', R1),
    statuses.reduce((bits, status) => bits | CT_STATUSES[status], 0),
    sense,
  );
}

/** `ct direction original`. */
export function ctDirection(direction: 'original' | 'reply'): Statement {
  return { expressions: [ct('direction', R1), cmp('eq', R1, Uint8Array.of(direction === 'original' ? 0 : 1))] };
}

/** `meta mark & mask == value`. */
export function markIs(mask: number, value: number, sense: Sense = {}): Statement {
  return {
    expressions: [meta('mark', R1), bitwise(R1, word(mask), word(0)), cmp(equality(sense), R1, word(value))],
  };
}

/** All these bits of the packet's mark are set; `not`: at least one is clear. */
export function markHas(bits: number, sense: Sense = {}): Statement {
  return markIs(bits, bits, sense);
}

/** `fib saddr . mark . iif oif 0`: the source is not routed back by the interface it came in from. Strict reverse path check. */
export function reversePathFails(): Statement {
  return { expressions: [REVERSE_PATH.load(R1), cmp('eq', R1, word(0))] };
}

/** `fib daddr type local`: the packet is for this host. */
export function isForThisHost(sense: Sense = {}): Statement {
  // include/uapi/linux/rtnetlink.h: RTN_LOCAL.
  return { expressions: [fib(['daddr'], 'type', R1), cmp(equality(sense), R1, word(2))] };
}

/** `arp operation reply`, for tables of family `arp`. */
export function arpOperation(operation: 'request' | 'reply', sense: Sense = {}): Statement {
  const bytes = Uint8Array.of(0, operation === 'request' ? 1 : 2);
  return { expressions: [payload('network', 6, 2, R1), cmp(equality(sense), R1, bytes)] };
}

function listOf<T extends string | number>(values: T | readonly T[]): readonly T[] {
  return typeof values === 'object' ? values : [values];
}
