import { type Address, addressBytes, type Family, formatAddress } from '../../net/address.js';
import { formatPrefix, maskAddress, type Prefix } from '../../net/prefix.js';
import { AF_INET, AF_INET6 } from '../../sys/constants.js';
import { ENODEV, ENOENT, ESRCH } from '../../sys/errno.js';
import { addressOf, align4, Attributes, type AttributeWriter } from '../attributes.js';
import { isErrno, malformed } from '../errors.js';
import { present } from '../present.js';
import { NLM_F_CREATE, NLM_F_EXCL, NLM_F_REPLACE, oneRequest, type RequestHead, Requests } from '../message.js';
import type { NetlinkSocket, Refusal } from '../socket.js';
import {
  RT_SCOPE_HOST,
  RT_SCOPE_LINK,
  RT_SCOPE_NOWHERE,
  RT_SCOPE_UNIVERSE,
  RT_TABLE_MAIN,
  RTA_DST,
  RTA_GATEWAY,
  RTA_METRICS,
  RTA_MULTIPATH,
  RTA_OIF,
  RTA_PREFSRC,
  RTA_PRIORITY,
  RTA_TABLE,
  RTAX_MTU,
  RTM_DELROUTE,
  RTM_F_CLONED,
  RTM_GETROUTE,
  RTM_NEWROUTE,
  RTNH_F_ONLINK,
  RTPROT_BOOT,
} from './constants.js';

/** `struct rtmsg`: family, dst length, src length, tos, table, protocol, scope, type, flags (4). */
const RTMSG = 12;
/** `struct rtnexthop`: length (2), flags, hops, index (4). */
const RTNEXTHOP = 8;
const RTA_VIA = 18;
const IPV6_DEFAULT_METRIC = 1024;

// RTN_*: position is the number.
const ROUTE_TYPES = [
  'unspec',
  'unicast',
  'local',
  'broadcast',
  'anycast',
  'multicast',
  'blackhole',
  'unreachable',
  'prohibit',
  'throw',
  'nat',
] as const;
export type RouteType = (typeof ROUTE_TYPES)[number];

export interface NextHop {
  readonly interfaceIndex?: number;
  readonly gateway?: Address;
  /** The gateway is reachable on the interface, whatever the other routes say. */
  readonly onlink: boolean;
  /** Share of the traffic, from 1. */
  readonly weight: number;
}

/**
 * A route in the form in which it is read back: what the kernel fills in is filled in ({@link completeRoute}), so two routes are the
 * same when their fields are. Identity in the kernel is {@link routeKey}.
 */
export interface Route {
  readonly destination: Prefix;
  /** Routing table's number; 254 is main. */
  readonly table: number;
  readonly type: RouteType;
  /** RTPROT_*: who made it. */
  readonly protocol: number;
  /** RT_SCOPE_*; always 0 for IPv6. */
  readonly scope: number;
  /** Lower wins; IPv6 has 1024 where 0 was asked. */
  readonly metric: number;
  readonly interfaceIndex?: number;
  readonly gateway?: Address;
  readonly onlink: boolean;
  readonly preferredSource?: Address;
  readonly mtu?: number;
  /** Two or more next hops; then `interfaceIndex` and `gateway` are absent. */
  readonly nextHops?: readonly NextHop[];
}

/** A route to add or delete: everything but the destination has a default. */
export type NewRoute = Pick<Route, 'destination'> &
  Partial<Omit<Route, 'destination'>> & {
    /** Only for error messages. */
    readonly interfaceName?: string;
  };

export interface RouteChange {
  /** `add` fails when the key is taken; `replace` does not. */
  readonly verb: 'add' | 'replace' | 'delete';
  readonly route: NewRoute;
}

export interface RouteFilter {
  /** Both when left out. */
  readonly family?: Family;
  /** All tables when left out. */
  readonly table?: number;
  readonly protocol?: number;
  readonly interfaceIndex?: number;
}

function defaultScope(route: NewRoute): number {
  const type = route.type ?? 'unicast';
  if (type === 'local') return RT_SCOPE_HOST;
  const direct = route.gateway === undefined && route.nextHops === undefined;
  return type === 'unicast' && direct ? RT_SCOPE_LINK : RT_SCOPE_UNIVERSE;
}

