import {
  AF_NETLINK,
  MSG_DONTWAIT,
  MSG_TRUNC,
  NETLINK_ADD_MEMBERSHIP,
  NETLINK_CAP_ACK,
  NETLINK_EXT_ACK,
  NETLINK_GET_STRICT_CHK,
  NETLINK_ROUTE,
  SO_RCVBUF,
  SO_RCVBUFFORCE,
  SO_SNDBUF,
  SO_SNDBUFFORCE,
  SOCK_CLOEXEC,
  SOCK_NONBLOCK,
  SOCK_RAW,
  SOL_NETLINK,
  SOL_SOCKET,
} from '../sys/constants.js';
import { EAGAIN, EINTR, ENOBUFS, systemCallError } from '../sys/errno.js';
import { OwnedFd } from '../sys/fd.js';
import { bind, getsockname, type Poll, recv, send, setIntOption, socket } from '../sys/libc.js';
import { type NamespaceRef, openNamespace } from '../sys/namespace.js';
import { malformed, OverrunError } from './errors.js';

/** What carries datagrams to the kernel and back. Nothing here waits. */
export interface Transport {
  /** The socket's address: what the kernel names as the cause of changes it made. */
  readonly portId: number;
  /** @throws {KernelError} the system call failed: nothing was processed */
  send(datagram: Uint8Array): void;
  /**
   * The next datagram, the caller's to keep; undefined when there is none now.
   * @throws {OverrunError} datagrams were lost; what comes next is intact
   * @throws {KernelError} the system call failed
   */
  receive(): Buffer | undefined;
  /** Calls back while there is something to receive, until stopped. One callback at a time. */
  onReadable(callback: () => void): Poll;
  /** Joins a multicast group. @throws {KernelError} */
  join(group: number): void;
  close(): void;
}

// Dumps come in datagrams of at most 32 KiB; a notification of one big rule may be larger.
const RECEIVE_BYTES = 256 * 1024;
// One for all transports: a datagram is copied out before anybody else can receive.
const receiveBuffer = Buffer.allocUnsafeSlow(RECEIVE_BYTES);

// The kernel's default net.core.wmem_default; a datagram must be 32 bytes smaller.
const DEFAULT_SEND_BYTES = 212_992 - 64;
const DEFAULT_RECEIVE_QUEUE_BYTES = 8 * 1024 * 1024;

export interface KernelTransportOptions {
  /** Whose kernel state it sees; ours when left out. Only needed while opening. */
  readonly namespace?: NamespaceRef;
  /** How much may wait unread before the kernel drops; memory is used only when it is filled. Default 8 MiB. */
  readonly receiveQueueBytes?: number;
}

/** A netlink socket of this machine's kernel. */
export class KernelTransport implements Transport {
  readonly #fd: OwnedFd;
  readonly portId: number;
  #sendBytes = DEFAULT_SEND_BYTES;

  private constructor(fd: OwnedFd, portId: number) {
    this.#fd = fd;
    this.portId = portId;
  }

  /**
   * @param protocol NETLINK_ROUTE, NETLINK_NETFILTER …
   * @throws {KernelError} e.g. EPROTONOSUPPORT: the kernel was built without it
   */
  static open(protocol: number, options: KernelTransportOptions = {}): KernelTransport {
    const open = (): OwnedFd =>
      OwnedFd.adopt(
        socket(AF_NETLINK, SOCK_RAW | SOCK_NONBLOCK | SOCK_CLOEXEC, protocol),
        `open a netlink socket of protocol ${protocol}`,
      );
    let fd: OwnedFd;
    if (options.namespace === undefined) {
      fd = open();
    } else {
      const { namespace, owned } = openNamespace(options.namespace);
      try {
        fd = namespace.run(open);
      } finally {
        if (owned) namespace.close();
      }
    }
    try {
      prepare(fd, protocol, options.receiveQueueBytes ?? DEFAULT_RECEIVE_QUEUE_BYTES);
      return new KernelTransport(fd, readPortId(fd));
    } catch (error) {
      fd.close();
      throw error;
    }
  }

  send(datagram: Uint8Array): void {
    if (datagram.length > this.#sendBytes) this.#raiseSendBuffer(datagram.length);
    const result = send(this.#fd.number, datagram, 0);
    if (result < 0) throw systemCallError(`send ${datagram.length} bytes to netlink`, -result);
  }

  receive(): Buffer | undefined {
    let size = recv(this.#fd.number, receiveBuffer, MSG_DONTWAIT | MSG_TRUNC);
    while (size === -EINTR) size = recv(this.#fd.number, receiveBuffer, MSG_DONTWAIT | MSG_TRUNC);
    if (size === -EAGAIN) return undefined;
    if (size === -ENOBUFS) throw new OverrunError();
    if (size < 0) throw systemCallError('receive from netlink', -size);
    if (size > receiveBuffer.length) throw malformed(`a datagram of ${size} bytes was cut at ${receiveBuffer.length}`);
    return Buffer.from(receiveBuffer.subarray(0, size));
  }

  onReadable(callback: () => void): Poll {
    return this.#fd.onReadable(callback);
  }

  join(group: number): void {
    const result = setIntOption(this.#fd.number, { level: SOL_NETLINK, name: NETLINK_ADD_MEMBERSHIP }, group);
    if (result < 0) throw systemCallError(`join netlink group ${group}`, -result);
  }

  close(): void {
    this.#fd.close();
  }

  /** A datagram must fit the send buffer whole, or send fails with EMSGSIZE. */
  #raiseSendBuffer(size: number): void {
    setBuffer(this.#fd, { force: SO_SNDBUFFORCE, plain: SO_SNDBUF }, size);
    this.#sendBytes = size;
  }
}

/** Without CAP_NET_ADMIN the plain option, which the kernel caps silently at net.core.{r,w}mem_max. */
function setBuffer(fd: OwnedFd, option: { force: number; plain: number }, size: number): void {
  const forced = setIntOption(fd.number, { level: SOL_SOCKET, name: option.force }, size);
  const result = forced < 0 ? setIntOption(fd.number, { level: SOL_SOCKET, name: option.plain }, size) : forced;
  if (result < 0) throw systemCallError(`set a socket buffer of ${size} bytes`, -result);
}

function readPortId(fd: OwnedFd): number {
  const address = Buffer.alloc(12);
  const result = getsockname(fd.number, address);
  if (result < 0) throw systemCallError('read the address of a netlink socket', -result);
  return address.readUInt32LE(4);
}

function prepare(fd: OwnedFd, protocol: number, receiveQueueBytes: number): void {
  // struct sockaddr_nl, all zero but the family: the kernel picks the port id.
  const address = Buffer.alloc(12);
  address.writeUInt16LE(AF_NETLINK);
  const bound = bind(fd.number, address);
  if (bound < 0) throw systemCallError('bind a netlink socket', -bound);
  setBuffer(fd, { force: SO_RCVBUFFORCE, plain: SO_RCVBUF }, receiveQueueBytes);
  const options = [NETLINK_EXT_ACK, NETLINK_CAP_ACK];
  // Strict checking makes the kernel refuse what it does not understand and honour filters in dumps (route tables, interfaces).
  if (protocol === NETLINK_ROUTE) options.push(NETLINK_GET_STRICT_CHK);
  for (const name of options) {
    const result = setIntOption(fd.number, { level: SOL_NETLINK, name }, 1);
    if (result < 0) throw systemCallError(`set netlink option ${name}`, -result);
  }
}
