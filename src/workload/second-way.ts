import { KernelError } from '../base/errors.js';
import type { Family } from '../net/address.js';
import { HOST_SIDE_MAC } from '../net/mac.js';
import { findLink, listLinks } from '../netlink/route/link.js';
import { RT_SCOPE_LINK } from '../netlink/route/constants.js';
import { type NewRoute, replaceRoute } from '../netlink/route/route.js';
import { addSourceRule } from '../netlink/route/rule.js';
import type { NamespaceRef } from '../sys/namespace.js';
import { workloadPrefix } from './address.js';
import { gatewayRoutes } from './gateway.js';
import { Side, workloadError } from './pair.js';

/** Before the main table, which has 32766. */
const RULE_PRIORITY = 1_000;
/** Tables are named after the interface's number, well above those that people use. */
const TABLE_BASE = 0x4000_0000;
/** The default route of a second interface stands behind that of the first, and takes its place when that goes. */
const STAND_IN_METRIC = 4_096;

/** A workload that has an interface and a default route already. */
export interface SecondInterface {
  readonly netns: NamespaceRef;
  /** The host's end of the cable of the second interface. */
  readonly hostInterface: string;
  /** What the second interface has. */
  readonly addresses: readonly string[];
  /** The host's namespace; this process's own when left out. */
  readonly hostNetns?: NamespaceRef;
}

/**
 * Gives a workload's second interface a way out of its own: what has one of its addresses as source leaves by it, so that both ends of
 * a conversation see one interface; and it stands in for the first interface's default route when that goes.
 *
 * @returns false when the interface is not in the workload, or down, or there is no such workload yet
 * @throws {CalicoError} `ERR_CALI_WORKLOAD_ATTACH`
 */
export async function addSecondWay({ netns, hostInterface, addresses, hostNetns }: SecondInterface): Promise<boolean> {
  try {
    const prefixes = addresses.map(workloadPrefix);
    using host = Side.open(hostNetns);
    using workload = openWhenThere(netns);
    if (workload === undefined) return false;
    const hostLink = await findLink(host.socket, hostInterface);
    // Each end of a cable names the other one's number.
    const link = (await listLinks(workload.socket)).find(
      ({ parentIndex, kind, index }) =>
        kind === 'veth' && parentIndex === hostLink?.index && hostLink?.parentIndex === index,
    );
    // No route leads over an interface that is down: whoever put it there is not done with it.
    if (link?.isUp !== true) return false;
    const table = TABLE_BASE + link.index;
    for (const family of new Set<Family>(prefixes.map(({ address }) => address.family))) {
      const routes = gatewayRoutes(family, link.index, hostLink?.mac ?? HOST_SIDE_MAC);
      for (const route of routes) await replaceRoute(workload.socket, { ...onLink(route), table });
      for (const route of routes) await replaceRoute(workload.socket, { ...onLink(route), metric: STAND_IN_METRIC });
    }
    for (const source of prefixes) await addSourceRule(workload.socket, { source, table, priority: RULE_PRIORITY });
    return true;
  } catch (error) {
    throw workloadError(`cannot give ${hostInterface} a way out of its own`, error);
  }
}

/** A path that is not there is a namespace yet to be made; one that is no namespace, a file on which it is yet to be mounted. */
function openWhenThere(netns: NamespaceRef): Side | undefined {
  try {
    return Side.open(netns);
  } catch (error) {
    if (error instanceof KernelError && ['ENOENT', 'EINVAL'].includes(error.errnoName)) return undefined;
    throw error;
  }
}

/** The gateway is on the link whatever other interfaces' routes say of it. */
function onLink(route: NewRoute): NewRoute {
  return route.gateway === undefined ? { ...route, scope: RT_SCOPE_LINK } : { ...route, onlink: true };
}