/** True for the types that need no interface: the kernel drops or refuses by itself. */
function isSpecial(type: RouteType): boolean {
  return type === 'blackhole' || type === 'unreachable' || type === 'prohibit' || type === 'throw';
}

/** The route with every default filled in as the kernel would: compare this with what {@link listRoutes} gives. */
export function completeRoute(route: NewRoute): Route {
  const isV6 = route.destination.address.family === 6;
  const type = route.type ?? 'unicast';
  const metric = route.metric ?? 0;
  const { destination } = route;
  const { gateway, preferredSource, mtu, nextHops } = route;
  return {
    destination: { address: maskAddress(destination.address, destination.length), length: destination.length },
    table: route.table ?? RT_TABLE_MAIN,
    type,
    protocol: route.protocol ?? RTPROT_BOOT,
    scope: isV6 ? RT_SCOPE_UNIVERSE : (route.scope ?? defaultScope(route)),
    metric: isV6 && metric === 0 ? IPV6_DEFAULT_METRIC : metric,
    onlink: route.onlink ?? false,
    // IPv6 shows special routes on `lo`; what was asked had no interface.
    ...present({ interfaceIndex: isSpecial(type) ? undefined : route.interfaceIndex }),
    ...present({ gateway, preferredSource, mtu, nextHops }),
  };
}

/** What makes a route the same one for the kernel: `254 192.0.2.0/24 metric 0`. */
export function routeKey(route: NewRoute): string {
  const complete = completeRoute(route);
  return `${complete.table} ${formatPrefix(complete.destination)} metric ${complete.metric}`;
}

/** As `ip route` would show it, for messages: `192.0.2.7/32 via 198.51.100.1 dev cali1 in table main`. */
export function formatRoute(route: NewRoute): string {
  const table = route.table ?? RT_TABLE_MAIN;
  const device = route.interfaceName ?? (route.interfaceIndex === undefined ? undefined : `#${route.interfaceIndex}`);
  return [
    ...(route.type === undefined || route.type === 'unicast' ? [] : [route.type]),
    formatPrefix(route.destination),
    ...(route.gateway === undefined ? [] : [`via ${formatAddress(route.gateway)}`]),
    ...(route.nextHops === undefined ? [] : [`over ${route.nextHops.length} next hops`]),
    ...(device === undefined ? [] : [`dev ${device}`]),
    `in table ${table === RT_TABLE_MAIN ? 'main' : table}`,
  ].join(' ');
}

/** RTA_GATEWAY, or RTA_VIA: an IPv6 gateway of an IPv4 route (family, then the address). */
function decodeGateway(attributes: Attributes): Address | undefined {
  const gateway = attributes.address(RTA_GATEWAY);
  if (gateway !== undefined) return gateway;
  const via = attributes.blob(RTA_VIA);
  return via === undefined ? undefined : addressOf(via.subarray(2));
}

function decodeNextHops(bytes: Buffer): NextHop[] {
  const hops: NextHop[] = [];
  for (let at = 0; at < bytes.length;) {
    const size = bytes.length - at < RTNEXTHOP ? 0 : bytes.readUInt16LE(at);
    if (size < RTNEXTHOP || at + size > bytes.length) throw malformed(`a next hop says ${size} bytes`);
    const gateway = decodeGateway(new Attributes(bytes.subarray(at + RTNEXTHOP, at + size)));
    hops.push({
      interfaceIndex: bytes.readInt32LE(at + 4),
      onlink: (bytes.readUInt8(at + 2) & RTNH_F_ONLINK) !== 0,
      weight: bytes.readUInt8(at + 3) + 1,
      ...(gateway === undefined ? {} : { gateway }),
    });
    at += align4(size);
  }
  return hops;
}

/**
 * Undefined for what is no unicast routing entry of IPv4 or IPv6 (multicast forwarding, cached exceptions).
 * @throws {CalicoError} `ERR_CALI_NETLINK_MALFORMED`
 */
