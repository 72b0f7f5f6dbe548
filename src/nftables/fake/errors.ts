import { KernelError } from '../../base/errors.js';
import { printOperation } from '../print-operation.js';
import type { Operation } from '../nftables.js';

// include/uapi/asm-generic/errno-base.h, errno.h.
const ERRNOS = {
  ENOENT: 2,
  EBUSY: 16,
  EEXIST: 17,
  EINVAL: 22,
  ENFILE: 23,
  EMLINK: 31,
  EOPNOTSUPP: 95,
} as const;

export type Errno = keyof typeof ERRNOS;

/** Thrown where an operation breaks one of the kernel's rules; the commit says which operation it was. */
export class Refused extends Error {
  readonly errno: Errno;
  /** The part of the operation that is at fault, when it is one member of many. */
  readonly part: Operation | undefined;

  constructor(errno: Errno, part?: Operation) {
    super(errno);
    this.errno = errno;
    this.part = part;
  }
}

export function kernelErrorOf(refused: Refused, operation: Operation): KernelError {
  const fact = { errno: ERRNOS[refused.errno], errnoName: refused.errno };
  return new KernelError({ operation: printOperation(refused.part ?? operation), ...fact });
}

/** The value, or the kernel's "there is no such thing". */
export function present<T>(value: T | undefined): T {
  if (value === undefined) throw new Refused('ENOENT');
  return value;
}
