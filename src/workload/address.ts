import { CalicoError, UnsupportedError } from '../base/errors.js';
import { addressBits, type Family, formatAddress } from '../net/address.js';
import { formatPrefix, parsePrefix, type Prefix } from '../net/prefix.js';
import { isErrno } from '../netlink/errors.js';
import { deleteInterfaceAddress, listInterfaceAddresses, replaceInterfaceAddress } from '../netlink/route/address.js';
import { findLink, type Link } from '../netlink/route/link.js';
import { addRoute, deleteRoute, listRoutes, type NewRoute, replaceRoute, routeKey } from '../netlink/route/route.js';
import { EEXIST } from '../sys/errno.js';
import type { NamespaceRef } from '../sys/namespace.js';
import { gatewayRoutes } from './gateway.js';
import { Side, workloadError } from './pair.js';
import { kernelHasIpv6, writeHostSysctls, writeWorkloadSysctls } from './sysctls.js';

/** The two sides of an attached workload, ready to be configured. */
export interface Ends {
  readonly host: Side;
  readonly hostLink: Link;
  readonly workload: Side;
  readonly workloadLink: Link;
}

/** A workload's address as a prefix of full length: it shares its subnet with nobody. @throws {CalicoError} */
export function workloadPrefix(text: string): Prefix {
  const prefix = parsePrefix(text);
  if (prefix.length !== addressBits(prefix.address.family)) {
    throw new CalicoError(
      'ERR_CALI_WORKLOAD_ADDRESS',
      `"${text}" is not a workload's address: it has a prefix length other than ${addressBits(prefix.address.family)}`,
      { hint: `write ${formatAddress(prefix.address)}` },
    );
  }
  return prefix;
}

/**
 * As the agent gives it (ipv4NormalRoutePriority, ipv6NormalRoutePriority), so that it finds its route there already. Where the agent was
 * told another metric, it puts its own beside this one and takes this one away.
 */
export const WORKLOAD_ROUTE_METRIC = 1024;

/** @throws {UnsupportedError} the kernel has no IPv6 */
export function checkFamily(family: Family): void {
  if (family === 4 || kernelHasIpv6()) return;
  throw new UnsupportedError(
    'ERR_CALI_WORKLOAD_IPV6',
    'ipv6',
    'IPv6 is not in this kernel: the workload gets no IPv6 address',
  );
}

/** Sysctls of both sides for a family that an attached workload has not had yet. @throws {KernelError} */
function prepareFamily(ends: Ends, family: Family): void {
  checkFamily(family);
  ends.host.namespace.run(() => writeHostSysctls(ends.hostLink.name, family));
  ends.workload.namespace.run(() => writeWorkloadSysctls(ends.workloadLink.name, family));
}

/** The way out for a family. Before its addresses, so that there is no moment with an address and no route. */
export async function addGateway(ends: Ends, family: Family): Promise<void> {
  const { socket } = ends.workload;
  const interfaceName = ends.workloadLink.name;
  for (const route of gatewayRoutes(family, ends.workloadLink.index, ends.hostLink.mac ?? '')) {
    await replaceRoute(socket, { ...route, interfaceName });
  }
}

/**
 * Gives the host the route to the address and the workload the address: in this order, so that one which is another interface's never
 * gets inside.
 *
 * @throws {CalicoError} the address is another interface's
 */
export async function addAddress(ends: Ends, prefix: Prefix): Promise<void> {
  const route: NewRoute = {
    destination: prefix,
    interfaceIndex: ends.hostLink.index,
    interfaceName: ends.hostLink.name,
    metric: WORKLOAD_ROUTE_METRIC,
  };
  try {
    await addRoute(ends.host.socket, route);
  } catch (error) {
    if (!isErrno(error, EEXIST)) throw error;
    await checkOwner(ends, route);
  }
  const address = { interfaceIndex: ends.workloadLink.index, prefix, noDad: prefix.address.family === 6 };
  await replaceInterfaceAddress(ends.workload.socket, address);
}

