import { type Address, type Family, formatAddress } from '../../net/address.js';
import { AF_INET, AF_INET6 } from '../../sys/constants.js';
import { ENOENT } from '../../sys/errno.js';
import { Attributes, type AttributeWriter } from '../attributes.js';
import { isErrno, malformed } from '../errors.js';
import { oneRequest, Requests } from '../message.js';
import { present } from '../present.js';
import type { NetlinkSocket } from '../socket.js';

// include/uapi/linux/netfilter/nfnetlink.h, nfnetlink_conntrack.h
const NFNL_SUBSYS_CTNETLINK = 1 << 8;
const IPCTNL_MSG_CT_NEW = NFNL_SUBSYS_CTNETLINK | 0;
const IPCTNL_MSG_CT_GET = NFNL_SUBSYS_CTNETLINK | 1;
const IPCTNL_MSG_CT_DELETE = NFNL_SUBSYS_CTNETLINK | 2;
const NFGENMSG = 4;
const CTA_TUPLE_ORIG = 1;
const CTA_TUPLE_REPLY = 2;
const CTA_ID = 12;
const CTA_ZONE = 18;
const CTA_TUPLE_IP = 1;
const CTA_TUPLE_PROTO = 2;
const CTA_IP_V4_SRC = 1;
const CTA_IP_V4_DST = 2;
const CTA_IP_V6_SRC = 3;
const CTA_IP_V6_DST = 4;
const CTA_PROTO_NUM = 1;
const CTA_PROTO_SRC_PORT = 2;
const CTA_PROTO_DST_PORT = 3;

/** One direction of a flow. */
export interface FlowTuple {
  readonly source: Address;
  readonly destination: Address;
  /** IANA number. */
  readonly protocol: number;
  readonly sourcePort?: number;
  readonly destinationPort?: number;
}

/** A connection the kernel tracks: as its first packet looked, and as answers look (the difference is NAT). */
export interface Flow {
  readonly original: FlowTuple;
  readonly reply: FlowTuple;
  readonly zone: number;
  /** The tuple's bytes as received, and the entry's id: what names it when it is deleted. */
  readonly key: { readonly family: number; readonly original: Buffer; readonly id: Buffer | undefined };
}

function decodeTuple(attributes: Attributes | undefined): FlowTuple {
  const ip = attributes?.nested(CTA_TUPLE_IP);
  const protocol = attributes?.nested(CTA_TUPLE_PROTO);
  if (ip === undefined || protocol === undefined) throw malformed('a flow without a tuple');
  const source = ip.address(CTA_IP_V4_SRC) ?? ip.address(CTA_IP_V6_SRC);
  const destination = ip.address(CTA_IP_V4_DST) ?? ip.address(CTA_IP_V6_DST);
  if (source === undefined || destination === undefined) throw malformed('a flow without addresses');
  return {
    source,
    destination,
    protocol: protocol.u8(CTA_PROTO_NUM) ?? 0,
    ...present({
      sourcePort: protocol.u16BE(CTA_PROTO_SRC_PORT),
      destinationPort: protocol.u16BE(CTA_PROTO_DST_PORT),
    }),
  };
}

/** @throws {CalicoError} `ERR_CALI_NETLINK_MALFORMED` */
export function decodeFlow(payload: Buffer): Flow {
  if (payload.length < NFGENMSG) throw malformed(`a flow has ${payload.length} bytes`);
  const attributes = new Attributes(payload.subarray(NFGENMSG));
  return {
    original: decodeTuple(attributes.nested(CTA_TUPLE_ORIG)),
    reply: decodeTuple(attributes.nested(CTA_TUPLE_REPLY)),
    zone: attributes.u16BE(CTA_ZONE) ?? 0,
    key: {
      family: payload.readUInt8(0),
      original: attributes.blob(CTA_TUPLE_ORIG) ?? Buffer.alloc(0),
      id: attributes.blob(CTA_ID),
    },
  };
}

function writeHeader(writer: AttributeWriter, family: number): void {
  writer.header(NFGENMSG).writeUInt8(family, 0);
}

/**
 * The flows of a family; 100,000 take about 0.2 s, in slices.
 * @param socket of NETLINK_NETFILTER
 * @throws {NetlinkError} the kernel has no conntrack netlink
 */
export async function listFlows(socket: NetlinkSocket, family: Family): Promise<Flow[]> {
  const head = { type: IPCTNL_MSG_CT_GET, what: () => `list tracked IPv${family} connections` };
  const request = oneRequest(head, (writer) => writeHeader(writer, family === 4 ? AF_INET : AF_INET6));
  const replies = await socket.dump(request);
  return replies.filter(({ type }) => type === IPCTNL_MSG_CT_NEW).map(({ payload }) => decodeFlow(payload));
}

/**
 * Forgets every connection that one of these addresses began or answers: its original source or its reply source. After this a
 * packet of such a connection is judged by policy again, as a new one.
 *
 * @returns how many were deleted; one that ended by itself meanwhile does not count
 * @throws {NetlinkError} the first refusal
 */
export async function deleteFlowsOf(socket: NetlinkSocket, addresses: readonly Address[]): Promise<number> {
  let deleted = 0;
  for (const family of [4, 6] as const) {
    const wanted = new Set(addresses.filter((address) => address.family === family).map(formatAddress));
    if (wanted.size > 0) deleted += await deleteMatching(socket, family, wanted);
  }
  return deleted;
}

async function deleteMatching(socket: NetlinkSocket, family: Family, wanted: ReadonlySet<string>): Promise<number> {
  const flows = (await listFlows(socket, family)).filter(
    ({ original, reply }) => wanted.has(formatAddress(original.source)) || wanted.has(formatAddress(reply.source)),
  );
  const requests = new Requests();
  for (const flow of flows) addDeletion(requests, flow);
  if (requests.count === 0) return 0;
  const refusals = await socket.requestAll(requests);
  const failed = refusals.find(({ error }) => !isErrno(error, ENOENT));
  if (failed !== undefined) throw failed.error;
  return flows.length - refusals.length;
}

function addDeletion(requests: Requests, { key, original, zone }: Flow): void {
  const what = (): string =>
    `forget the connection ${formatAddress(original.source)} to ${formatAddress(original.destination)}`;
  requests.add({ type: IPCTNL_MSG_CT_DELETE, what }, (writer) => {
    writeHeader(writer, key.family);
    writer.nest(CTA_TUPLE_ORIG, (tuple) => tuple.raw(key.original));
    if (zone !== 0) writer.u16BE(CTA_ZONE, zone);
    // With the id, a new connection that took over the same tuple is spared.
    if (key.id !== undefined) writer.blob(CTA_ID, key.id);
  });
}

/** A tuple's attributes, as the kernel takes them: to delete or make up a flow. */
export function encodeTuple(writer: AttributeWriter, tuple: FlowTuple): void {
  const isV4 = tuple.source.family === 4;
  writer.nest(CTA_TUPLE_IP, (ip) => {
    ip.address(isV4 ? CTA_IP_V4_SRC : CTA_IP_V6_SRC, tuple.source);
    ip.address(isV4 ? CTA_IP_V4_DST : CTA_IP_V6_DST, tuple.destination);
  });
  writer.nest(CTA_TUPLE_PROTO, (protocol) => {
    protocol.u8(CTA_PROTO_NUM, tuple.protocol);
    if (tuple.sourcePort !== undefined) protocol.u16BE(CTA_PROTO_SRC_PORT, tuple.sourcePort);
    if (tuple.destinationPort !== undefined) protocol.u16BE(CTA_PROTO_DST_PORT, tuple.destinationPort);
  });
}
