import { formatAddress } from '../net/address.js';
import { HOST_SIDE_MAC } from '../net/mac.js';
import { gatewayOf } from '../workload/gateway.js';
import type { JoinAnswer, StaticRoute } from './protocol.js';

export interface JoinFacts {
  readonly looseInterface: string;
  readonly interfacePrefix: string;
  /** Bare. */
  readonly addresses: readonly string[];
  readonly ipam: 'calico' | 'default';
  /** No other interface of the container leads to our gateway. */
  readonly isFirst: boolean;
}

function connected(destination: string): StaticRoute {
  return { Destination: destination, RouteType: 1, NextHop: '' };
}

/**
 * How the engine configures a container's end.
 *
 * With Calico's addresses everything goes to the host by 169.254.1.1 and the link-local address of the host's end. Where Docker gave
 * them, the subnet is on the link and the engine adds its own bridge for the rest. A second interface gets no routes from the engine,
 * which knows one default gateway a container: they come later.
 */
export function joinAnswer(facts: JoinFacts): JoinAnswer {
  const { addresses, ipam, isFirst, looseInterface, interfacePrefix } = facts;
  const bare = {
    InterfaceName: { SrcName: looseInterface, DstPrefix: interfacePrefix },
    Gateway: '',
    GatewayIPv6: '',
    StaticRoutes: [],
    DisableGatewayService: false,
  };
  if (ipam === 'default') return bare;
  if (!isFirst) return { ...bare, DisableGatewayService: true };
  const has = (family: 4 | 6): boolean => addresses.some((address) => address.includes(':') === (family === 6));
  const ipv4 = has(4) ? formatAddress(gatewayOf(4, HOST_SIDE_MAC)) : '';
  const ipv6 = has(6) ? formatAddress(gatewayOf(6, HOST_SIDE_MAC)) : '';
  return {
    ...bare,
    Gateway: ipv4,
    GatewayIPv6: ipv6,
    StaticRoutes: [
      ...(ipv4 === '' ? [] : [connected(`${ipv4}/32`)]),
      ...(ipv6 === '' ? [] : [connected(`${ipv6}/128`)]),
    ],
    // Without an IPv4 gateway the engine would attach its bridge.
    DisableGatewayService: ipv4 === '',
  };
}
