import { macBytes, macFromBytes } from '../../net/mac.js';
import { ENODEV } from '../../sys/errno.js';
import { type NamespaceRef, openNamespace } from '../../sys/namespace.js';
import { Attributes, type AttributeWriter } from '../attributes.js';
import { isErrno, malformed } from '../errors.js';
import { present } from '../present.js';
import { type Message, NLM_F_CREATE, NLM_F_EXCL, oneRequest } from '../message.js';
import type { NetlinkSocket } from '../socket.js';
import {
  IFF_LOWER_UP,
  IFF_UP,
  IFLA_ADDRESS,
  IFLA_AF_SPEC,
  IFLA_EXT_MASK,
  IFLA_IFNAME,
  IFLA_INET6_ADDR_GEN_MODE,
  IFLA_INFO_DATA,
  IFLA_INFO_KIND,
  IFLA_LINK,
  IFLA_LINK_NETNSID,
  IFLA_LINKINFO,
  IFLA_MASTER,
  IFLA_MTU,
  IFLA_NET_NS_FD,
  IFLA_NUM_RX_QUEUES,
  IFLA_NUM_TX_QUEUES,
  IFLA_OPERSTATE,
  RTEXT_FILTER_SKIP_STATS,
  RTM_DELLINK,
  RTM_GETLINK,
  RTM_NEWLINK,
  VETH_INFO_PEER,
} from './constants.js';
import { AF_INET6 } from '../../sys/constants.js';

/** `struct ifinfomsg`: family, pad, type (2), index (4), flags (4), change mask (4). */
const IFINFOMSG = 16;
const MAX_NAME_BYTES = 15;
const IF_OPER_UP = 6;
const IF_OPER_UNKNOWN = 0;

/** A network interface as the kernel describes it. */
export interface Link {
  readonly index: number;
  readonly name: string;
  /** `veth`, `vxlan`, `ipip`, `bridge` …; undefined for hardware and loopback. */
  readonly kind?: string;
  /** Undefined where the link has no 6-octet address. */
  readonly mac?: string;
  readonly mtu: number;
  /** Administratively up (`ip link set … up`). */
  readonly isUp: boolean;
  /** Up and able to carry packets: up, with carrier, and operational. A veth is so only when both ends are up. */
  readonly isRunning: boolean;
  readonly masterIndex?: number;
  /** The link below: a veth's peer, a vxlan's underlay. In another namespace when `peerNamespaceId` is there. */
  readonly parentIndex?: number;
  readonly peerNamespaceId?: number;
}

/** What to change of a link; what is left out stays. */
export interface LinkChange {
  readonly up?: boolean;
  readonly mtu?: number;
  readonly mac?: string;
  /** At most 15 bytes. The link may be up (kernel 6.2) or must be down (older). */
  readonly name?: string;
  /** Where to move it. */
  readonly namespace?: NamespaceRef;
  /** 0 takes it out of its bridge. */
  readonly masterIndex?: number;
  /** `none`: no link-local address of its own accord; `eui64`: derived from the MAC. */
  readonly addressGeneration?: 'eui64' | 'none';
}

export interface NewLink {
  readonly name: string;
  readonly kind: string;
  readonly mtu?: number;
  readonly mac?: string;
  readonly up?: boolean;
  readonly queues?: number;
  readonly parentIndex?: number;
  readonly namespace?: NamespaceRef;
  /** Writes the kind's own attributes (IFLA_INFO_DATA). */
  readonly data?: (writer: AttributeWriter) => void;
}

/** One end of a veth. The kernel refuses to bring it up before the other end exists: up it goes afterwards. */
export type NewVethEnd = Omit<NewLink, 'kind' | 'data' | 'parentIndex' | 'up'>;

export interface NewVeth extends NewVethEnd {
  readonly peer: NewVethEnd;
}

