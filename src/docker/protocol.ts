import * as v from 'valibot';

/**
 * What a Docker engine sends to a network and IPAM plugin, and what it takes as an answer: `POST /NetworkDriver.Join` and so on,
 * JSON both ways. Unknown fields are let pass: each engine adds some.
 *
 * @see https://github.com/moby/moby/blob/master/libnetwork/docs/remote.md, libnetwork/docs/ipam.md
 */

const text = v.nullish(v.string(), '');
const options = v.nullish(v.record(v.string(), v.unknown()), {});

/** Keys of options. */
export const OPTION = {
  generic: 'com.docker.network.generic',
  internal: 'com.docker.network.internal',
  portMap: 'com.docker.network.portmap',
  gateway: 'com.docker.network.gateway',
  mtu: 'com.docker.network.driver.mtu',
  requestType: 'RequestAddressType',
} as const;

/** Address spaces of the IPAM driver; the engine picks the one that fits the network driver's scope. */
export const ADDRESS_SPACES = {
  LocalDefaultAddressSpace: 'CalicoLocalAddressSpace',
  GlobalDefaultAddressSpace: 'CalicoGlobalAddressSpace',
} as const;

export const requestPool = v.object({
  AddressSpace: text,
  Pool: text,
  SubPool: text,
  Options: options,
  V6: v.nullish(v.boolean(), false),
});
export type PoolRequest = v.InferOutput<typeof requestPool>;

export const requestAddress = v.object({ PoolID: v.string(), Address: text, Options: options });
export type AddressRequest = v.InferOutput<typeof requestAddress>;

export const releaseAddress = v.object({ PoolID: text, Address: text });
export type AddressRelease = v.InferOutput<typeof releaseAddress>;

const ipamData = v.object({ AddressSpace: text, Gateway: text, Pool: text });
export type IpamData = v.InferOutput<typeof ipamData>;

const id = v.pipe(v.string(), v.regex(/^[0-9A-Za-z]{11,128}$/, 'an id has only letters and digits'));

export const createNetwork = v.object({
  NetworkID: id,
  Options: options,
  IPv4Data: v.nullish(v.array(ipamData), []),
  IPv6Data: v.nullish(v.array(ipamData), []),
});
export type NetworkRequest = v.InferOutput<typeof createNetwork>;

export const networkReference = v.object({ NetworkID: id });

export const createEndpoint = v.object({
  NetworkID: id,
  EndpointID: id,
  Interface: v.nullish(v.object({ Address: text, AddressIPv6: text, MacAddress: text }), {
    Address: '',
    AddressIPv6: '',
    MacAddress: '',
  }),
  Options: options,
});
export type EndpointRequest = v.InferOutput<typeof createEndpoint>;

export const endpointReference = v.object({ NetworkID: id, EndpointID: id });
export type EndpointReference = v.InferOutput<typeof endpointReference>;

export const join = v.object({ NetworkID: id, EndpointID: id, SandboxKey: text, Options: options });
export type JoinRequest = v.InferOutput<typeof join>;

/** RouteType: 0 by a next hop, 1 connected. */
export interface StaticRoute {
  readonly Destination: string;
  readonly RouteType: 0 | 1;
  readonly NextHop: string;
}

export interface JoinAnswer {
  readonly InterfaceName: { readonly SrcName: string; readonly DstPrefix: string };
  /** Empty: the engine attaches its own gateway bridge, unless told not to. */
  readonly Gateway: string;
  readonly GatewayIPv6: string;
  readonly StaticRoutes: readonly StaticRoute[];
  readonly DisableGatewayService: boolean;
}

const portBinding = v.object({ Port: v.nullish(v.number(), 0), HostPort: v.nullish(v.number(), 0) });
const portMap = v.nullish(v.array(portBinding), []);

/** Ports that the user wants published. */
export function publishedPorts(
  given: Readonly<Record<string, unknown>>,
): readonly { readonly port: number; readonly hostPort: number }[] {
  const read = v.safeParse(portMap, given[OPTION.portMap]);
  return read.success ? read.output.map(({ Port, HostPort }) => ({ port: Port, hostPort: HostPort })) : [];
}

const genericOptions = v.nullish(v.record(v.string(), v.string()), {});

/** What the user gave with `--opt`; an option without a value has the empty one. */
export function userOptions(given: Readonly<Record<string, unknown>>): Readonly<Record<string, string>> {
  const read = v.safeParse(genericOptions, given[OPTION.generic]);
  return read.success ? read.output : {};
}
