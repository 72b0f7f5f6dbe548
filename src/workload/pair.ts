import { CalicoError } from '../base/errors.js';
import { NETLINK_ROUTE } from '../sys/constants.js';
import { NetlinkSocket } from '../netlink/socket.js';
import { type NamespaceRef, NetworkNamespace, openNamespace } from '../sys/namespace.js';

/** One side of a workload's veth: its namespace and a socket into it. */
export class Side {
  readonly namespace: NetworkNamespace;
  readonly socket: NetlinkSocket;
  readonly #owned: boolean;

  private constructor(namespace: NetworkNamespace, owned: boolean) {
    this.namespace = namespace;
    this.#owned = owned;
    this.socket = NetlinkSocket.open(NETLINK_ROUTE, { namespace });
  }

  /** @param ref this process's own namespace when left out. @throws {KernelError} ENOENT no such namespace */
  static open(ref: NamespaceRef | undefined): Side {
    const { namespace, owned } =
      ref === undefined ? { namespace: NetworkNamespace.current(), owned: true } : openNamespace(ref);
    try {
      return new Side(namespace, owned);
    } catch (error) {
      if (owned) namespace.close();
      throw error;
    }
  }

  close(): void {
    this.socket.close();
    if (this.#owned) this.namespace.close();
  }

  [Symbol.dispose](): void {
    this.close();
  }
}

/** How messages name a namespace. */
export function describeNamespace(ref: NamespaceRef): string {
  if (typeof ref === 'number') return `the namespace of process ${ref}`;
  return typeof ref === 'string' ? `the namespace "${ref}"` : 'the namespace';
}

/** Adds to a failure which workload it happened to; bugs pass as they are. */
export function workloadError(what: string, error: unknown): unknown {
  if (!(error instanceof CalicoError)) return error;
  const hint = error.hint === undefined ? {} : { hint: error.hint };
  return new CalicoError('ERR_CALI_WORKLOAD_ATTACH', `${what}: ${error.message}`, { ...hint, cause: error });
}
