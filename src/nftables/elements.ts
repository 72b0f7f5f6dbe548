import { addressFromBytes, formatAddress } from '../net/address.js';
import { networkOf, tryParsePrefix } from '../net/prefix.js';
import {
  type Datatype,
  LITTLE,
  datatypeByteOrder,
  concatLength,
  datatypeLength,
  interfaceName,
  paddedLength,
  printValue,
  writeValue,
} from './datatypes.js';
import { invalidValue } from './errors.js';
import type { Element, Member, SetShape } from './objects.js';
import { printVerdict } from './verdict.js';

/** Text of the member that matches what no other member does. */
export const CATCH_ALL = '*';

/** A member's key as bytes; `end` is the last key of a range, inclusive. */
export interface KeyRange {
  readonly start: Uint8Array;
  readonly end?: Uint8Array;
}

/** A member in its long form. */
export function elementOf(member: Member): Element {
  return typeof member === 'string' || member instanceof Uint8Array ? { key: member } : member;
}

/**
 * The key of a member as the kernel takes it; undefined for the catch-all. In an interval set `end` is always there.
 *
 * @throws {CalicoError} `ERR_CALI_NFT_VALUE`
 */
export function keyRange(set: SetShape, element: Element): KeyRange | undefined {
  const { key } = element;
  if (key === CATCH_ALL) return undefined;
  if (typeof key === 'string') return set.interval === true ? rangeOfText(set.key, key) : exactOfText(set.key, key);
  if (key.length !== concatLength(set.key)) {
    throw invalidValue(set.key.join(' . '), `0x${Buffer.from(key).toString('hex')}`);
  }
  return set.interval === true ? { start: key, end: element.keyEnd ?? key } : { start: key };
}

function fieldsOfText(datatypes: readonly Datatype[], text: string): readonly string[] {
  const fields = datatypes.length === 1 ? [text] : text.split(/\s+\.\s+/);
  if (fields.length !== datatypes.length) throw invalidValue(datatypes.join(' . '), text);
  return fields;
}

function exactOfText(datatypes: readonly Datatype[], text: string): KeyRange {
  const start = new Uint8Array(concatLength(datatypes));
  const [only] = datatypes;
  if (datatypes.length === 1 && only !== undefined) {
    writeValue(only, text, start, 0);
    return { start };
  }
  let offset = 0;
  for (const [i, field] of fieldsOfText(datatypes, text).entries()) {
    const datatype = datatypes[i] ?? 'unknown';
    writeValue(datatype, field, start, offset);
    offset += paddedLength(datatypeLength(datatype));
  }
  return { start };
}

function rangeOfText(datatypes: readonly Datatype[], text: string): KeyRange {
  const length = concatLength(datatypes);
  const range = { start: new Uint8Array(length), end: new Uint8Array(length) };
  let offset = 0;
  for (const [i, field] of fieldsOfText(datatypes, text).entries()) {
    const datatype = datatypes[i] ?? 'unknown';
    writeFieldRange(datatype, field, range, offset);
    offset += paddedLength(datatypeLength(datatype));
  }
  return range;
}

function writeFieldRange(
  datatype: Datatype,
  text: string,
  range: { start: Uint8Array; end: Uint8Array },
  offset: number,
): void {
  if (text.includes('/')) {
    writePrefixRange(datatype, text, range, offset);
    return;
  }
  const dash = rangeDash(datatype, text);
  const [from, to] = dash < 0 ? [text, text] : [text.slice(0, dash), text.slice(dash + 1)];
  writeValue(datatype, from, range.start, offset);
  writeValue(datatype, to, range.end, offset);
  const length = datatypeLength(datatype);
  const start = range.start.subarray(offset, offset + length);
  if (Buffer.compare(start, range.end.subarray(offset, offset + length)) > 0) throw invalidValue(datatype, text);
}

/** Where the dash of `from-to` is; -1 when the text is one value: `echo-request` and `eth-0` are no ranges. */
function rangeDash(datatype: Datatype, text: string): number {
  if (datatype === 'ifname' || datatype === 'ether_addr') return -1;
  const isNamed = datatype !== 'ipv6_addr' && !/^\d/.test(text);
  return isNamed ? -1 : text.indexOf('-', 1);
}

/** True when the text names more than one value: a prefix or a range. */
export function isSpan(datatype: Datatype, text: string): boolean {
  return text.includes('/') || rangeDash(datatype, text) > 0;
}

function writePrefixRange(
  datatype: Datatype,
  text: string,
  range: { start: Uint8Array; end: Uint8Array },
  offset: number,
): void {
  const prefix = tryParsePrefix(text);
  if (prefix === undefined) throw invalidValue(datatype, text);
  writeValue(datatype, formatAddress(networkOf(prefix).address), range.start, offset);
  const length = datatypeLength(datatype);
  for (let i = 0; i < length; i += 1) {
    const hostBits = Math.min(8, Math.max(0, 8 * (i + 1) - prefix.length));
    range.end[offset + i] = (range.start[offset + i] ?? 0) | (2 ** hostBits - 1);
  }
}