export function decodeRoute(payload: Buffer): Route | undefined {
  if (payload.length < RTMSG) throw malformed(`a route has ${payload.length} bytes`);
  const family = payload.readUInt8(0);
  const type = ROUTE_TYPES[payload.readUInt8(7)];
  const flags = payload.readUInt32LE(8);
  if ((family !== AF_INET && family !== AF_INET6) || type === undefined || (flags & RTM_F_CLONED) !== 0)
    return undefined;
  const attributes = new Attributes(payload.subarray(RTMSG));
  const address = attributes.address(RTA_DST) ?? addressOf(Buffer.alloc(family === AF_INET ? 4 : 16));
  const multipath = attributes.blob(RTA_MULTIPATH);
  return completeRoute({
    destination: { address, length: payload.readUInt8(1) },
    table: attributes.u32(RTA_TABLE) ?? payload.readUInt8(4),
    type,
    protocol: payload.readUInt8(5),
    scope: payload.readUInt8(6),
    metric: attributes.u32(RTA_PRIORITY) ?? 0,
    onlink: (flags & RTNH_F_ONLINK) !== 0,
    ...present({
      interfaceIndex: attributes.u32(RTA_OIF),
      gateway: decodeGateway(attributes),
      preferredSource: attributes.address(RTA_PREFSRC),
      mtu: attributes.nested(RTA_METRICS)?.u32(RTAX_MTU),
      nextHops: multipath === undefined ? undefined : decodeNextHops(multipath),
    }),
  });
}

function writeGateway(writer: AttributeWriter, family: Family, gateway: Address): void {
  if (gateway.family === family) {
    writer.address(RTA_GATEWAY, gateway);
  } else {
    const via = Buffer.alloc(2);
    via.writeUInt16LE(gateway.family === 6 ? AF_INET6 : AF_INET);
    writer.blob(RTA_VIA, Buffer.concat([via, addressBytes(gateway)]));
  }
}

function writeNextHops(writer: AttributeWriter, family: Family, hops: readonly NextHop[]): void {
  writer.nestPlain(RTA_MULTIPATH, (list) => {
    for (const hop of hops) {
      const start = list.length;
      const header = list.header(RTNEXTHOP);
      header.writeUInt8(hop.onlink ? RTNH_F_ONLINK : 0, 2);
      header.writeUInt8(hop.weight - 1, 3);
      header.writeInt32LE(hop.interfaceIndex ?? 0, 4);
      // The length shares its word with flags and weight.
      const flagsAndWeight = header.readUInt32LE(0);
      if (hop.gateway !== undefined) writeGateway(list, family, hop.gateway);
      list.patchU32(start, flagsAndWeight + list.length - start);
    }
  });
}

/** The body of RTM_NEWROUTE. */
export function encodeRoute(writer: AttributeWriter, route: NewRoute): void {
  const complete = completeRoute(route);
  writeRouteHeader(writer, complete, complete.scope);
  if (complete.gateway !== undefined) writeGateway(writer, complete.destination.address.family, complete.gateway);
  if (complete.preferredSource !== undefined) writer.address(RTA_PREFSRC, complete.preferredSource);
  const { mtu, nextHops } = complete;
  if (mtu !== undefined) writer.nest(RTA_METRICS, (metrics) => metrics.u32(RTAX_MTU, mtu));
  if (nextHops !== undefined) writeNextHops(writer, complete.destination.address.family, nextHops);
}

function writeRouteHeader(writer: AttributeWriter, route: Route, scope: number): void {
  const { address, length } = route.destination;
  const header = writer.header(RTMSG);
  header.writeUInt8(address.family === 4 ? AF_INET : AF_INET6, 0);
  header.writeUInt8(length, 1);
  header.writeUInt8(route.table < 256 ? route.table : 0, 4);
  header.writeUInt8(route.protocol, 5);
  header.writeUInt8(scope, 6);
  header.writeUInt8(ROUTE_TYPES.indexOf(route.type), 7);
  header.writeUInt32LE(route.onlink ? RTNH_F_ONLINK : 0, 8);
  writer.address(RTA_DST, address);
  if (route.table >= 256) writer.u32(RTA_TABLE, route.table);
  if (route.metric !== 0) writer.u32(RTA_PRIORITY, route.metric);
  if (route.interfaceIndex !== undefined) writer.u32(RTA_OIF, route.interfaceIndex);
}

