import type { Family } from '../net/address.js';
import { listRoutes, type Route } from '../netlink/route/route.js';
import type { NetlinkSocket } from '../netlink/socket.js';

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
