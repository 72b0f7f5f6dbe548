import { type Address, type Family, formatAddress } from '../../net/address.js';
import { macBytes, macFromBytes } from '../../net/mac.js';
import { AF_BRIDGE, AF_INET, AF_INET6 } from '../../sys/constants.js';
import { ENODEV, ENOENT } from '../../sys/errno.js';
import { Attributes, type AttributeWriter } from '../attributes.js';
import { isErrno, malformed } from '../errors.js';
import { present } from '../present.js';
import { NLM_F_CREATE, NLM_F_REPLACE, oneRequest } from '../message.js';
import type { NetlinkSocket } from '../socket.js';
import {
  NDA_DST,
  NDA_IFINDEX,
  NDA_LLADDR,
  NTF_PROXY,
  NTF_SELF,
  NUD_PERMANENT,
  RTM_DELNEIGH,
  RTM_GETNEIGH,
  RTM_NEWNEIGH,
} from './constants.js';

/** `struct ndmsg`: family, pad (3), index (4), state (2), flags, type. */
const NDMSG = 12;

/** A neighbour: an ARP or ND entry, a proxied address, or (`isForwarding`) a VXLAN's entry of which host holds a MAC. */
export interface Neighbour {
  readonly interfaceIndex: number;
  /** The address; for a forwarding entry, the host behind which the MAC is. Absent on a bridge port's own entries. */
  readonly destination?: Address;
  /** Absent while unresolved and for proxied addresses. */
  readonly mac?: string;
  /** NUD_*; 0x80 is permanent. */
  readonly state: number;
  /** This host answers for the address on that interface. */
  readonly isProxy: boolean;
  readonly isForwarding: boolean;
}

/** Permanent, unless it is a proxied address. */
export interface NewNeighbour {
  readonly interfaceIndex: number;
  readonly destination: Address;
  readonly mac?: string;
  readonly isProxy?: boolean;
  readonly isForwarding?: boolean;
}

/** Undefined for other families. @throws {CalicoError} `ERR_CALI_NETLINK_MALFORMED` */
export function decodeNeighbour(payload: Buffer): Neighbour | undefined {
  if (payload.length < NDMSG) throw malformed(`a neighbour has ${payload.length} bytes`);
  const family = payload.readUInt8(0);
  if (family !== AF_INET && family !== AF_INET6 && family !== AF_BRIDGE) return undefined;
  const attributes = new Attributes(payload.subarray(NDMSG));
  return {
    interfaceIndex: payload.readInt32LE(4),
    state: payload.readUInt16LE(8),
    isProxy: (payload.readUInt8(10) & NTF_PROXY) !== 0,
    isForwarding: family === AF_BRIDGE,
    ...present({
      destination: attributes.address(NDA_DST),
      mac: macFromBytes(attributes.blob(NDA_LLADDR) ?? new Uint8Array()),
    }),
  };
}

function familyNumber(family: Family): number {
  return family === 4 ? AF_INET : AF_INET6;
}

/** The body of RTM_NEWNEIGH and RTM_DELNEIGH. */
export function encodeNeighbour(writer: AttributeWriter, neighbour: NewNeighbour): void {
  const { destination, mac, isForwarding = false, isProxy = false } = neighbour;
  const header = writer.header(NDMSG);
  header.writeUInt8(isForwarding ? AF_BRIDGE : familyNumber(destination.family), 0);
  header.writeInt32LE(neighbour.interfaceIndex, 4);
  header.writeUInt16LE(NUD_PERMANENT, 8);
  header.writeUInt8((isProxy ? NTF_PROXY : 0) | (isForwarding ? NTF_SELF : 0), 10);
  writer.address(NDA_DST, destination);
  if (mac !== undefined) writer.blob(NDA_LLADDR, macBytes(mac));
}

/** Which neighbours to list: `entries` are ARP and ND; proxied addresses and forwarding entries are lists of their own. */
export interface NeighbourFilter {
  readonly which?: 'entries' | 'proxies' | 'forwarding';
  readonly interfaceIndex?: number;
}

/** @throws {NetlinkError} */
export async function listNeighbours(socket: NetlinkSocket, filter: NeighbourFilter = {}): Promise<Neighbour[]> {
  const which = filter.which ?? 'entries';
  const families = which === 'forwarding' ? [AF_BRIDGE] : [AF_INET, AF_INET6];
  const neighbours: Neighbour[] = [];
  for (const family of families) {
    const request = oneRequest({ type: RTM_GETNEIGH, what: () => `list neighbours (${which})` }, (writer) => {
      const header = writer.header(NDMSG);
      header.writeUInt8(family, 0);
      if (which === 'proxies') header.writeUInt8(NTF_PROXY, 10);
      if (which === 'forwarding') header.writeInt32LE(filter.interfaceIndex ?? 0, 4);
      else if (which === 'entries' && filter.interfaceIndex !== undefined)
        writer.u32(NDA_IFINDEX, filter.interfaceIndex);
    });
    for (const { type, payload } of await socket.dump(request)) {
      const neighbour = type === RTM_NEWNEIGH ? decodeNeighbour(payload) : undefined;
      if (neighbour !== undefined && (filter.interfaceIndex ?? neighbour.interfaceIndex) === neighbour.interfaceIndex) {
        neighbours.push(neighbour);
      }
    }
  }
  return neighbours;
}

/** Adds or replaces. @throws {NetlinkError} ENODEV the interface is gone */
export async function replaceNeighbour(socket: NetlinkSocket, neighbour: NewNeighbour): Promise<void> {
  const head = { type: RTM_NEWNEIGH, flags: NLM_F_CREATE | NLM_F_REPLACE, what: () => `set ${describe(neighbour)}` };
  await socket.request(oneRequest(head, (writer) => encodeNeighbour(writer, neighbour)));
}

/** False when there was none. @throws {NetlinkError} */
export async function deleteNeighbour(socket: NetlinkSocket, neighbour: NewNeighbour): Promise<boolean> {
  const head = { type: RTM_DELNEIGH, what: () => `delete ${describe(neighbour)}` };
  try {
    await socket.request(oneRequest(head, (writer) => encodeNeighbour(writer, neighbour)));
    return true;
  } catch (error) {
    if (isErrno(error, ENOENT, ENODEV)) return false;
    throw error;
  }
}

function describe(neighbour: NewNeighbour): string {
  const kind = neighbour.isProxy === true ? 'proxied address' : 'neighbour';
  const mac = neighbour.mac === undefined ? '' : ` at ${neighbour.mac}`;
  return `${kind} ${formatAddress(neighbour.destination)}${mac} on link ${neighbour.interfaceIndex}`;
}
