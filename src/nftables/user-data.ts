/**
 * User data of tables, chains, sets, elements, objects and rules: a run of `{ u8 type, u8 length, data }` that the kernel keeps
 * and does not read. The types below 0x80 are nft's own (libnftnl udata.h); ours begins there, and nft passes over it.
 */
export const UDATA_COMMENT = 0;
/** Set user data numbers its comment differently. */
export const UDATA_SET_COMMENT = 7;
export const UDATA_SET_KEYBYTEORDER = 0;
export const UDATA_SET_DATABYTEORDER = 1;
/** Sixteen bytes: hash of a rule's content. */
export const UDATA_RULE_HASH = 0x80;

const MAX_VALUE = 255;

/** One value of user data. */
export interface UserValue {
  readonly type: number;
  readonly value: Uint8Array;
}

/** User data of these values. @throws {RangeError} when one is longer than 255 bytes */
export function encodeUserData(values: readonly UserValue[]): Uint8Array {
  const bytes = new Uint8Array(values.reduce((length, { value }) => length + 2 + value.length, 0));
  let at = 0;
  for (const { type, value } of values) {
    if (value.length > MAX_VALUE) throw new RangeError(`user data of ${value.length} bytes`);
    bytes[at] = type;
    bytes[at + 1] = value.length;
    bytes.set(value, at + 2);
    at += 2 + value.length;
  }
  return bytes;
}

/** Text with its closing NUL, as nft wants comments. */
export function commentBytes(comment: string): Uint8Array {
  return Buffer.from(`${comment}\0`);
}

/** A comment alone: what tables, chains, elements and objects have. */
export function commentUserData(comment: string): Uint8Array {
  return encodeUserData([{ type: UDATA_COMMENT, value: commentBytes(comment) }]);
}

/** The value of a type, or undefined; user data that does not parse holds nothing. */
export function readUserValue(bytes: Uint8Array | undefined, type: number): Uint8Array | undefined {
  if (bytes === undefined) return undefined;
  for (let at = 0; at + 2 <= bytes.length;) {
    const length = bytes[at + 1] ?? 0;
    if (at + 2 + length > bytes.length) return undefined;
    if (bytes[at] === type) return bytes.subarray(at + 2, at + 2 + length);
    at += 2 + length;
  }
  return undefined;
}

export function readComment(bytes: Uint8Array | undefined, type = UDATA_COMMENT): string | undefined {
  const value = readUserValue(bytes, type);
  if (value === undefined) return undefined;
  const end = value.indexOf(0);
  return Buffer.from(end < 0 ? value : value.subarray(0, end)).toString();
}
