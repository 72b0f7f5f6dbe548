import {
  type Attribute,
  Attributes,
  type AttributeWriter,
  NLA_TYPE_MASK,
  parseAttributeList,
} from '../netlink/attributes.js';
import { type Datatype, concatLength, paddedLength } from './datatypes.js';
import { type KeyRange, elementOf, keyRange, formatKey } from './elements.js';
import { invalidValue } from './errors.js';
import { readData, readVerdict, writeData, writeVerdict } from './expressions/data.js';
import type { SeenElement } from './nftables.js';
import type { Element, Member, SetShape } from './objects.js';
import { commentUserData, readComment } from './user-data.js';

// include/uapi/linux/netfilter/nf_tables.h: enum nft_set_elem_list_attributes, nft_set_elem_attributes, nft_set_elem_flags.
const NFTA_SET_ELEM_LIST_TABLE = 1;
const NFTA_SET_ELEM_LIST_SET = 2;
const NFTA_SET_ELEM_LIST_ELEMENTS = 3;
const NFTA_SET_ELEM_LIST_SET_ID = 4;
const NFTA_LIST_ELEM = 1;
const NFTA_SET_ELEM_KEY = 1;
const NFTA_SET_ELEM_DATA = 2;
const NFTA_SET_ELEM_FLAGS = 3;
const NFTA_SET_ELEM_TIMEOUT = 4;
const NFTA_SET_ELEM_USERDATA = 6;
const NFTA_SET_ELEM_KEY_END = 10;
const NFT_SET_ELEM_INTERVAL_END = 1;
const NFT_SET_ELEM_CATCHALL = 2;

/** What members are encoded for. */
export interface MemberShape extends SetShape {
  readonly data?: 'verdict' | readonly Datatype[];
}

/** Where members go: a set by name, and by the id a batch gave it when it has no name yet. */
export interface ElementListHead {
  readonly tableName: string;
  readonly setName: string;
  readonly setId?: number;
}

/** Headers of `NFTA_SET_ELEM_KEY` and, in it, `NFTA_DATA_VALUE`. */
const KEY_HEADERS = 8;

/** A list of elements is one attribute, whose length has 16 bits; this leaves room for the largest single member. */
const LIST_BYTES = 60_000;

/**
 * Writes members from `from` on, as many as one message takes.
 *
 * @returns the index of the first member that did not fit
 * @throws {CalicoError} a member is no value of the set's type
 */
export function writeMembers(
  into: AttributeWriter,
  head: ElementListHead,
  shape: MemberShape,
  { members, from }: { readonly members: readonly Member[]; readonly from: number },
): number {
  into.string(NFTA_SET_ELEM_LIST_TABLE, head.tableName);
  into.string(NFTA_SET_ELEM_LIST_SET, head.setName);
  if (head.setId !== undefined) into.u32BE(NFTA_SET_ELEM_LIST_SET_ID, head.setId);
  let next = from;
  into.nest(NFTA_SET_ELEM_LIST_ELEMENTS, (list) => {
    const start = list.length;
    const writeOne = memberWriter(shape);
    for (; next < members.length && list.length - start < LIST_BYTES; next += 1) {
      writeOne(list, members[next] ?? '');
    }
  });
  return next;
}

/** For sets of plain keys one closure serves all members; everything else takes the long way. */
function memberWriter(shape: MemberShape): (into: AttributeWriter, member: Member) => void {
  const length = concatLength(shape.key);
  if (shape.interval === true) return (into, member) => writeMember(into, shape, elementOf(member));
  return (into, member) => {
    if (typeof member === 'string' || !(member instanceof Uint8Array)) {
      writeMember(into, shape, elementOf(member));
      return;
    }
    if (member.length !== length) throw invalidValue(shape.key.join(' . '), `0x${Buffer.from(member).toString('hex')}`);
    into.nest(NFTA_LIST_ELEM, (element) => writeData(element, NFTA_SET_ELEM_KEY, member));
  };
}