/** The body of RTM_DELROUTE: key and, where given, type, protocol and interface; anything else would have to match too. */
function encodeDeletion(writer: AttributeWriter, route: NewRoute): void {
  const complete = completeRoute(route);
  writeRouteHeader(
    writer,
    { ...complete, protocol: route.protocol ?? 0, type: route.type ?? 'unspec', onlink: false },
    RT_SCOPE_NOWHERE,
  );
}

function addChange(requests: Requests, { verb, route }: RouteChange): void {
  const what = (): string => `${verb} route ${formatRoute(route)}`;
  if (verb === 'delete') {
    requests.add({ type: RTM_DELROUTE, what }, (writer) => encodeDeletion(writer, route));
    return;
  }
  const flags = NLM_F_CREATE | (verb === 'add' ? NLM_F_EXCL : NLM_F_REPLACE);
  requests.add({ type: RTM_NEWROUTE, flags, what }, (writer) => encodeRoute(writer, route));
}

async function listFamily(socket: NetlinkSocket, family: Family, filter: RouteFilter): Promise<Route[]> {
  const head: RequestHead = { type: RTM_GETROUTE, what: () => `list IPv${family} routes` };
  const request = oneRequest(head, (writer) => {
    const header = writer.header(RTMSG);
    header.writeUInt8(family === 4 ? AF_INET : AF_INET6, 0);
    header.writeUInt8(filter.protocol ?? 0, 5);
    if (filter.table !== undefined) writer.u32(RTA_TABLE, filter.table);
    if (filter.interfaceIndex !== undefined) writer.u32(RTA_OIF, filter.interfaceIndex);
  });
  try {
    const replies = await socket.dump(request);
    return replies
      .filter(({ type }) => type === RTM_NEWROUTE)
      .map(({ payload }) => decodeRoute(payload))
      .filter((route) => route !== undefined);
  } catch (error) {
    // A table that was never used, an interface that is gone: no routes either way.
    if (isErrno(error, ENOENT, ENODEV)) return [];
    throw error;
  }
}

/** Routes that pass the filter; the kernel does the filtering. 20,000 take about 60 ms. @throws {NetlinkError} */
export async function listRoutes(socket: NetlinkSocket, filter: RouteFilter = {}): Promise<Route[]> {
  const families: readonly Family[] = filter.family === undefined ? [4, 6] : [filter.family];
  const routes: Route[] = [];
  for (const family of families) {
    for (const route of await listFamily(socket, family, filter)) routes.push(route);
  }
  return routes;
}

/**
 * Many changes in the order given, pipelined; one refused does not stop the others. Deleting what is not there is no failure.
 * @returns the changes the kernel refused, by index
 */
export async function changeRoutes(socket: NetlinkSocket, changes: readonly RouteChange[]): Promise<Refusal[]> {
  const requests = new Requests(64 * changes.length + 64);
  for (const change of changes) addChange(requests, change);
  const refusals = await socket.requestAll(requests);
  return refusals.filter(({ index, error }) => !(changes[index]?.verb === 'delete' && isErrno(error, ESRCH, ENODEV)));
}

/** @throws {NetlinkError} EEXIST the key is taken; ENETUNREACH the gateway is not on the interface */
export async function addRoute(socket: NetlinkSocket, route: NewRoute): Promise<void> {
  await changeOne(socket, { verb: 'add', route });
}

/** Adds the route, or puts it in place of the one with the same key. @throws {NetlinkError} */
export async function replaceRoute(socket: NetlinkSocket, route: NewRoute): Promise<void> {
  await changeOne(socket, { verb: 'replace', route });
}

/** Deletes by key, and by type, protocol and interface where given; false when there was none. @throws {NetlinkError} */
export async function deleteRoute(socket: NetlinkSocket, route: NewRoute): Promise<boolean> {
  try {
    await changeOne(socket, { verb: 'delete', route });
    return true;
  } catch (error) {
    if (isErrno(error, ESRCH, ENODEV)) return false;
    throw error;
  }
}

async function changeOne(socket: NetlinkSocket, change: RouteChange): Promise<void> {
  const requests = new Requests();
  addChange(requests, change);
  await socket.request(requests);
}
