import { type Address, addressBytes, addressFromBytes } from '../net/address.js';
import { malformed } from './errors.js';

// include/uapi/linux/netlink.h: struct nlattr { __u16 nla_len; __u16 nla_type; }, payload, padding to 4 bytes.
export const NLA_F_NESTED = 0x8000;
export const NLA_TYPE_MASK = 0x3fff;
const NLA_HDRLEN = 4;
const MAX_ATTRIBUTE = 0xffff;
const SHORT_TEXT = 48;

/** A length rounded up to netlink's alignment of 4. */
export function align4(length: number): number {
  return (length + 3) & ~3;
}

/**
 * Appends attributes to a growing buffer. Numbers are little-endian (host order) unless the method says `BE`: nf_tables and
 * conntrack speak network order, rtnetlink host order.
 *
 * An attribute may hold 65,531 bytes; more throws, as does a number that does not fit its width.
 */
export class AttributeWriter {
  #buffer: Buffer;
  #length = 0;

  constructor(initialBytes = 256) {
    this.#buffer = Buffer.allocUnsafe(initialBytes);
  }

  /** Bytes written so far. */
  get length(): number {
    return this.#length;
  }

  /** What was written, as a view: valid until the next write. */
  bytes(): Buffer {
    return this.#buffer.subarray(0, this.#length);
  }

  /** Raw bytes without an attribute header, padded to 4: a fixed message header such as `struct rtmsg`. */
  raw(bytes: Uint8Array): this {
    const at = this.#grow(align4(bytes.length));
    this.#buffer.set(bytes, at);
    this.#buffer.fill(0, at + bytes.length, this.#length);
    return this;
  }

  /** Reserves `size` raw zero bytes and returns a view of them to fill in at once, before anything else is written. */
  header(size: number): Buffer {
    const at = this.#grow(align4(size));
    this.#buffer.fill(0, at, this.#length);
    return this.#buffer.subarray(at, at + size);
  }

  u8(type: number, value: number): this {
    const at = this.#attribute(type, 1);
    this.#buffer.writeUInt8(value, at);
    return this;
  }

  u16(type: number, value: number): this {
    const at = this.#attribute(type, 2);
    this.#buffer.writeUInt16LE(value, at);
    return this;
  }

  u16BE(type: number, value: number): this {
    const at = this.#attribute(type, 2);
    this.#buffer.writeUInt16BE(value, at);
    return this;
  }

  u32(type: number, value: number): this {
    const at = this.#attribute(type, 4);
    this.#buffer.writeUInt32LE(value, at);
    return this;
  }

  u32BE(type: number, value: number): this {
    const at = this.#attribute(type, 4);
    this.#buffer.writeUInt32BE(value, at);
    return this;
  }

  /** Signed. */
  s32(type: number, value: number): this {
    const at = this.#attribute(type, 4);
    this.#buffer.writeInt32LE(value, at);
    return this;
  }

  u64(type: number, value: bigint): this {
    const at = this.#attribute(type, 8);
    this.#buffer.writeBigUInt64LE(value, at);
    return this;
  }

  u64BE(type: number, value: bigint): this {
    const at = this.#attribute(type, 8);
    this.#buffer.writeBigUInt64BE(value, at);
    return this;
  }

  blob(type: number, bytes: Uint8Array): this {
    const at = this.#attribute(type, bytes.length);
    this.#buffer.set(bytes, at);
    return this;
  }

  /** In network order, 4 or 16 bytes. */
  address(type: number, address: Address): this {
    return this.blob(type, addressBytes(address));
  }

  /** UTF-8 with the closing NUL that kernel strings want. */
  string(type: number, text: string): this {
    const size = Buffer.byteLength(text);
    const at = this.#attribute(type, size + 1);
    const buffer = this.#buffer;
    // Names are short and ASCII: then a loop beats the call into the runtime.
    if (size === text.length && size < SHORT_TEXT)
      for (let i = 0; i < size; i += 1) buffer[at + i] = text.charCodeAt(i);
    else buffer.write(text, at);
    buffer[at + size] = 0;
    return this;
  }

  /** An attribute whose presence is its value. */
  flag(type: number): this {
    this.#attribute(type, 0);
    return this;
  }

  /** A nested scope: whatever `body` writes is inside. Sets NLA_F_NESTED. */
  nest(type: number, body: (inner: this) => void): this {
    return this.#scope(type | NLA_F_NESTED, body);
  }

  /** A nested scope without NLA_F_NESTED, for the few parsers older than the flag. */
  nestPlain(type: number, body: (inner: this) => void): this {
    return this.#scope(type, body);
  }

  /** Overwrites a number written earlier: lengths and sequence numbers that are known only afterwards. */
  patchU32(offset: number, value: number): void {
    if (offset < 0 || offset + 4 > this.#length) throw new RangeError(`offset ${offset} is outside the message`);
    this.#buffer.writeUInt32LE(value, offset);
  }

  /** Forgets everything, keeps the memory. */
  clear(): void {
    this.#length = 0;
  }

  #scope(typeAndFlags: number, body: (inner: this) => void): this {
    const start = this.#attribute(typeAndFlags, 0) - NLA_HDRLEN;
    body(this);
    const size = this.#length - start;
    if (size > MAX_ATTRIBUTE) throw malformed(`nested attribute ${typeAndFlags & NLA_TYPE_MASK} has ${size} bytes`);
    this.#buffer.writeUInt16LE(size, start);
    return this;
  }

