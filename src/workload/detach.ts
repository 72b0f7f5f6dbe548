import { deleteLink } from '../netlink/route/link.js';
import type { NamespaceRef } from '../sys/namespace.js';
import { Side, workloadError } from './pair.js';

/**
 * Takes a workload's interface away; its other end, addresses and routes go with it. Works when the workload's namespace is gone.
 * @param options.hostNetns this process's own namespace when left out
 * @returns false when there was no such interface
 * @throws {CalicoError} `ERR_CALI_WORKLOAD_ATTACH`
 */
export async function detachWorkload(options: {
  readonly hostInterface: string;
  readonly hostNetns?: NamespaceRef;
}): Promise<boolean> {
  try {
    using host = Side.open(options.hostNetns);
    return await deleteLink(host.socket, options.hostInterface);
  } catch (error) {
    throw workloadError(`cannot detach the workload at ${options.hostInterface}`, error);
  }
}
