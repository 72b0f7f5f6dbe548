import type { Attributes, AttributeWriter } from '../netlink/attributes.js';
import {
  LITTLE,
  concatLength,
  datatypeByteOrder,
  datatypeLength,
  datatypesNumber,
  datatypesOfNumber,
  hostView,
  type Datatype,
} from './datatypes.js';
import type { AnySet, SetShape, TableFamily } from './objects.js';
import {
  UDATA_SET_COMMENT,
  UDATA_SET_DATABYTEORDER,
  UDATA_SET_KEYBYTEORDER,
  commentBytes,
  readComment,
  encodeUserData,
  type UserValue,
} from './user-data.js';

// include/uapi/linux/netfilter/nf_tables.h: enum nft_set_attributes, nft_set_flags, nft_set_desc_attributes.
const NFTA_SET_TABLE = 1;
const NFTA_SET_NAME = 2;
const NFTA_SET_FLAGS = 3;
const NFTA_SET_KEY_TYPE = 4;
const NFTA_SET_KEY_LEN = 5;
const NFTA_SET_DATA_TYPE = 6;
const NFTA_SET_DATA_LEN = 7;
const NFTA_SET_DESC = 9;
const NFTA_SET_ID = 10;
const NFTA_SET_TIMEOUT = 11;
const NFTA_SET_USERDATA = 13;
const NFTA_SET_DESC_SIZE = 1;
const NFTA_SET_DESC_CONCAT = 2;
const NFTA_SET_FIELD_LEN = 1;
const NFTA_LIST_ELEM = 1;
const NFT_SET_ANONYMOUS = 0x1;
const NFT_SET_CONSTANT = 0x2;
const NFT_SET_INTERVAL = 0x4;
const NFT_SET_MAP = 0x8;
const NFT_SET_TIMEOUT = 0x10;
const NFT_SET_CONCAT = 0x80;
const NFT_DATA_VERDICT = 0xffffff00;

/** A set as a batch makes it. */
export interface SetToWrite extends SetShape {
  readonly tableName: string;
  readonly name: string;
  /** Names the set inside the batch: every set needs one. */
  readonly id: number;
  readonly data?: 'verdict' | readonly Datatype[];
  readonly anonymous?: boolean;
  readonly comment?: string;
}

function flagsOf(set: SetToWrite): number {
  let flags = 0;
  if (set.anonymous === true) flags |= NFT_SET_ANONYMOUS;
  if (set.constant === true) flags |= NFT_SET_CONSTANT;
  if (set.interval === true) flags |= NFT_SET_INTERVAL;
  if (set.data !== undefined) flags |= NFT_SET_MAP;
  if (set.timeoutMs !== undefined) flags |= NFT_SET_TIMEOUT;
  if (set.interval === true && set.key.length > 1) flags |= NFT_SET_CONCAT;
  return flags;
}

/** `enum byteorder` of nft: 0 unknown (concatenations), 1 host, 2 big; as a host-order number. */
function byteOrder(datatypes: readonly Datatype[]): Uint8Array {
  const bytes = new Uint8Array(4);
  const [only] = datatypes;
  let order = 0;
  if (datatypes.length === 1 && only !== undefined) order = datatypeByteOrder(only) === 'host' ? 1 : 2;
  hostView(bytes).setUint32(0, order, LITTLE);
  return bytes;
}

function userDataOf(set: SetToWrite): Uint8Array {
  const values: UserValue[] = [{ type: UDATA_SET_KEYBYTEORDER, value: byteOrder(set.key) }];
  if (Array.isArray(set.data)) values.push({ type: UDATA_SET_DATABYTEORDER, value: byteOrder(set.data) });
  if (set.comment !== undefined) values.push({ type: UDATA_SET_COMMENT, value: commentBytes(set.comment) });
  return encodeUserData(values);
}

