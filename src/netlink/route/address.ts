import { formatPrefix, type Prefix } from '../../net/prefix.js';
import { AF_INET, AF_INET6, AF_UNSPEC } from '../../sys/constants.js';
import { EADDRNOTAVAIL, ENODEV } from '../../sys/errno.js';
import { Attributes, type AttributeWriter } from '../attributes.js';
import { isErrno, malformed } from '../errors.js';
import { NLM_F_CREATE, NLM_F_REPLACE, oneRequest } from '../message.js';
import type { NetlinkSocket } from '../socket.js';
import {
  IFA_ADDRESS,
  IFA_F_NODAD,
  IFA_F_NOPREFIXROUTE,
  IFA_FLAGS,
  IFA_LOCAL,
  RTM_DELADDR,
  RTM_GETADDR,
  RTM_NEWADDR,
} from './constants.js';

/** `struct ifaddrmsg`: family, prefix length, flags, scope, index (4). */
const IFADDRMSG = 8;

/** An address on an interface; `prefix` keeps its host bits. */
export interface InterfaceAddress {
  readonly interfaceIndex: number;
  readonly prefix: Prefix;
  /** RT_SCOPE_*: 0 global, 253 link, 254 host. */
  readonly scope: number;
  /** IFA_F_*, e.g. tentative 0x40, duplicate found 0x08. */
  readonly flags: number;
}

export interface NewInterfaceAddress {
  readonly interfaceIndex: number;
  readonly prefix: Prefix;
  readonly scope?: number;
  /** Usable at once: no duplicate address detection (IPv6). */
  readonly noDad?: boolean;
  /** Adds no route to the prefix. */
  readonly noPrefixRoute?: boolean;
}

/** @throws {CalicoError} `ERR_CALI_NETLINK_MALFORMED` */
export function decodeInterfaceAddress(payload: Buffer): InterfaceAddress | undefined {
  if (payload.length < IFADDRMSG) throw malformed(`an interface address has ${payload.length} bytes`);
  const family = payload.readUInt8(0);
  if (family !== AF_INET && family !== AF_INET6) return undefined;
  const attributes = new Attributes(payload.subarray(IFADDRMSG));
  // On point-to-point links IFA_ADDRESS is the other end; IFA_LOCAL, where there is one, is always ours.
  const address = attributes.address(IFA_LOCAL) ?? attributes.address(IFA_ADDRESS);
  if (address === undefined) return undefined;
  return {
    interfaceIndex: payload.readUInt32LE(4),
    prefix: { address, length: payload.readUInt8(1) },
    scope: payload.readUInt8(3),
    flags: attributes.u32(IFA_FLAGS) ?? payload.readUInt8(2),
  };
}

/** The body of RTM_NEWADDR and RTM_DELADDR. */
export function encodeInterfaceAddress(writer: AttributeWriter, address: NewInterfaceAddress): void {
  const header = writer.header(IFADDRMSG);
  header.writeUInt8(address.prefix.address.family === 4 ? AF_INET : AF_INET6, 0);
  header.writeUInt8(address.prefix.length, 1);
  header.writeUInt8(address.scope ?? 0, 3);
  header.writeUInt32LE(address.interfaceIndex, 4);
  writer.address(IFA_LOCAL, address.prefix.address).address(IFA_ADDRESS, address.prefix.address);
  const flags = (address.noDad === true ? IFA_F_NODAD : 0) | (address.noPrefixRoute === true ? IFA_F_NOPREFIXROUTE : 0);
  if (flags !== 0) writer.u32(IFA_FLAGS, flags);
}

/** Addresses of the socket's namespace, of one interface when given. @throws {NetlinkError} */
export async function listInterfaceAddresses(
  socket: NetlinkSocket,
  filter: { interfaceIndex?: number } = {},
): Promise<InterfaceAddress[]> {
  const request = oneRequest({ type: RTM_GETADDR, what: () => 'list addresses' }, (writer) => {
    const header = writer.header(IFADDRMSG);
    header.writeUInt8(AF_UNSPEC, 0);
    header.writeUInt32LE(filter.interfaceIndex ?? 0, 4);
  });
  try {
    const replies = await socket.dump(request);
    return replies
      .filter(({ type }) => type === RTM_NEWADDR)
      .map(({ payload }) => decodeInterfaceAddress(payload))
      .filter((address) => address !== undefined);
  } catch (error) {
    if (filter.interfaceIndex !== undefined && isErrno(error, ENODEV)) return [];
    throw error;
  }
}

/** Adds an address, or updates the one that is there. @throws {NetlinkError} ENODEV the interface is gone */
export async function replaceInterfaceAddress(socket: NetlinkSocket, address: NewInterfaceAddress): Promise<void> {
  const head = { type: RTM_NEWADDR, flags: NLM_F_CREATE | NLM_F_REPLACE, what: () => `add ${describe(address)}` };
  await socket.request(oneRequest(head, (writer) => encodeInterfaceAddress(writer, address)));
}

/** Removes an address; false when it was not there. @throws {NetlinkError} */
export async function deleteInterfaceAddress(socket: NetlinkSocket, address: NewInterfaceAddress): Promise<boolean> {
  const head = { type: RTM_DELADDR, what: () => `delete ${describe(address)}` };
  try {
    await socket.request(oneRequest(head, (writer) => encodeInterfaceAddress(writer, address)));
    return true;
  } catch (error) {
    if (isErrno(error, EADDRNOTAVAIL, ENODEV)) return false;
    throw error;
  }
}

function describe(address: NewInterfaceAddress): string {
  return `address ${formatPrefix(address.prefix)} on link ${address.interfaceIndex}`;
}
