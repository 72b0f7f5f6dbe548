import os from 'node:os';
import koffi from 'koffi';
import { UnsupportedError } from '../base/errors.js';

/**
 * The calls into libc the project needs, as plain functions: every one returns the call's result, or the negated errno when it
 * failed (the kernel's own convention; nothing here throws for an errno, so that EAGAIN costs nothing). Lengths come from the
 * buffers themselves or are checked against them: koffi would let a wrong one corrupt memory.
 */

type NativeCall = (...args: readonly (number | Uint8Array)[]) => number;

if (os.endianness() !== 'LE') {
  // The netlink codec writes host order as little-endian; better to refuse than to program nonsense.
  throw new UnsupportedError(
    'ERR_CALI_SYS_ENDIAN',
    'big-endian',
    'this machine is big-endian: kernel access is not built',
  );
}

const libc = koffi.load(null);

function bindCall(definition: string): NativeCall {
  const native = libc.func(definition) as unknown as (...args: readonly unknown[]) => number;
  return (...args) => {
    for (const arg of args) {
      if (typeof arg === 'number' && !Number.isSafeInteger(arg))
        throw new RangeError(`${definition}: ${arg} is no integer`);
    }
    const result = native(...args);
    return result < 0 ? -koffi.errno() : result;
  };
}

const nativeSocket = bindCall('int socket(int domain, int type, int protocol)');
const nativeBind = bindCall('int bind(int fd, const uint8_t *address, uint32_t length)');
const nativeSetsockopt = bindCall('int setsockopt(int fd, int level, int name, const uint8_t *value, uint32_t length)');
const nativeGetsockname = bindCall('int getsockname(int fd, uint8_t *address, uint8_t *length)');
const nativeSetns = bindCall('int setns(int fd, int type)');
const nativeUnshare = bindCall('int unshare(int flags)');
// The two hot ones go without the generic argument loop.
const nativeSend = libc.func('intptr_t send(int fd, const uint8_t *bytes, size_t length, int flags)') as unknown as (
  fd: number,
  bytes: Uint8Array,
  length: number,
  flags: number,
) => number;
const nativeRecv = libc.func('intptr_t recv(int fd, uint8_t *buffer, size_t length, int flags)') as unknown as (
  fd: number,
  buffer: Uint8Array,
  length: number,
  flags: number,
) => number;

function checkDescriptor(fd: number): void {
  if (!Number.isInteger(fd) || fd < 0) throw new RangeError(`${fd} is not a file descriptor`);
}

/** @see socket(2) */
export function socket(domain: number, type: number, protocol: number): number {
  return nativeSocket(domain, type, protocol);
}

/** @see bind(2) */
export function bind(fd: number, address: Uint8Array): number {
  checkDescriptor(fd);
  return nativeBind(fd, address, address.length);
}

/** Fills `address` with the socket's own; the result is 0. @see getsockname(2) */
export function getsockname(fd: number, address: Uint8Array): number {
  checkDescriptor(fd);
  const length = Buffer.alloc(4);
  length.writeUInt32LE(address.length);
  return nativeGetsockname(fd, address, length);
}

/** Sets an option whose value is one C int. @see setsockopt(2) */
export function setIntOption(fd: number, option: { level: number; name: number }, value: number): number {
  checkDescriptor(fd);
  const bytes = Buffer.alloc(4);
  bytes.writeInt32LE(value);
  return nativeSetsockopt(fd, option.level, option.name, bytes, bytes.length);
}

/** Sends the whole of `bytes`. @see send(2) */
export function send(fd: number, bytes: Uint8Array, flags: number): number {
  checkDescriptor(fd);
  const result = nativeSend(fd, bytes, bytes.length, flags | 0);
  return result < 0 ? -koffi.errno() : result;
}

/** Receives into the whole of `buffer`; with MSG_TRUNC the result is the datagram's true length. @see recv(2) */
export function recv(fd: number, buffer: Uint8Array, flags: number): number {
  checkDescriptor(fd);
  const result = nativeRecv(fd, buffer, buffer.length, flags | 0);
  return result < 0 ? -koffi.errno() : result;
}

/** Moves the calling thread into a namespace. Only `namespace.ts` calls it. @see setns(2) */
export function setns(fd: number, type: number): number {
  checkDescriptor(fd);
  return nativeSetns(fd, type);
}

/** @see unshare(2) */
export function unshare(flags: number): number {
  return nativeUnshare(flags);
}

/** What a descriptor is ready for. */
export interface Readiness {
  readonly readable: boolean;
  readonly writable: boolean;
}

/** A started wait for readiness; `stop()` is final and may be called twice. */
export interface Poll {
  /** Whether it keeps the process alive; it does until told otherwise. */
  keepAlive(yes: boolean): void;
  stop(): void;
}

// koffi closes a handle that is garbage collected, and the program falls silent: every live one is held here.
const livePolls = new Set<ReturnType<typeof koffi.node.poll>>();

/**
 * Calls back on the main loop (libuv, no thread) while the descriptor is readable: level triggered, so drain until EAGAIN.
 *
 * A pending socket error (netlink's ENOBUFS after an overrun) makes libuv report EBADF and stop the poll. The callback is called
 * then too, so that its next `recv` sees the error, and the poll is started again.
 */
export function pollReadable(fd: number, callback: (ready: Readiness) => void): Poll {
  checkDescriptor(fd);
  // koffi's own type says `(events)`; what it calls is `(status, events)`.
  const onEvent = (...args: readonly unknown[]): void => {
    const [status, events] = args as [number, Readiness];
    if (status >= 0) {
      callback(events);
      return;
    }
    callback({ readable: true, writable: false });
    if (!livePolls.has(handle)) return;
    handle.stop();
    handle.start({ readable: true }, onEvent);
  };
  const handle = koffi.node.poll(fd, { readable: true }, onEvent);
  livePolls.add(handle);
  return {
    keepAlive(yes) {
      if (!livePolls.has(handle)) return;
      if (yes) handle.ref();
      else handle.unref();
    },
    stop() {
      if (livePolls.delete(handle)) handle.close();
    },
  };
}