/** @throws {CalicoError} `ERR_CALI_NETLINK_MALFORMED` */
export function decodeLink(payload: Buffer): Link {
  if (payload.length < IFINFOMSG) throw malformed(`a link has ${payload.length} bytes`);
  const flags = payload.readUInt32LE(8);
  const attributes = new Attributes(payload.subarray(IFINFOMSG));
  const peerNamespaceId = attributes.s32(IFLA_LINK_NETNSID);
  const state = attributes.u8(IFLA_OPERSTATE) ?? IF_OPER_UNKNOWN;
  const canCarry = (flags & IFF_LOWER_UP) !== 0 && (state === IF_OPER_UP || state === IF_OPER_UNKNOWN);
  return {
    index: payload.readInt32LE(4),
    name: attributes.string(IFLA_IFNAME) ?? '',
    mtu: attributes.u32(IFLA_MTU) ?? 0,
    isUp: (flags & IFF_UP) !== 0,
    isRunning: (flags & IFF_UP) !== 0 && canCarry,
    ...present({
      kind: attributes.nested(IFLA_LINKINFO)?.string(IFLA_INFO_KIND),
      mac: macFromBytes(attributes.blob(IFLA_ADDRESS) ?? new Uint8Array()),
      masterIndex: attributes.u32(IFLA_MASTER),
      parentIndex: attributes.u32(IFLA_LINK),
      peerNamespaceId: peerNamespaceId === undefined || peerNamespaceId < 0 ? undefined : peerNamespaceId,
    }),
  };
}

function writeHeader(writer: AttributeWriter, fields: { index?: number; up?: boolean }): void {
  const header = writer.header(IFINFOMSG);
  header.writeInt32LE(fields.index ?? 0, 4);
  if (fields.up === undefined) return;
  header.writeUInt32LE(fields.up ? IFF_UP : 0, 8);
  header.writeUInt32LE(IFF_UP, 12);
}

function writeName(writer: AttributeWriter, name: string): void {
  const bytes = Buffer.byteLength(name);
  if (bytes === 0 || bytes > MAX_NAME_BYTES || /[\s/:]/.test(name) || name === '.' || name === '..') {
    throw malformed(`"${name}" cannot name an interface`);
  }
  writer.string(IFLA_IFNAME, name);
}

type CommonFields = Pick<LinkChange, 'mac' | 'mtu' | 'name'> & { namespaceFd?: number | undefined };

function writeCommon(writer: AttributeWriter, fields: CommonFields): void {
  if (fields.name !== undefined) writeName(writer, fields.name);
  if (fields.mac !== undefined) writer.blob(IFLA_ADDRESS, macBytes(fields.mac));
  if (fields.mtu !== undefined) writer.u32(IFLA_MTU, fields.mtu);
  if (fields.namespaceFd !== undefined) writer.u32(IFLA_NET_NS_FD, fields.namespaceFd);
}

type NewEnd = Omit<NewLink, 'kind' | 'data' | 'namespace'> & { namespaceFd?: number | undefined };

function writeNewEnd(writer: AttributeWriter, link: NewEnd): void {
  writeHeader(writer, link.up === true ? { up: true } : {});
  writeCommon(writer, link);
  if (link.parentIndex !== undefined) writer.u32(IFLA_LINK, link.parentIndex);
  if (link.queues !== undefined) writer.u32(IFLA_NUM_TX_QUEUES, link.queues).u32(IFLA_NUM_RX_QUEUES, link.queues);
}

/** The body of RTM_NEWLINK that creates a link. */
export function encodeNewLink(
  writer: AttributeWriter,
  link: Omit<NewLink, 'namespace'> & { namespaceFd?: number | undefined },
): void {
  writeNewEnd(writer, link);
  writer.nest(IFLA_LINKINFO, (info) => {
    info.string(IFLA_INFO_KIND, link.kind);
    const data = link.data;
    if (data !== undefined) info.nest(IFLA_INFO_DATA, data);
  });
}

/** All links of the socket's namespace. @throws {NetlinkError} */
export async function listLinks(socket: NetlinkSocket): Promise<Link[]> {
  const request = oneRequest({ type: RTM_GETLINK, what: () => 'list links' }, (writer) => {
    writeHeader(writer, {});
    writer.u32(IFLA_EXT_MASK, RTEXT_FILTER_SKIP_STATS);
  });
  return (await socket.dump(request))
    .filter(({ type }) => type === RTM_NEWLINK)
    .map(({ payload }) => decodeLink(payload));
}

/** By name or by index; undefined when there is none. @throws {NetlinkError} */
export async function findLink(socket: NetlinkSocket, nameOrIndex: string | number): Promise<Link | undefined> {
  const request = oneRequest({ type: RTM_GETLINK, what: () => `read link ${nameOrIndex}` }, (writer) => {
    if (typeof nameOrIndex === 'number') {
      writeHeader(writer, { index: nameOrIndex });
    } else {
      writeHeader(writer, {});
      writeName(writer, nameOrIndex);
    }
    writer.u32(IFLA_EXT_MASK, RTEXT_FILTER_SKIP_STATS);
  });
  let replies: Message[];
  try {
    replies = await socket.request(request);
  } catch (error) {
    if (isErrno(error, ENODEV)) return undefined;
    throw error;
  }
  const reply = replies.find(({ type }) => type === RTM_NEWLINK);
  return reply === undefined ? undefined : decodeLink(reply.payload);
}

