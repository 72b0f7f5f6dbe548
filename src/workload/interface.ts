import { findLink } from '../netlink/route/link.js';
import type { NamespaceRef } from '../sys/namespace.js';
import { describeNamespace, Side, workloadError } from './pair.js';

/** Interfaces of a workload, as its host asks for them. */
export interface WorkloadInterfaces {
  /** Name inside of the link whose other end is the host's; undefined when there is none. */
  readonly attached: string | undefined;
  /** Whether there is one of the name asked for. */
  readonly hasNamed: boolean;
}

/**
 * Looks into a workload's namespace: how is the other end of `hostInterface` called there, and is there an interface called `name`?
 *
 * @throws {CalicoError} `ERR_CALI_WORKLOAD_ATTACH` there is no such namespace
 */
export async function findInterfaces(options: {
  readonly netns: NamespaceRef;
  readonly hostInterface: string;
  readonly name?: string;
  /** The host's namespace; this process's own when left out. */
  readonly hostNetns?: NamespaceRef;
}): Promise<WorkloadInterfaces> {
  const { netns, hostInterface, name } = options;
  try {
    using host = Side.open(options.hostNetns);
    using workload = Side.open(netns);
    const hostLink = await findLink(host.socket, hostInterface);
    const peer =
      hostLink?.parentIndex === undefined ? undefined : await findLink(workload.socket, hostLink.parentIndex);
    // Indexes are each namespace's own: only the end that points back is the other end.
    const attached = peer !== undefined && peer.parentIndex === hostLink?.index ? peer.name : undefined;
    const named = name === undefined ? undefined : await findLink(workload.socket, name);
    return { attached, hasNamed: named !== undefined };
  } catch (error) {
    throw workloadError(`cannot look into ${describeNamespace(netns)}`, error);
  }
}
