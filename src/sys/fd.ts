import fs from 'node:fs';
import { KernelError } from '../base/errors.js';
import { type Poll, pollReadable, type Readiness } from './libc.js';
import { errnoName, systemCallError } from './errno.js';

/**
 * A file descriptor with one owner: closed exactly once, never used after. Closing stops its poll first, so that a number
 * the kernel hands out again is never polled for the wrong thing.
 */
export class OwnedFd {
  #fd: number;
  #poll: Poll | undefined;

  private constructor(fd: number) {
    this.#fd = fd;
  }

  /** Takes over what a system call returned. @throws {KernelError} when that is a negated errno */
  static adopt(result: number, operation: string): OwnedFd {
    if (result < 0) throw systemCallError(operation, -result);
    return new OwnedFd(result);
  }

  /** Opens a path for reading. @throws {KernelError} */
  static open(path: string): OwnedFd {
    try {
      return new OwnedFd(fs.openSync(path, 'r'));
    } catch (error) {
      throw fileError(`open ${path}`, error);
    }
  }

  /** The raw number, for a system call in this same turn. Do not keep it. */
  get number(): number {
    if (this.#fd < 0) throw new Error('file descriptor used after it was closed');
    return this.#fd;
  }

  get isClosed(): boolean {
    return this.#fd < 0;
  }

  /** Calls back while readable; replaces an earlier callback. Drain until EAGAIN. */
  onReadable(callback: (ready: Readiness) => void): Poll {
    this.#poll?.stop();
    this.#poll = pollReadable(this.number, callback);
    return this.#poll;
  }

  /** Gives the descriptor away, to one who closes it: a socket of Node's. */
  release(): number {
    const fd = this.number;
    this.#poll?.stop();
    this.#poll = undefined;
    this.#fd = -1;
    return fd;
  }

  close(): void {
    if (this.#fd < 0) return;
    this.#poll?.stop();
    this.#poll = undefined;
    const fd = this.#fd;
    this.#fd = -1;
    fs.closeSync(fd);
  }

  [Symbol.dispose](): void {
    this.close();
  }
}

/** Turns an error of `node:fs` into a {@link KernelError} that says what was attempted. */
export function fileError(operation: string, error: unknown): unknown {
  if (!(error instanceof Error) || !('errno' in error) || typeof error.errno !== 'number') return error;
  const errno = Math.abs(error.errno);
  return new KernelError({ operation, errno, errnoName: errnoName(errno) }, { cause: error });
}
