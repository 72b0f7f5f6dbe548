import { CalicoError, KernelError, UnavailableError } from '../base/errors.js';
import { errnoName } from '../sys/errno.js';

/** The kernel's own words about a refusal (NETLINK_EXT_ACK). */
export interface ExtendedAck {
  readonly text?: string;
  /** Byte offset of the offending attribute in the request, from the start of its header. */
  readonly offset?: number;
}

/** A request the kernel answered with an error. System calls that fail are plain {@link KernelError}s. */
export class NetlinkError extends KernelError {
  readonly sequence: number;
  /** Where in the request the kernel found fault, in bytes from its header; undefined when it did not say. */
  readonly offset: number | undefined;

  constructor(fact: { operation: string; errno: number; sequence: number; ack?: ExtendedAck }) {
    super({
      operation: fact.operation,
      errno: fact.errno,
      errnoName: errnoName(fact.errno),
      kernelText: fact.ack?.text,
    });
    this.sequence = fact.sequence;
    this.offset = fact.ack?.offset;
  }
}

/**
 * Messages were lost because nobody read them in time: what is known of the kernel is no longer true. List everything again.
 * Code `ERR_CALI_NETLINK_OVERRUN`.
 */
export class OverrunError extends UnavailableError {
  constructor() {
    super('ERR_CALI_NETLINK_OVERRUN', 'the kernel dropped messages for this socket: its receive buffer was full');
  }
}

/** Bytes that are no netlink message or attribute. A kernel does not send such: this is a bug on one side. */
export function malformed(what: string): CalicoError {
  return new CalicoError('ERR_CALI_NETLINK_MALFORMED', `malformed netlink data: ${what}`);
}

/** True when the kernel refused with this errno. */
export function isErrno(error: unknown, ...errnos: readonly number[]): error is KernelError {
  return error instanceof KernelError && errnos.includes(error.errno);
}
