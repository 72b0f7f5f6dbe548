import { type Address, type Family, parseAddress } from '../net/address.js';
import { linkLocalAddress } from '../net/mac.js';
import { parsePrefix } from '../net/prefix.js';
import type { NewRoute } from '../netlink/route/route.js';
import { RT_SCOPE_LINK } from '../netlink/route/constants.js';

/**
 * The IPv4 gateway of every workload. Nobody has it: the host answers ARP for it on the workload's interface (proxy ARP), so
 * no address is used up for a gateway and every workload on every host has the same one.
 */
export const GATEWAY_IPV4: Address = parseAddress('169.254.1.1');

const GATEWAY_IPV4_ROUTE = parsePrefix('169.254.1.1/32');
const DEFAULT_IPV4 = parsePrefix('0.0.0.0/0');
const DEFAULT_IPV6 = parsePrefix('::/0');

/** What a workload sends to: 169.254.1.1, or the link-local address of the host's end of the veth. */
export function gatewayOf(family: Family, hostMac: string): Address {
  return family === 4 ? GATEWAY_IPV4 : linkLocalAddress(hostMac);
}

/** The routes inside a workload's namespace that lead everything to its host. */
export function gatewayRoutes(family: Family, interfaceIndex: number, hostMac: string): NewRoute[] {
  const gateway = gatewayOf(family, hostMac);
  if (family === 6) return [{ destination: DEFAULT_IPV6, gateway, interfaceIndex }];
  return [
    { destination: GATEWAY_IPV4_ROUTE, scope: RT_SCOPE_LINK, interfaceIndex },
    { destination: DEFAULT_IPV4, gateway, interfaceIndex },
  ];
}