/** A route that exists already is accepted when it leads to the same interface. */
async function checkOwner(ends: Ends, route: NewRoute): Promise<void> {
  const seen = await listRoutes(ends.host.socket, { family: route.destination.address.family });
  const owner = seen.find((candidate) => routeKey(candidate) === routeKey(route));
  if (owner === undefined || owner.interfaceIndex === route.interfaceIndex) return;
  const link = owner.interfaceIndex === undefined ? undefined : await findLink(ends.host.socket, owner.interfaceIndex);
  throw new CalicoError(
    'ERR_CALI_WORKLOAD_ADDRESS',
    `${formatPrefix(route.destination)} leads to ${link === undefined ? `a ${owner.type} route` : `interface "${link.name}"`} already`,
    { hint: `see who holds it with: ip route get ${formatAddress(route.destination.address)}` },
  );
}

/** An address of a workload that is attached. */
export interface WorkloadAddress {
  readonly netns: NamespaceRef;
  readonly hostInterface: string;
  /** Default `eth0`. */
  readonly containerInterface?: string;
  /** `192.0.2.7` or `192.0.2.7/32`. */
  readonly address: string;
  /** The host's namespace; this process's own when left out. */
  readonly hostNetns?: NamespaceRef;
}

async function findEnds(host: Side, workload: Side, address: WorkloadAddress): Promise<Ends> {
  const hostLink = await findLink(host.socket, address.hostInterface);
  const containerInterface = address.containerInterface ?? 'eth0';
  const workloadLink = await findLink(workload.socket, containerInterface);
  if (hostLink === undefined || workloadLink === undefined) {
    const missing = hostLink === undefined ? address.hostInterface : `${containerInterface} in the workload`;
    throw new CalicoError('ERR_CALI_WORKLOAD_GONE', `the workload is not attached: there is no interface ${missing}`);
  }
  return { host, hostLink, workload, workloadLink };
}

/**
 * Gives an attached workload one more address; adding one it has is no failure.
 * @throws {CalicoError} `ERR_CALI_WORKLOAD_ATTACH`, the cause says what failed
 */
export async function addWorkloadAddress(address: WorkloadAddress): Promise<void> {
  const prefix = workloadPrefix(address.address);
  const { family } = prefix.address;
  try {
    using host = Side.open(address.hostNetns);
    using workload = Side.open(address.netns);
    const ends = await findEnds(host, workload, address);
    const held = await listInterfaceAddresses(workload.socket, { interfaceIndex: ends.workloadLink.index });
    const isFirst = !held.some(({ prefix: other, scope }) => other.address.family === family && scope === 0);
    if (isFirst) {
      prepareFamily(ends, family);
      await addGateway(ends, family);
    }
    await addAddress(ends, prefix);
  } catch (error) {
    throw workloadError(`cannot add ${formatPrefix(prefix)} to the workload at ${address.hostInterface}`, error);
  }
}

/** Takes an address away on both sides; false when neither had it. @throws {CalicoError} `ERR_CALI_WORKLOAD_ATTACH` */
export async function removeWorkloadAddress(address: WorkloadAddress): Promise<boolean> {
  const prefix = workloadPrefix(address.address);
  try {
    using host = Side.open(address.hostNetns);
    using workload = Side.open(address.netns);
    const ends = await findEnds(host, workload, address);
    const route = { destination: prefix, interfaceIndex: ends.hostLink.index, metric: WORKLOAD_ROUTE_METRIC };
    const routeWas = await deleteRoute(host.socket, route);
    const addressWas = await deleteInterfaceAddress(workload.socket, {
      interfaceIndex: ends.workloadLink.index,
      prefix,
    });
    return routeWas || addressWas;
  } catch (error) {
    throw workloadError(`cannot remove ${formatPrefix(prefix)} from the workload at ${address.hostInterface}`, error);
  }
}
