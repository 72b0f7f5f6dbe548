import type { Family } from '../net/address.js';
import { findLink } from '../netlink/route/link.js';
import { listRoutes, type Route } from '../netlink/route/route.js';
import { NetlinkSocket } from '../netlink/socket.js';
import { NETLINK_ROUTE } from '../sys/constants.js';

/** Ethernet's. */
const USUAL_MTU = 1500;

/**
 * The default route of the main table with the lowest metric; undefined when there is none.
 *
 * A host without one for IPv4 answers no ARP for 169.254.1.1: the kernel proxies only for what it could route elsewhere. Its
 * workloads are then without IPv4, and nothing in their namespaces shows why.
 *
 * @throws {NetlinkError}
 */
export async function findDefaultRoute(socket: NetlinkSocket, family: Family): Promise<Route | undefined> {
  const routes = await listRoutes(socket, { family, table: 254 });
  return routes
    .filter(({ destination, type }) => destination.length === 0 && type === 'unicast')
    .toSorted((a, b) => a.metric - b.metric)[0];
}

/** MTU of the interface that the default route leaves by: what a workload may send without a tunnel. */
export async function uplinkMtu(): Promise<number> {
  using socket = NetlinkSocket.open(NETLINK_ROUTE);
  const route = (await findDefaultRoute(socket, 4)) ?? (await findDefaultRoute(socket, 6));
  const index = route?.interfaceIndex;
  const link = index === undefined ? undefined : await findLink(socket, index);
  return link?.mtu ?? USUAL_MTU;
}