export function writeSet(into: AttributeWriter, set: SetToWrite): void {
  writeSetName(into, set.tableName, set.name);
  into.u32BE(NFTA_SET_FLAGS, flagsOf(set));
  into.u32BE(NFTA_SET_KEY_TYPE, datatypesNumber(set.key));
  into.u32BE(NFTA_SET_KEY_LEN, concatLength(set.key));
  if (set.data === 'verdict') {
    into.u32BE(NFTA_SET_DATA_TYPE, NFT_DATA_VERDICT);
    into.u32BE(NFTA_SET_DATA_LEN, 0);
  } else if (set.data !== undefined) {
    into.u32BE(NFTA_SET_DATA_TYPE, datatypesNumber(set.data));
    into.u32BE(NFTA_SET_DATA_LEN, concatLength(set.data));
  }
  into.u32BE(NFTA_SET_ID, set.id);
  writeDescription(into, set);
  if (set.timeoutMs !== undefined) into.u64BE(NFTA_SET_TIMEOUT, BigInt(set.timeoutMs));
  into.blob(NFTA_SET_USERDATA, userDataOf(set));
}

function writeDescription(into: AttributeWriter, set: SetToWrite): void {
  const isConcatInterval = set.interval === true && set.key.length > 1;
  if (set.size === undefined && !isConcatInterval) return;
  into.nest(NFTA_SET_DESC, (description) => {
    if (set.size !== undefined) description.u32BE(NFTA_SET_DESC_SIZE, set.size);
    if (!isConcatInterval) return;
    description.nest(NFTA_SET_DESC_CONCAT, (list) => {
      for (const datatype of set.key) {
        list.nest(NFTA_LIST_ELEM, (field) => field.u32BE(NFTA_SET_FIELD_LEN, datatypeLength(datatype)));
      }
    });
  });
}

export function writeSetName(into: AttributeWriter, table: string, name: string): void {
  into.string(NFTA_SET_TABLE, table);
  into.string(NFTA_SET_NAME, name);
}

/** Which sets a dump should give. */
export function writeSetsOf(into: AttributeWriter, table: string): void {
  into.string(NFTA_SET_TABLE, table);
}

/** A set as the kernel describes it. */
export interface DecodedSet {
  readonly set: AnySet;
  readonly anonymous: boolean;
}

/** Undefined without names. */
export function readSet(family: TableFamily, attributes: Attributes): DecodedSet | undefined {
  const tableName = attributes.string(NFTA_SET_TABLE);
  const name = attributes.string(NFTA_SET_NAME);
  if (tableName === undefined || name === undefined) return undefined;
  const flags = attributes.u32BE(NFTA_SET_FLAGS) ?? 0;
  const comment = readComment(attributes.blob(NFTA_SET_USERDATA), UDATA_SET_COMMENT);
  const facts = {
    table: { family, name: tableName },
    name,
    ...readShape(attributes, flags),
    ...(comment === undefined ? {} : { comment }),
  };
  const anonymous = (flags & NFT_SET_ANONYMOUS) !== 0;
  if ((flags & NFT_SET_MAP) === 0) return { set: { kind: 'set', ...facts }, anonymous };
  const dataType = attributes.u32BE(NFTA_SET_DATA_TYPE) ?? 0;
  const data = dataType === NFT_DATA_VERDICT ? ('verdict' as const) : datatypesOfNumber(dataType);
  return { set: { kind: 'map', ...facts, data }, anonymous };
}

function readShape(attributes: Attributes, flags: number): SetShape {
  const size = attributes.nested(NFTA_SET_DESC)?.u32BE(NFTA_SET_DESC_SIZE) ?? 0;
  const timeout = attributes.u64BE(NFTA_SET_TIMEOUT) ?? 0n;
  return {
    key: datatypesOfNumber(attributes.u32BE(NFTA_SET_KEY_TYPE) ?? 0),
    ...((flags & NFT_SET_INTERVAL) === 0 ? {} : { interval: true }),
    ...((flags & NFT_SET_CONSTANT) === 0 ? {} : { constant: true }),
    ...((flags & NFT_SET_TIMEOUT) === 0 || timeout === 0n ? {} : { timeoutMs: Number(timeout) }),
    ...(size === 0 ? {} : { size }),
  };
}
