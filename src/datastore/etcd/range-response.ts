import type { ResponseHeader } from './generated/etcd.js';

/**
 * The answer to a range request, read by hand: lists are most of what etcd ever tells us, and the generated reader takes several times
 * as long for them. Keeps what somebody asks for, and values as views of the answer, not copies.
 *
 * @see https://protobuf.dev/programming-guides/encoding/, and rpc.proto of etcd for the numbers of the fields
 */

const VARINT = 0;
const FIXED64 = 1;
const BYTES = 2;
const FIXED32 = 5;

const RESPONSE_FIELDS = { header: 1, kvs: 2, more: 3 } as const;
const HEADER_FIELDS = { clusterId: 1, revision: 3 } as const;
const KEY_VALUE_FIELDS = { key: 1, modRevision: 3, value: 5 } as const;

const EMPTY: Buffer = Buffer.alloc(0);
/** As many groups of seven bits as a number surely holds without loss. */
const SAFE_BYTES = 7;

/** A key as it is stored. */
export interface StoredPair {
  readonly key: Buffer;
  readonly value: Buffer;
  /** The revision that wrote it last. */
  readonly modRevision: bigint;
}

export interface RangePage {
  readonly header: ResponseHeader | undefined;
  readonly kvs: readonly StoredPair[];
  /** There are keys behind the last one. */
  readonly more: boolean;
}

/** Reads fields one after the other; never behind its end. */
class FieldReader {
  readonly #bytes: Buffer;
  readonly #end: number;
  #at: number;
  /** Of the field last read by {@link next}. */
  field = 0;
  #wireType = 0;

  constructor(bytes: Buffer, from: number, end: number) {
    this.#bytes = bytes;
    this.#at = from;
    this.#end = end;
  }

  /** Goes to the next field; false at the end. */
  next(): boolean {
    if (this.#at >= this.#end) return false;
    const tag = this.#number();
    this.field = tag >>> 3;
    this.#wireType = tag & 7;
    return true;
  }

  /** The field as a whole number of 64 bits, as it was sent: without sign. */
  integer(): bigint {
    if (this.#wireType !== VARINT) throw new Error('a field of an answer is no number');
    const from = this.#at;
    let low = 0;
    let scale = 1;
    for (let read = 0; read < SAFE_BYTES; read += 1) {
      const byte = this.#byte();
      low += (byte & 0x7f) * scale;
      if (byte < 0x80) return BigInt(low);
      scale *= 128;
    }
    this.#at = from;
    let value = 0n;
    for (let shift = 0n; shift < 70n; shift += 7n) {
      const byte = this.#byte();
      value |= BigInt(byte & 0x7f) << shift;
      if (byte < 0x80) return BigInt.asUintN(64, value);
    }
    throw new Error('a number of an answer does not end');
  }

  bytes(): Buffer {
    const { from, to } = this.#span();
    return this.#bytes.subarray(from, to);
  }

  message(): FieldReader {
    const { from, to } = this.#span();
    return new FieldReader(this.#bytes, from, to);
  }

  skip(): void {
    if (this.#wireType === VARINT) this.#skipNumber();
    else if (this.#wireType === BYTES) this.#span();
    else if (this.#wireType === FIXED64) this.#advance(8);
    else if (this.#wireType === FIXED32) this.#advance(4);
    else throw new Error('a field of an answer has no length');
  }

  #byte(): number {
    if (this.#at >= this.#end) throw new Error('an answer ends within a field');
    const byte = this.#bytes[this.#at] ?? 0;
    this.#at += 1;
    return byte;
  }

  /** A tag or a length: at most 32 bits. */
  #number(): number {
    let value = 0;
    for (let shift = 0; shift < 35; shift += 7) {
      const byte = this.#byte();
      value += (byte & 0x7f) * 2 ** shift;
      if (byte < 0x80) return value;
    }
    throw new Error('a length of an answer does not end');
  }

  #skipNumber(): void {
    for (let read = 0; read < 10; read += 1) if (this.#byte() < 0x80) return;
    throw new Error('a number of an answer does not end');
  }

  #span(): { readonly from: number; readonly to: number } {
    if (this.#wireType !== BYTES) throw new Error('a field of an answer holds no bytes');
    const length = this.#number();
    const from = this.#at;
    this.#advance(length);
    return { from, to: this.#at };
  }

  #advance(length: number): void {
    if (this.#at + length > this.#end) throw new Error('an answer ends within a field');
    this.#at += length;
  }
}

function readHeader(reader: FieldReader): ResponseHeader {
  const header = { clusterId: 0n, revision: 0n };
  while (reader.next()) {
    if (reader.field === HEADER_FIELDS.clusterId) header.clusterId = reader.integer();
    else if (reader.field === HEADER_FIELDS.revision) header.revision = BigInt.asIntN(64, reader.integer());
    else reader.skip();
  }
  return header;
}

function readPair(reader: FieldReader): StoredPair {
  let key: Buffer = EMPTY;
  let value: Buffer = EMPTY;
  let modRevision = 0n;
  while (reader.next()) {
    if (reader.field === KEY_VALUE_FIELDS.key) key = reader.bytes();
    else if (reader.field === KEY_VALUE_FIELDS.value) value = reader.bytes();
    else if (reader.field === KEY_VALUE_FIELDS.modRevision) modRevision = BigInt.asIntN(64, reader.integer());
    else reader.skip();
  }
  return { key, value, modRevision };
}

/** @throws {Error} the bytes are no such message */
export function decodeRangeResponse(bytes: Buffer): RangePage {
  const reader = new FieldReader(bytes, 0, bytes.length);
  const kvs: StoredPair[] = [];
  let header: ResponseHeader | undefined;
  let more = false;
  while (reader.next()) {
    if (reader.field === RESPONSE_FIELDS.kvs) kvs.push(readPair(reader.message()));
    else if (reader.field === RESPONSE_FIELDS.header) header = readHeader(reader.message());
    else if (reader.field === RESPONSE_FIELDS.more) more = reader.integer() !== 0n;
    else reader.skip();
  }
  return { header, kvs, more };
}
