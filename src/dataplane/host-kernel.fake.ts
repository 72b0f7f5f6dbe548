import { type CalicoError, KernelError } from '../base/errors.js';
import { type Address, formatAddress } from '../net/address.js';
import { formatPrefix } from '../net/prefix.js';
import { NetlinkError } from '../netlink/errors.js';
import type { Link } from '../netlink/route/link.js';
import type { Neighbour, NewNeighbour } from '../netlink/route/neighbour.js';
import { type Route, type RouteChange, completeRoute, formatRoute, routeKey } from '../netlink/route/route.js';
import type { Refusal } from '../netlink/socket.js';
import type { HostKernel } from './host-kernel.js';

// include/uapi/asm-generic/errno.h
const ENOENT = 2;
const ENETDOWN = 100;
const NUD_PERMANENT = 0x80;

/** Links, routes, neighbours and settings in memory. Keeps a log of what was done to it, one line each. */
export class FakeHostKernel implements HostKernel {
  readonly links = new Map<string, Link>();
  readonly routes = new Map<string, Route>();
  readonly neighbours = new Map<string, Neighbour>();
  readonly settings = new Map<string, string>([['net/ipv4/conf/default/rp_filter', '2']]);
  readonly log: string[] = [];
  /** Thrown by every change of routes until it is taken away. */
  failure: CalicoError | undefined;
  /** Settings that cannot be written, by name. */
  readonly readOnly = new Set<string>();

  /** Puts a link there, up and with carrier unless told otherwise; its settings come with it. */
  addLink(name: string, index: number, isUp = true): Link {
    const link: Link = { index, name, mtu: 1500, isUp, isRunning: isUp };
    this.links.set(name, link);
    for (const family of ['ipv4', 'ipv6']) {
      for (const key of ['route_localnet', 'proxy_arp', 'forwarding', 'rp_filter', 'accept_ra', 'proxy_ndp']) {
        this.settings.set(`net/${family}/conf/${name}/${key}`, '0');
      }
    }
    return link;
  }

  /** As `ip route` would list it: destination and interface index. */
  listing(): string[] {
    return Array.from(
      this.routes.values(),
      (route) =>
        `${formatPrefix(route.destination)} ${route.type} ${route.interfaceIndex ?? '-'} proto ${route.protocol}`,
    ).toSorted();
  }

  /** What was done since the last call. */
  takeLog(): string[] {
    return this.log.splice(0);
  }

  listLinks(): Promise<readonly Link[]> {
    return Promise.resolve([...this.links.values()]);
  }

  listRoutes(): Promise<readonly Route[]> {
    return Promise.resolve([...this.routes.values()]);
  }

  changeRoutes(changes: readonly RouteChange[]): Promise<readonly Refusal[]> {
    if (this.failure !== undefined) return Promise.reject(this.failure);
    const refusals: Refusal[] = [];
    for (const [index, { verb, route }] of changes.entries()) {
      const complete = completeRoute(route);
      const isDown = complete.interfaceIndex !== undefined && this.#linkAt(complete.interfaceIndex)?.isUp !== true;
      this.log.push(`${verb} ${formatRoute({ ...complete, table: 254 })}`);
      if (verb === 'delete') this.routes.delete(routeKey(route));
      else if (isDown) {
        const error = new NetlinkError({ operation: `${verb} route`, errno: ENETDOWN, sequence: index });
        refusals.push({ index, error });
      } else this.routes.set(routeKey(route), complete);
    }
    return Promise.resolve(refusals);
  }

  listNeighbours(): Promise<readonly Neighbour[]> {
    return Promise.resolve([...this.neighbours.values()]);
  }

  replaceNeighbour({ interfaceIndex, destination, mac }: NewNeighbour): Promise<void> {
    const key = `${formatAddress(destination)} ${interfaceIndex}`;
    this.log.push(`neighbour ${key} ${mac}`);
    const entry = { interfaceIndex, destination, state: NUD_PERMANENT, isProxy: false, isForwarding: false };
    this.neighbours.set(key, mac === undefined ? entry : { ...entry, mac });
    return Promise.resolve();
  }

  deleteNeighbour({ interfaceIndex, destination }: NewNeighbour): Promise<boolean> {
    const key = `${formatAddress(destination)} ${interfaceIndex}`;
    this.log.push(`delete neighbour ${key}`);
    return Promise.resolve(this.neighbours.delete(key));
  }

  deleteFlowsOf(addresses: readonly Address[]): Promise<number> {
    this.log.push(`forget flows of ${addresses.map(formatAddress).toSorted().join(' ')}`);
    return Promise.resolve(0);
  }

  readSysctl(name: string): string {
    const value = this.settings.get(name);
    if (value === undefined) throw new KernelError({ operation: `read ${name}`, errno: ENOENT, errnoName: 'ENOENT' });
    return value;
  }

  writeSysctl(name: string, value: string): boolean {
    if (this.readSysctl(name) === value) return false;
    if (this.readOnly.has(name)) throw new KernelError({ operation: `write ${name}`, errno: 30, errnoName: 'EROFS' });
    this.settings.set(name, value);
    return true;
  }

  #linkAt(index: number): Link | undefined {
    return [...this.links.values()].find((link) => link.index === index);
  }
}