/** Each field of a key, by `print`. */
function keyWith(print: typeof printField, datatypes: readonly Datatype[], range: KeyRange | undefined): string {
  if (range === undefined) return CATCH_ALL;
  const [only] = datatypes;
  if (datatypes.length === 1 && only !== undefined) return print(only, range.start, range.end ?? range.start);
  const fields: string[] = [];
  let offset = 0;
  for (const datatype of datatypes) {
    const end = offset + datatypeLength(datatype);
    const start = range.start.subarray(offset, end);
    fields.push(print(datatype, start, range.end?.subarray(offset, end) ?? start));
    offset += paddedLength(datatypeLength(datatype));
  }
  return fields.join(' . ');
}

/** A key as `nft` prints it: interface names in quotes. */
export function printKey(datatypes: readonly Datatype[], range: KeyRange | undefined): string {
  return keyWith(printField, datatypes, range);
}

/** A key as {@link SeenElement} has it: as `nft` prints it, but interface names bare. */
export function formatKey(datatypes: readonly Datatype[], range: KeyRange | undefined): string {
  return keyWith(formatField, datatypes, range);
}

function formatField(datatype: Datatype, start: Uint8Array, end: Uint8Array): string {
  return datatype === 'ifname' ? interfaceName(start) : printField(datatype, start, end);
}

/** A value, a prefix where the range is one, or `from-to`. */
export function printField(datatype: Datatype, start: Uint8Array, end: Uint8Array): string {
  if (start === end || Buffer.compare(start, end) === 0) return printValue(datatype, start);
  if (datatype === 'ipv4_addr' || datatype === 'ipv6_addr') {
    const length = prefixLength(start, end);
    if (length !== undefined) return `${formatAddress(addressFromBytes(start))}/${length}`;
  }
  return `${printValue(datatype, start)}-${printValue(datatype, end)}`;
}

/** Length of the prefix that is exactly this range, if one is. */
function prefixLength(start: Uint8Array, end: Uint8Array): number | undefined {
  let length: number | undefined;
  for (let i = 0; i < start.length; i += 1) {
    const [a, b] = [start[i] ?? 0, end[i] ?? 0];
    if (length !== undefined) {
      if (a !== 0 || b !== 255) return undefined;
    } else if (a !== b) {
      const hostBits = Math.log2((a ^ b) + 1);
      if (!Number.isInteger(hostBits) || (a & (a ^ b)) !== 0) return undefined;
      length = 8 * (i + 1) - hostBits;
    }
  }
  return length ?? start.length * 8;
}

/**
 * The text {@link SeenElement} has for a key given as text, so that wanted and seen members compare as strings:
 * `192.0.2.7/32` → `192.0.2.7`, `2001:DB8::0` → `2001:db8::`, `6` → `tcp`.
 *
 * @throws {CalicoError} `ERR_CALI_NFT_VALUE`
 */
export function canonicalKey(set: SetShape, text: string): string {
  return formatKey(set.key, keyRange(set, { key: text }));
}

/** Members in the order nft lists them: ascending by key, the catch-all last. */
export function sortMembers(set: SetShape, members: readonly Member[]): readonly Member[] {
  const isHostOrder = set.key.length === 1 && set.key.every((datatype) => datatypeByteOrder(datatype) === 'host');
  const reverses = isHostOrder && LITTLE && !set.key.includes('ifname');
  const keyed = members.map((member) => {
    const start = keyRange(set, elementOf(member))?.start;
    return { member, start: reverses ? start?.toReversed() : start };
  });
  keyed.sort((a, b) => {
    if (a.start === undefined || b.start === undefined) return a.start === b.start ? 0 : a.start === undefined ? 1 : -1;
    return Buffer.compare(a.start, b.start);
  });
  return keyed.map(({ member }) => member);
}

/** As `nft` prints a member: `"cali1" comment "web" : goto in-web`. */
export function printMember(
  set: SetShape & { readonly data?: 'verdict' | readonly Datatype[] },
  member: Member,
): string {
  const element = elementOf(member);
  const parts = [printKey(set.key, keyRange(set, element))];
  if (element.timeoutMs !== undefined) parts.push(`timeout ${printDuration(element.timeoutMs)}`);
  if (element.comment !== undefined) parts.push(`comment "${element.comment}"`);
  if (element.verdict !== undefined) parts.push(`: ${printVerdict(element.verdict)}`);
  if (element.data !== undefined) parts.push(`: ${printData(set.data, element.data)}`);
  return parts.join(' ');
}

function printData(datatypes: 'verdict' | readonly Datatype[] | undefined, data: string | Uint8Array): string {
  if (typeof data === 'string' || datatypes === undefined || datatypes === 'verdict') return String(data);
  return printKey(datatypes, { start: data });
}

/** `1d2h3m4s5ms`, only what is not zero. */
export function printDuration(ms: number): string {
  let rest = ms;
  let text = '';
  for (const [unit, size] of [
    ['d', 86_400_000],
    ['h', 3_600_000],
    ['m', 60_000],
    ['s', 1000],
    ['ms', 1],
  ] as const) {
    const count = Math.floor(rest / size);
    if (count > 0) text += `${count}${unit}`;
    rest -= count * size;
  }
  return text === '' ? '0s' : text;
}
