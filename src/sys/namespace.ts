import { CLONE_NEWNET } from './constants.js';
import { systemCallError } from './errno.js';
import { OwnedFd } from './fd.js';
import { setns, unshare } from './libc.js';

const OWN_NETNS = '/proc/thread-self/ns/net';

/** Where a network namespace is to be found: a path (`/run/netns/blue`, `/proc/77/ns/net`), a process id, or one already open. */
export type NamespaceRef = string | number | NetworkNamespace;

/**
 * An open network namespace. It lives as long as somebody holds a descriptor of it, a process in it, or a mount.
 *
 * A socket belongs for ever to the namespace it was made in, whoever uses it later: make it inside {@link run}, then use it from
 * anywhere.
 */
export class NetworkNamespace {
  readonly #fd: OwnedFd;

  private constructor(fd: OwnedFd) {
    this.#fd = fd;
  }

  /** Opens by path or by process id. @throws {KernelError} ENOENT when there is no such process or path */
  static open(ref: string | number): NetworkNamespace {
    return new NetworkNamespace(OwnedFd.open(typeof ref === 'number' ? `/proc/${ref}/ns/net` : ref));
  }

  /** The one this process runs in. */
  static current(): NetworkNamespace {
    return new NetworkNamespace(OwnedFd.open(OWN_NETNS));
  }

  /** A new, empty one without a name: it goes when this is closed and nothing else holds it. */
  static create(): NetworkNamespace {
    using home = OwnedFd.open(OWN_NETNS);
    const result = unshare(CLONE_NEWNET);
    if (result < 0) throw systemCallError('create a network namespace', -result);
    try {
      return new NetworkNamespace(OwnedFd.open(OWN_NETNS));
    } finally {
      goBack(home);
    }
  }

  /** The descriptor's number, e.g. for IFLA_NET_NS_FD in this same turn. */
  get fd(): number {
    return this.#fd.number;
  }

  /** A path by which another process of this host can enter it while it is open here, e.g. `nsenter --net=<path>`. */
  get path(): string {
    return `/proc/${process.pid}/fd/${this.#fd.number}`;
  }

  /**
   * Runs a synchronous function with the thread inside this namespace and comes back before returning: about 10 µs. May nest.
   *
   * Only sockets made, children started and `/proc/sys/net`, `/proc/net` files opened inside belong to it. An async function is
   * refused: the thread would be back home before its second half ran.
   */
  run<T>(fn: () => T): T {
    using home = OwnedFd.open(OWN_NETNS);
    const result = setns(this.#fd.number, CLONE_NEWNET);
    if (result < 0) throw systemCallError('enter a network namespace', -result);
    let value: T;
    try {
      value = fn();
    } finally {
      goBack(home);
    }
    if (value instanceof Promise) throw new TypeError('NetworkNamespace.run() takes a synchronous function');
    return value;
  }

  close(): void {
    this.#fd.close();
  }

  [Symbol.dispose](): void {
    this.close();
  }
}

/** Opens what `ref` names; `owned` says whether the caller must close it. */
export function openNamespace(ref: NamespaceRef): { namespace: NetworkNamespace; owned: boolean } {
  if (ref instanceof NetworkNamespace) return { namespace: ref, owned: false };
  return { namespace: NetworkNamespace.open(ref), owned: true };
}

function goBack(home: OwnedFd): void {
  const result = setns(home.number, CLONE_NEWNET);
  // A thread left in a foreign namespace would program the wrong host from now on. There is no safe way to go on.
  if (result < 0) {
    process.stderr.write(`cannot return to the home network namespace: errno ${-result}\n`);
    process.abort();
  }
}
