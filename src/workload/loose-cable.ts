import type { Family } from '../net/address.js';
import { HOST_SIDE_MAC, parseMac } from '../net/mac.js';
import type { Prefix } from '../net/prefix.js';
import { isErrno } from '../netlink/errors.js';
import { createVeth, deleteLink, findLink, type Link, listLinks } from '../netlink/route/link.js';
import { addRoute } from '../netlink/route/route.js';
import { EEXIST } from '../sys/errno.js';
import type { NamespaceRef } from '../sys/namespace.js';
import { checkFamily, workloadPrefix, WORKLOAD_ROUTE_METRIC } from './address.js';
import { raiseHostEnd, requireLink } from './host-end.js';
import { Side, workloadError } from './pair.js';

/** A cable whose other end somebody else, a container engine, puts into the workload and configures there. */
export interface LooseCable {
  /** Name of the host's end. */
  readonly hostInterface: string;
  /** Name of the other end, for as long as it lies on the host. */
  readonly looseInterface: string;
  /** What the host routes to it; the length may be left out. */
  readonly addresses: readonly string[];
  readonly mtu: number;
  /** Of the other end; the kernel makes one up when left out. */
  readonly mac?: string;
  /** The host's namespace; this process's own when left out. */
  readonly hostNetns?: NamespaceRef;
}

/**
 * Makes a veth pair with both ends on the host: this end configured, with the host's routes to the addresses; the other as it is born.
 *
 * Interfaces of these names are deleted first. After a failure nothing is left. IPv6 is usable at once: the host's link-local address,
 * which is the workload's gateway, needs no duplicate address detection.
 *
 * @throws {CalicoError} `ERR_CALI_WORKLOAD_ATTACH`; `cause` is what failed
 */
export async function layLooseCable(cable: LooseCable): Promise<void> {
  const { hostInterface, looseInterface, mtu, mac } = cable;
  try {
    const prefixes = cable.addresses.map(workloadPrefix);
    const families = new Set<Family>(prefixes.map(({ address }) => address.family));
    for (const family of families) checkFamily(family);
    if (mac !== undefined) parseMac(mac);
    using host = Side.open(cable.hostNetns);
    for (const name of [hostInterface, looseInterface]) await deleteLink(host.socket, name);
    await createVeth(host.socket, {
      name: looseInterface,
      mtu,
      ...(mac === undefined ? {} : { mac }),
      peer: { name: hostInterface, mtu, mac: HOST_SIDE_MAC },
    });
    try {
      const link = await requireLink(host, hostInterface);
      await raiseHostEnd(host, link, families);
      for (const destination of prefixes) await routeTo(host, link, destination);
    } catch (error) {
      await deleteLink(host.socket, hostInterface);
      throw error;
    }
  } catch (error) {
    throw workloadError(`cannot lay the cable ${hostInterface}`, error);
  }
}

async function routeTo(host: Side, link: Link, destination: Prefix): Promise<void> {
  try {
    await addRoute(host.socket, {
      destination,
      interfaceIndex: link.index,
      interfaceName: link.name,
      metric: WORKLOAD_ROUTE_METRIC,
    });
  } catch (error) {
    // The agent was quicker, or the address's last owner is being taken away: the agent sees to it that it leads here.
    if (!isErrno(error, EEXIST)) throw error;
  }
}

/** Whether a workload has the other end of the host interface; false when there is no such interface, or nobody took it. */
export async function isCableTaken(hostInterface: string, hostNetns?: NamespaceRef): Promise<boolean> {
  using host = Side.open(hostNetns);
  const link = await findLink(host.socket, hostInterface);
  return link?.kind === 'veth' && link.peerNamespaceId !== undefined;
}

/** Host interfaces of cables whose other end lies on the host, under a name that begins so: nobody took it, or it was given back. */
export async function listLooseCables(loosePrefix: string, hostNetns?: NamespaceRef): Promise<readonly string[]> {
  using host = Side.open(hostNetns);
  const links = await listLinks(host.socket);
  const byIndex = new Map(links.map((link) => [link.index, link]));
  return links
    .filter(({ kind, name }) => kind === 'veth' && name.startsWith(loosePrefix))
    .flatMap(({ parentIndex, peerNamespaceId }) => {
      const peer = peerNamespaceId === undefined && parentIndex !== undefined ? byIndex.get(parentIndex) : undefined;
      return peer === undefined ? [] : [peer.name];
    });
}
