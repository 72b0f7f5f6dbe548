import type { Family } from '../net/address.js';
import { HOST_SIDE_MAC, parseMac } from '../net/mac.js';
import type { Prefix } from '../net/prefix.js';
import { changeLink, createVeth, deleteLink } from '../netlink/route/link.js';
import type { NamespaceRef } from '../sys/namespace.js';
import { addAddress, addGateway, checkFamily, type Ends, workloadPrefix } from './address.js';
import { raiseHostEnd, requireLink } from './host-end.js';
import { describeNamespace, Side, workloadError } from './pair.js';
import { writeForwarding, writeWorkloadSysctls } from './sysctls.js';

/** The kernel numbers it: the first link of every namespace. */
const LOOPBACK_INDEX = 1;

export interface Attachment {
  /** The workload's network namespace: a path, a process id in it, or one that is open. */
  readonly netns: NamespaceRef;
  /** Name of the host's end, at most 15 bytes; see `net/interface-name.ts`. */
  readonly hostInterface: string;
  /** Name inside the workload. Default `eth0`. */
  readonly containerInterface?: string;
  /** `192.0.2.7/32`, `2001:db8::7/128`; the length may be left out. */
  readonly addresses: readonly string[];
  readonly mtu: number;
  /** Of the workload's end; the kernel makes one up when left out. */
  readonly mac?: string;
  /** The workload may route for others behind it. Default false. */
  readonly mayForward?: boolean;
  /** Transmit and receive queues of each end. Default: the kernel's, one. */
  readonly queues?: number;
  /** The host's namespace; this process's own when left out. */
  readonly hostNetns?: NamespaceRef;
}

export interface Attached {
  readonly hostIndex: number;
  readonly containerIndex: number;
  /** Of the workload's end. */
  readonly mac: string;
  /** Of the host's end. */
  readonly hostMac: string;
}

/**
 * Connects a workload to its host: a veth pair, routes to the gateway inside, the addresses, and the host's route to each.
 *
 * A host interface of that name is deleted first, so that doing it again gives the same as doing it once. After a failure nothing
 * is left. Policy is not decided here: until the agent has programmed it, the interface carries nothing.
 *
 * @throws {CalicoError} `ERR_CALI_WORKLOAD_ATTACH`; `cause` is what failed (no such namespace, name taken inside, address taken)
 * @example await attachWorkload({ netns: '/run/netns/web', hostInterface: 'cali0123456789a', addresses: ['192.0.2.7/32'], mtu: 1450 })
 */
export async function attachWorkload(attachment: Attachment): Promise<Attached> {
  try {
    const prefixes = attachment.addresses.map(workloadPrefix);
    for (const { address } of prefixes) checkFamily(address.family);
    if (attachment.mac !== undefined) parseMac(attachment.mac);
    using host = Side.open(attachment.hostNetns);
    using workload = Side.open(attachment.netns);
    return await connect(host, workload, attachment, prefixes);
  } catch (error) {
    const what = `cannot attach ${describeNamespace(attachment.netns)} at ${attachment.hostInterface}`;
    throw workloadError(what, error);
  }
}

async function connect(
  host: Side,
  workload: Side,
  attachment: Attachment,
  prefixes: readonly Prefix[],
): Promise<Attached> {
  const { hostInterface, containerInterface = 'eth0', mtu } = attachment;
  await deleteLink(host.socket, hostInterface);
  const { mac, queues } = attachment;
  const shared = queues === undefined ? { mtu } : { mtu, queues };
  // Made inside the workload, with the peer placed on the host: so the name `eth0` never exists on the host, not for a moment.
  await createVeth(workload.socket, {
    ...shared,
    ...(mac === undefined ? {} : { mac }),
    name: containerInterface,
    peer: { ...shared, name: hostInterface, mac: HOST_SIDE_MAC, namespace: host.namespace },
  });
  try {
    return await configure(
      {
        host,
        hostLink: await requireLink(host, hostInterface),
        workload,
        workloadLink: await requireLink(workload, containerInterface),
      },
      prefixes,
      attachment.mayForward ?? false,
    );
  } catch (error) {
    await deleteLink(host.socket, hostInterface);
    throw error;
  }
}

async function configure(ends: Ends, prefixes: readonly Prefix[], mayForward: boolean): Promise<Attached> {
  const families = new Set<Family>(prefixes.map(({ address }) => address.family));
  ends.workload.namespace.run(() => {
    for (const family of families) writeWorkloadSysctls(ends.workloadLink.name, family);
    writeForwarding(mayForward);
  });
  await changeLink(ends.workload.socket, LOOPBACK_INDEX, { up: true });
  await raiseHostEnd(ends.host, ends.hostLink, families);
  await changeLink(ends.workload.socket, ends.workloadLink.index, { up: true });
  for (const family of families) await addGateway(ends, family);
  for (const prefix of prefixes) await addAddress(ends, prefix);
  return {
    hostIndex: ends.hostLink.index,
    containerIndex: ends.workloadLink.index,
    mac: ends.workloadLink.mac ?? '',
    hostMac: ends.hostLink.mac ?? '',
  };
}