function writeMember(into: AttributeWriter, shape: MemberShape, element: Element): void {
  const range = keyRange(shape, element);
  const isConcat = shape.key.length > 1;
  into.nest(NFTA_LIST_ELEM, (inner) => {
    if (range === undefined) inner.u32BE(NFTA_SET_ELEM_FLAGS, NFT_SET_ELEM_CATCHALL);
    else writeData(inner, NFTA_SET_ELEM_KEY, range.start);
    if (range?.end !== undefined && isConcat) writeData(inner, NFTA_SET_ELEM_KEY_END, range.end);
    writeElementFacts(inner, shape, element);
  });
  if (range?.end === undefined || isConcat) return;
  // A plain interval is two elements: where it begins, and where what follows it begins. The last of all keys has no follower.
  const after = successor(range.end);
  if (after === undefined) return;
  into.nest(NFTA_LIST_ELEM, (inner) => {
    writeData(inner, NFTA_SET_ELEM_KEY, after);
    inner.u32BE(NFTA_SET_ELEM_FLAGS, NFT_SET_ELEM_INTERVAL_END);
  });
}

function writeElementFacts(into: AttributeWriter, shape: MemberShape, element: Element): void {
  const { verdict, data, timeoutMs, comment } = element;
  if (verdict !== undefined) writeVerdict(into, NFTA_SET_ELEM_DATA, verdict);
  if (data !== undefined) writeData(into, NFTA_SET_ELEM_DATA, dataBytes(shape, data));
  if (timeoutMs !== undefined) into.u64BE(NFTA_SET_ELEM_TIMEOUT, BigInt(timeoutMs));
  if (comment !== undefined) into.blob(NFTA_SET_ELEM_USERDATA, commentUserData(comment));
}

function dataBytes(shape: MemberShape, data: string | Uint8Array): Uint8Array {
  if (typeof data !== 'string') return data;
  if (shape.data === undefined || shape.data === 'verdict') throw invalidValue('verdict', data);
  return keyRange({ key: shape.data }, { key: data })?.start ?? new Uint8Array(0);
}

/** The next key in network order, or undefined after the last. */
export function successor(key: Uint8Array): Uint8Array | undefined {
  const next = Uint8Array.from(key);
  for (let i = next.length - 1; i >= 0; i -= 1) {
    const byte = next[i] ?? 0;
    if (byte < 255) {
      next[i] = byte + 1;
      return next;
    }
    next[i] = 0;
  }
  return undefined;
}

function predecessor(key: Uint8Array): Uint8Array {
  const previous = Uint8Array.from(key);
  for (let i = previous.length - 1; i >= 0; i -= 1) {
    const byte = previous[i] ?? 0;
    previous[i] = byte === 0 ? 255 : byte - 1;
    if (byte > 0) break;
  }
  return previous;
}

/** Which member of a message's list lies at a byte offset of the message; `attributes` are the message's own. */
export function memberIndexAt(message: Buffer, attributes: readonly Attribute[], offset: number): number | undefined {
  const list = attributes.find((attribute) => attribute.type === NFTA_SET_ELEM_LIST_ELEMENTS);
  if (list === undefined) return undefined;
  let index = -1;
  for (const element of parseAttributeList(list.payload)) {
    const isEnd = new Attributes(element.payload).u32BE(NFTA_SET_ELEM_FLAGS) === NFT_SET_ELEM_INTERVAL_END;
    if (!isEnd) index += 1;
    if (element.payload.byteOffset - message.byteOffset + element.payload.length > offset) return index;
  }
  return undefined;
}

/** The name and set a list of elements belongs to, and its elements still encoded. */
export function readElementList(attributes: Attributes): {
  readonly setName: string | undefined;
  readonly elements: Attribute[];
} {
  return {
    setName: attributes.string(NFTA_SET_ELEM_LIST_SET),
    elements: attributes.list(NFTA_SET_ELEM_LIST_ELEMENTS),
  };
}

/** What tells the elements of a hash set apart: the bytes of their first attribute, the key. */
export function elementIdentity({ payload }: Attribute): string {
  return payload.toString('latin1', 0, payload.readUInt16LE(0));
}

/** Which set's elements a dump should give. */
export function writeElementsOf(into: AttributeWriter, head: ElementListHead): void {
  into.string(NFTA_SET_ELEM_LIST_TABLE, head.tableName);
  into.string(NFTA_SET_ELEM_LIST_SET, head.setName);
}

interface RawElement {
  readonly key: Uint8Array | undefined;
  readonly keyEnd: Uint8Array | undefined;
  readonly isEnd: boolean;
  readonly attributes: Attributes;
}