/** Creates a link of any kind. @throws {NetlinkError} EEXIST the name is taken; EOPNOTSUPP the kernel lacks the kind */
export async function createLink(socket: NetlinkSocket, link: NewLink): Promise<void> {
  const head = {
    type: RTM_NEWLINK,
    flags: NLM_F_CREATE | NLM_F_EXCL,
    what: () => `create ${link.kind} link ${link.name}`,
  };
  await withNamespaceFd(link.namespace, (namespaceFd) =>
    socket.request(oneRequest(head, (writer) => encodeNewLink(writer, { ...link, namespaceFd }))),
  );
}

/**
 * Creates a veth pair; each end may be placed in another namespace, and has MTU and MAC from its first moment.
 * @throws {NetlinkError} EEXIST one of the names is taken
 */
export async function createVeth(socket: NetlinkSocket, veth: NewVeth): Promise<void> {
  const head = {
    type: RTM_NEWLINK,
    flags: NLM_F_CREATE | NLM_F_EXCL,
    what: () => `create veth link ${veth.name} with peer ${veth.peer.name}`,
  };
  await withNamespaceFd(veth.namespace, (namespaceFd) =>
    withNamespaceFd(veth.peer.namespace, (peerFd) => {
      const data = (writer: AttributeWriter): void => {
        writer.nest(VETH_INFO_PEER, (peer) => writeNewEnd(peer, { ...veth.peer, namespaceFd: peerFd }));
      };
      const link = { ...veth, kind: 'veth', data, namespaceFd };
      return socket.request(oneRequest(head, (writer) => encodeNewLink(writer, link)));
    }),
  );
}

/** Changes a link by its index. @throws {NetlinkError} ENODEV it is gone */
export async function changeLink(socket: NetlinkSocket, index: number, change: LinkChange): Promise<void> {
  await withNamespaceFd(change.namespace, (namespaceFd) => {
    const head = { type: RTM_NEWLINK, what: () => `change link ${index} (${describeChange(change)})` };
    const request = oneRequest(head, (writer) => {
      writeHeader(writer, change.up === undefined ? { index } : { index, up: change.up });
      writeCommon(writer, { ...change, namespaceFd });
      if (change.masterIndex !== undefined) writer.u32(IFLA_MASTER, change.masterIndex);
      const generation = change.addressGeneration;
      if (generation !== undefined) writeAddressGeneration(writer, generation);
    });
    return socket.request(request);
  });
}

/** Deletes a link by index or name; false when there was none. Deleting one end of a veth deletes the other. */
export async function deleteLink(socket: NetlinkSocket, nameOrIndex: string | number): Promise<boolean> {
  const request = oneRequest({ type: RTM_DELLINK, what: () => `delete link ${nameOrIndex}` }, (writer) => {
    if (typeof nameOrIndex === 'number') {
      writeHeader(writer, { index: nameOrIndex });
    } else {
      writeHeader(writer, {});
      writeName(writer, nameOrIndex);
    }
  });
  try {
    await socket.request(request);
    return true;
  } catch (error) {
    if (isErrno(error, ENODEV)) return false;
    throw error;
  }
}

function writeAddressGeneration(writer: AttributeWriter, mode: 'eui64' | 'none'): void {
  writer.nest(IFLA_AF_SPEC, (families) =>
    families.nest(AF_INET6, (inet6) => inet6.u8(IFLA_INET6_ADDR_GEN_MODE, mode === 'eui64' ? 0 : 1)),
  );
}

function describeChange(change: LinkChange): string {
  return Object.entries(change)
    .map(([key, value]) => (key === 'namespace' ? key : `${key} ${String(value)}`))
    .join(', ');
}

/** The descriptor must be open while the kernel handles the request, and only then. */
async function withNamespaceFd<T>(
  ref: NamespaceRef | undefined,
  use: (fd: number | undefined) => Promise<T>,
): Promise<T> {
  if (ref === undefined) return use(undefined);
  const { namespace, owned } = openNamespace(ref);
  try {
    return await use(namespace.fd);
  } finally {
    if (owned) namespace.close();
  }
}
