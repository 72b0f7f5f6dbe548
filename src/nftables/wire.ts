import type { AttributeWriter } from '../netlink/attributes.js';
import type { TableFamily } from './objects.js';

// include/uapi/linux/netfilter/nfnetlink.h
const NFNL_SUBSYS_NFTABLES = 10;
export const NFNL_MSG_BATCH_BEGIN = 0x10;
export const NFNL_MSG_BATCH_END = 0x11;
export const NFNL_BATCH_GENID = 1;

// include/uapi/linux/netfilter/nf_tables.h: enum nf_tables_msg_types
const MESSAGES = [
  'NEWTABLE',
  'GETTABLE',
  'DELTABLE',
  'NEWCHAIN',
  'GETCHAIN',
  'DELCHAIN',
  'NEWRULE',
  'GETRULE',
  'DELRULE',
  'NEWSET',
  'GETSET',
  'DELSET',
  'NEWSETELEM',
  'GETSETELEM',
  'DELSETELEM',
  'NEWGEN',
  'GETGEN',
  'TRACE',
  'NEWOBJ',
  'GETOBJ',
  'DELOBJ',
] as const;
export type MessageName = (typeof MESSAGES)[number];

const TYPES: ReadonlyMap<string, number> = new Map(
  MESSAGES.map((name, number) => [name, (NFNL_SUBSYS_NFTABLES << 8) | number]),
);

/** The netlink message type of `NFT_MSG_<name>`. */
export function messageType(name: MessageName): number {
  return TYPES.get(name) ?? 0;
}

/** The name of a netlink message type; undefined when it is none of nf_tables' that we know. */
export function messageName(type: number): MessageName | undefined {
  return type >> 8 === NFNL_SUBSYS_NFTABLES ? MESSAGES[type & 255] : undefined;
}

// include/uapi/linux/netfilter.h: NFPROTO_*
const FAMILIES: Readonly<Record<TableFamily, number>> = { inet: 1, ip: 2, arp: 3, netdev: 5, bridge: 7, ip6: 10 };
const FAMILY_NAMES: ReadonlyMap<number, TableFamily> = new Map(
  Object.entries(FAMILIES).map(([name, number]) => [number, name as TableFamily]),
);

/** Bytes of `struct nfgenmsg`, which begins every message's payload. */
export const NFGENMSG_LENGTH = 4;

/** `struct nfgenmsg { __u8 nfgen_family; __u8 version; __be16 res_id; }`. */
export function writeGenmsg(into: AttributeWriter, family: TableFamily | undefined): void {
  into.header(NFGENMSG_LENGTH)[0] = family === undefined ? 0 : FAMILIES[family];
}

/** The header of a batch's first and last message: the subsystem stands where others have a resource id. */
export function writeBatchGenmsg(into: AttributeWriter): void {
  into.header(NFGENMSG_LENGTH).writeUInt16BE(NFNL_SUBSYS_NFTABLES, 2);
}

/** The family a message is about; undefined when it is none we know or the message too short. */
export function readFamily(payload: Uint8Array): TableFamily | undefined {
  return payload.length < NFGENMSG_LENGTH ? undefined : FAMILY_NAMES.get(payload[0] ?? 0);
}
