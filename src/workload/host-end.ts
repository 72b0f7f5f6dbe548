import { CalicoError } from '../base/errors.js';
import type { Family } from '../net/address.js';
import { changeLink, findLink, type Link } from '../netlink/route/link.js';
import type { Side } from './pair.js';
import { kernelHasIpv6, skipDuplicateDetection, writeHostSysctls } from './sysctls.js';

/** RFC 8200 section 5. Below it a link has no IPv6 state at all. */
const IPV6_MINIMUM_MTU = 1280;

/** An interface that was there a moment ago. @throws {CalicoError} `ERR_CALI_WORKLOAD_GONE` */
export async function requireLink(side: Side, name: string): Promise<Link> {
  const link = await findLink(side.socket, name);
  if (link === undefined) {
    throw new CalicoError('ERR_CALI_WORKLOAD_GONE', `interface ${name} was deleted while it was being set up`);
  }
  return link;
}

/** Sets the host's end of a workload's cable up, with the settings of the families that the workload has. @throws {KernelError} */
export async function raiseHostEnd(host: Side, link: Link, families: ReadonlySet<Family>): Promise<void> {
  const hasIpv6 = kernelHasIpv6() && link.mtu >= IPV6_MINIMUM_MTU;
  host.namespace.run(() => {
    for (const family of families) writeHostSysctls(link.name, family);
    if (hasIpv6) skipDuplicateDetection(link.name);
  });
  // The workload's IPv6 gateway is the link-local address of this MAC, whatever this host's habit for new interfaces is.
  await changeLink(host.socket, link.index, { up: true, ...(hasIpv6 ? { addressGeneration: 'eui64' } : {}) });
}
