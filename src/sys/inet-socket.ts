import { AF_INET, SO_MARK, SOCK_CLOEXEC, SOCK_DGRAM, SOCK_NONBLOCK, SOCK_STREAM, SOL_SOCKET } from './constants.js';
import { systemCallError } from './errno.js';
import { OwnedFd } from './fd.js';
import { bind, getsockname, setIntOption, socket } from './libc.js';

/** An IPv4 socket of Node's to be. */
export interface InetSocket {
  /** Whoever takes it closes it: `node:dgram` by `bind({ fd })`, `node:net` by `listen({ fd })` or `new Socket({ fd })`. */
  readonly fd: number;
  readonly port: number;
}

export interface InetSocketOptions {
  readonly type: 'udp' | 'tcp';
  /** Where it is bound, to a port of the kernel's choice. */
  readonly address: readonly [number, number, number, number];
  /** Mark of the packets it sends (SO_MARK). */
  readonly mark?: number;
}

// include/uapi/linux/in.h: struct sockaddr_in.
const SOCKADDR_IN_LENGTH = 16;

/**
 * Opens a socket in the network namespace that this thread is in, for Node to use: Node's own sockets know neither namespaces nor marks.
 *
 * @throws {KernelError}
 * @example const { fd } = namespace.run(() => openInetSocket({ type: 'udp', address: [127, 0, 0, 1] }));
 */
export function openInetSocket({ type, address, mark }: InetSocketOptions): InetSocket {
  const kind = type === 'udp' ? SOCK_DGRAM : SOCK_STREAM;
  const fd = OwnedFd.adopt(socket(AF_INET, kind | SOCK_CLOEXEC | SOCK_NONBLOCK, 0), `open a ${type} socket`);
  try {
    if (mark !== undefined) check(setIntOption(fd.number, { level: SOL_SOCKET, name: SO_MARK }, mark), 'mark a socket');
    const sockaddr = Buffer.alloc(SOCKADDR_IN_LENGTH);
    sockaddr.writeUInt16LE(AF_INET, 0);
    sockaddr.set(address, 4);
    check(bind(fd.number, sockaddr), `bind a ${type} socket to ${address.join('.')}`);
    check(getsockname(fd.number, sockaddr), 'read the address of a socket');
    const port = sockaddr.readUInt16BE(2);
    return { fd: fd.release(), port };
  } finally {
    fd.close();
  }
}

function check(result: number, operation: string): void {
  if (result < 0) throw systemCallError(operation, -result);
}