  /** Writes header and zeroed padding; returns where the payload goes. It may replace the buffer: call it before naming that. */
  #attribute(typeAndFlags: number, size: number): number {
    const total = NLA_HDRLEN + size;
    if (total > MAX_ATTRIBUTE) throw malformed(`attribute ${typeAndFlags & NLA_TYPE_MASK} has ${size} bytes`);
    const at = this.#grow(align4(total));
    // The hottest lines of the project: plain stores cost a third of writeUInt16LE and fill.
    const buffer = this.#buffer;
    buffer[at] = total;
    buffer[at + 1] = total >>> 8;
    buffer[at + 2] = typeAndFlags;
    buffer[at + 3] = typeAndFlags >>> 8;
    for (let padding = at + total; padding < this.#length; padding += 1) buffer[padding] = 0;
    return at + NLA_HDRLEN;
  }

  /** Makes room for `size` more bytes; returns where they begin. */
  #grow(size: number): number {
    const at = this.#length;
    if (at + size > this.#buffer.length) {
      const larger = Buffer.allocUnsafe(Math.max(this.#buffer.length * 2, at + size));
      this.#buffer.copy(larger, 0, 0, at);
      this.#buffer = larger;
    }
    this.#length = at + size;
    return at;
  }
}

/** The attributes `body` writes, as bytes of their own: for tests and for values built ahead. */
export function encodeAttributes(body: (writer: AttributeWriter) => void): Buffer {
  const writer = new AttributeWriter();
  body(writer);
  return Buffer.from(writer.bytes());
}

/** One attribute as it was received; the flags are stripped from `type`. */
export interface Attribute {
  readonly type: number;
  readonly nested: boolean;
  /** A view into the message. */
  readonly payload: Buffer;
}

/**
 * Splits a run of attributes in order, duplicates included.
 * @throws {CalicoError} `ERR_CALI_NETLINK_MALFORMED` when a length reaches outside
 */
export function parseAttributeList(bytes: Uint8Array): Attribute[] {
  const buffer = asBuffer(bytes);
  const attributes: Attribute[] = [];
  let at = 0;
  while (at + NLA_HDRLEN <= buffer.length) {
    const size = buffer.readUInt16LE(at);
    const type = buffer.readUInt16LE(at + 2);
    if (size < NLA_HDRLEN || at + size > buffer.length) {
      throw malformed(`attribute ${type & NLA_TYPE_MASK} says ${size} bytes, ${buffer.length - at} are left`);
    }
    attributes.push({
      type: type & NLA_TYPE_MASK,
      nested: (type & NLA_F_NESTED) !== 0,
      payload: buffer.subarray(at + NLA_HDRLEN, at + size),
    });
    at += align4(size);
  }
  // The padding after the last attribute may be missing; anything else left over is not an attribute.
  if (at < buffer.length) throw malformed(`${buffer.length - at} bytes after the last attribute`);
  return attributes;
}

/** Attributes by type, read as values: each getter gives undefined for an absent one and throws for a wrong length. */
export class Attributes {
  readonly #byType = new Map<number, Buffer>();

  /** Of duplicates the last counts, as in the kernel. @throws {CalicoError} `ERR_CALI_NETLINK_MALFORMED` */
  constructor(bytes: Uint8Array) {
    for (const { type, payload } of parseAttributeList(bytes)) this.#byType.set(type, payload);
  }

  has(type: number): boolean {
    return this.#byType.has(type);
  }

  types(): number[] {
    return [...this.#byType.keys()];
  }

  blob(type: number): Buffer | undefined {
    return this.#byType.get(type);
  }

  u8(type: number): number | undefined {
    return this.#sized(type, 1)?.readUInt8(0);
  }

  u16(type: number): number | undefined {
    return this.#sized(type, 2)?.readUInt16LE(0);
  }

  u16BE(type: number): number | undefined {
    return this.#sized(type, 2)?.readUInt16BE(0);
  }

  u32(type: number): number | undefined {
    return this.#sized(type, 4)?.readUInt32LE(0);
  }

  u32BE(type: number): number | undefined {
    return this.#sized(type, 4)?.readUInt32BE(0);
  }

  s32(type: number): number | undefined {
    return this.#sized(type, 4)?.readInt32LE(0);
  }

  u64(type: number): bigint | undefined {
    return this.#sized(type, 8)?.readBigUInt64LE(0);
  }

  u64BE(type: number): bigint | undefined {
    return this.#sized(type, 8)?.readBigUInt64BE(0);
  }

  /** 4 bytes are IPv4, 16 are IPv6. */
  address(type: number): Address | undefined {
    const payload = this.#byType.get(type);
    return payload === undefined ? undefined : addressOf(payload);
  }

  /** Up to the first NUL, or the whole payload when it has none. */
  string(type: number): string | undefined {
    const payload = this.#byType.get(type);
    if (payload === undefined) return undefined;
    const end = payload.indexOf(0);
    return payload.toString('utf8', 0, end < 0 ? payload.length : end);
  }

  nested(type: number): Attributes | undefined {
    const payload = this.#byType.get(type);
    return payload === undefined ? undefined : new Attributes(payload);
  }

  /** The attributes inside a nested one, in order: for lists, where every element has the same type. */
  list(type: number): Attribute[] {
    const payload = this.#byType.get(type);
    return payload === undefined ? [] : parseAttributeList(payload);
  }

  #sized(type: number, size: number): Buffer | undefined {
    const payload = this.#byType.get(type);
    if (payload === undefined) return undefined;
    if (payload.length !== size) throw malformed(`attribute ${type} has ${payload.length} bytes, not ${size}`);
    return payload;
  }
}

/** @throws {CalicoError} `ERR_CALI_NETLINK_MALFORMED` for a length other than 4 or 16 */
export function addressOf(bytes: Uint8Array): Address {
  if (bytes.length !== 4 && bytes.length !== 16) throw malformed(`an address has ${bytes.length} bytes`);
  return addressFromBytes(bytes);
}

function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
