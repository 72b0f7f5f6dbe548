import { describeKey } from '../api/keys.js';
import type { Node } from '../api/kinds/node.js';
import type { Stored } from '../datastore/datastore.js';
import { formatAddress, tryParseAddress } from '../net/address.js';
import { tryParsePrefix } from '../net/prefix.js';

/** Somebody who says that an address is theirs. */
export interface AddressUse {
  /** Canonical. */
  readonly address: string;
  /** `WorkloadEndpoint "shop/web"`, `Node "h1" (VXLAN tunnel)`. */
  readonly by: string;
  readonly node: string;
}

/** The addresses of workloads. */
export function workloadUses(endpoints: readonly Stored<'WorkloadEndpoint'>[]): readonly AddressUse[] {
  return endpoints.flatMap(({ key, value }) => {
    const by = describeKey(key);
    return (value.spec.ipNetworks ?? []).flatMap((text) => {
      const prefix = tryParsePrefix(text);
      return prefix === undefined ? [] : [{ address: formatAddress(prefix.address), by, node: value.spec.node }];
    });
  });
}

function tunnelsOf({ spec }: Node): readonly (readonly [string, string | undefined])[] {
  return [
    ['IP in IP tunnel', spec.bgp?.ipv4IPIPTunnelAddr],
    ['VXLAN tunnel', spec.ipv4VXLANTunnelAddr],
    ['VXLAN tunnel', spec.ipv6VXLANTunnelAddr],
    ['WireGuard', spec.wireguard?.interfaceIPv4Address],
    ['WireGuard', spec.wireguard?.interfaceIPv6Address],
  ];
}

/** The addresses of hosts' tunnels, which come from pools too. */
export function tunnelUses(nodes: readonly Stored<'Node'>[]): readonly AddressUse[] {
  return nodes.flatMap(({ key, value }) =>
    tunnelsOf(value).flatMap(([what, text]) => {
      const address = text === undefined ? undefined : tryParseAddress(text);
      if (address === undefined) return [];
      return [{ address: formatAddress(address), by: `${describeKey(key)} (${what})`, node: key.name }];
    }),
  );
}
