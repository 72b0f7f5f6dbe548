import { addressInPrefix, parsePrefix } from '../net/prefix.js';
import { formatAddress } from '../net/address.js';
import type { Route } from '../netlink/route/route.js';
import { type DataplaneSettings, isWorkloadInterface } from './settings.js';

// include/uapi/linux/rtnetlink.h
const RTPROT_KERNEL = 2;
const RTPROT_BOOT = 3;
/** What our routes to blocks and other hosts carry. */
const OUR_PROTOCOL = 80;

const LINK_LOCAL = parsePrefix('fe80::/10');
const MULTICAST = parsePrefix('ff00::/8');

/**
 * True when nobody but us may keep such a route in table main: protocol 80 anywhere, and what lies on workload interfaces except
 * what the kernel itself put there.
 */
export function isOurs(route: Route, interfaceName: string | undefined, settings: DataplaneSettings): boolean {
  if (route.protocol === OUR_PROTOCOL) return true;
  if (interfaceName === undefined || !isWorkloadInterface(settings, interfaceName)) return false;
  const { address } = route.destination;
  if (addressInPrefix(address, LINK_LOCAL) || addressInPrefix(address, MULTICAST)) return false;
  if (route.protocol === RTPROT_KERNEL) return false;
  return settings.removeExternalRoutes || route.protocol === RTPROT_BOOT;
}

/** True when the kernel treats both the same way; who added what else (MTU, source hint) does not matter. */
export function sameRoute(a: Route, b: Route): boolean {
  const gateway = ({ gateway }: Route): string => (gateway === undefined ? '' : formatAddress(gateway));
  return (
    a.type === b.type &&
    a.protocol === b.protocol &&
    a.scope === b.scope &&
    a.metric === b.metric &&
    a.interfaceIndex === b.interfaceIndex &&
    gateway(a) === gateway(b)
  );
}