function rawElement(element: Attribute): RawElement {
  const attributes = new Attributes(element.payload);
  const flags = attributes.u32BE(NFTA_SET_ELEM_FLAGS) ?? 0;
  return {
    key: (flags & NFT_SET_ELEM_CATCHALL) === 0 ? readData(attributes, NFTA_SET_ELEM_KEY) : undefined,
    keyEnd: readData(attributes, NFTA_SET_ELEM_KEY_END),
    isEnd: (flags & NFT_SET_ELEM_INTERVAL_END) !== 0,
    attributes,
  };
}

/** The elements of one set as they were dumped, decoded; intervals put together and sorted. */
export function readElements(shape: MemberShape, elements: readonly Attribute[]): SeenElement[] {
  if (shape.interval !== true && shape.data === undefined) return readPlainElements(shape, elements);
  const raw = elements.map(rawElement);
  if (shape.interval !== true || shape.key.length > 1) {
    return raw.map((element) => seenElement(shape, element, exactRange(element)));
  }
  const starts = raw.filter((element) => element.key !== undefined && !element.isEnd).sort(byKey);
  const ends = raw.filter((element) => element.key !== undefined && element.isEnd).sort(byKey);
  const catchAll = raw.filter((element) => element.key === undefined);
  let nextEnd = 0;
  const intervals = starts.map((element) => {
    // Intervals do not overlap: the end of one is the first end after its start.
    while (nextEnd < ends.length && compareKeys(ends[nextEnd], element) <= 0) nextEnd += 1;
    return seenElement(shape, element, intervalRange(element, ends[nextEnd]));
  });
  return [...intervals, ...catchAll.map((element) => seenElement(shape, element, undefined))];
}

/**
 * Elements of a hash set mostly hold nothing but their key: attribute in attribute, at fixed places. A hundred thousand of them
 * are read at start, so these are told from the others by their length and not taken apart.
 */
function readPlainElements(shape: MemberShape, elements: readonly Attribute[]): SeenElement[] {
  const length = concatLength(shape.key);
  const bytes = KEY_HEADERS + paddedLength(length);
  return elements.map((element) => {
    const { payload } = element;
    if (payload.length === bytes && (payload.readUInt16LE(2) & NLA_TYPE_MASK) === NFTA_SET_ELEM_KEY) {
      return { key: formatKey(shape.key, { start: payload.subarray(KEY_HEADERS, KEY_HEADERS + length) }) };
    }
    const raw = rawElement(element);
    return seenElement(shape, raw, exactRange(raw));
  });
}

function compareKeys(a: RawElement | undefined, b: RawElement | undefined): number {
  return Buffer.compare(a?.key ?? new Uint8Array(0), b?.key ?? new Uint8Array(0));
}

function byKey(a: RawElement, b: RawElement): number {
  return compareKeys(a, b);
}

function exactRange(element: RawElement): KeyRange | undefined {
  if (element.key === undefined) return undefined;
  return element.keyEnd === undefined ? { start: element.key } : { start: element.key, end: element.keyEnd };
}

function intervalRange(element: RawElement, end: RawElement | undefined): KeyRange | undefined {
  if (element.key === undefined) return undefined;
  const last = end?.key === undefined ? new Uint8Array(element.key.length).fill(255) : predecessor(end.key);
  return { start: element.key, end: last };
}

function seenElement(shape: MemberShape, element: RawElement, range: KeyRange | undefined): SeenElement {
  const { attributes } = element;
  const key = formatKey(shape.key, range);
  if (attributes.types().length === 1 && range !== undefined) return { key };
  const verdict = readVerdict(attributes, NFTA_SET_ELEM_DATA);
  const value = readData(attributes, NFTA_SET_ELEM_DATA);
  const timeout = attributes.u64BE(NFTA_SET_ELEM_TIMEOUT);
  const comment = readComment(attributes.blob(NFTA_SET_ELEM_USERDATA));
  const dataTypes = shape.data === undefined || shape.data === 'verdict' ? ['unknown' as const] : shape.data;
  return {
    key,
    ...(verdict === undefined ? {} : { verdict }),
    ...(value === undefined ? {} : { data: formatKey(dataTypes, { start: value }) }),
    ...(timeout === undefined ? {} : { timeoutMs: Number(timeout) }),
    ...(comment === undefined ? {} : { comment }),
  };
}
