import type { Address } from '../net/address.js';
import { deleteFlowsOf } from '../netlink/conntrack/flow.js';
import { type Link, listLinks } from '../netlink/route/link.js';
import {
  type Neighbour,
  type NewNeighbour,
  deleteNeighbour,
  listNeighbours,
  replaceNeighbour,
} from '../netlink/route/neighbour.js';
import { type Route, type RouteChange, changeRoutes, listRoutes } from '../netlink/route/route.js';
import { RT_TABLE_MAIN } from '../netlink/route/constants.js';
import { NetlinkSocket, type Refusal } from '../netlink/socket.js';
import { NETLINK_NETFILTER, NETLINK_ROUTE } from '../sys/constants.js';
import { NetworkNamespace } from '../sys/namespace.js';
import { readSysctl, writeSysctl } from '../sys/sysctl.js';

/** What the dataplane does to the kernel beside nf_tables. The fake (`host-kernel.fake.ts`) keeps the same promises. */
export interface HostKernel {
  listLinks(): Promise<readonly Link[]>;
  /** Routes of table main, both families. */
  listRoutes(): Promise<readonly Route[]>;
  /** In order; one refused does not stop the others. Deleting what is not there is no failure. */
  changeRoutes(changes: readonly RouteChange[]): Promise<readonly Refusal[]>;
  /** Neighbour entries, not proxied addresses. */
  listNeighbours(): Promise<readonly Neighbour[]>;
  replaceNeighbour(neighbour: NewNeighbour): Promise<void>;
  deleteNeighbour(neighbour: NewNeighbour): Promise<boolean>;
  /** Forgets the connections that these addresses began or answer; gives their number. */
  deleteFlowsOf(addresses: readonly Address[]): Promise<number>;
  /** @throws {KernelError} ENOENT when the kernel or the interface has no such setting */
  readSysctl(name: string): string;
  /** Writes only when the value differs; true when it did. @throws {KernelError} */
  writeSysctl(name: string, value: string): boolean;
}

/** The kernel of this machine, in one network namespace. */
export class RealHostKernel implements HostKernel {
  readonly #namespace: NetworkNamespace;
  readonly #route: NetlinkSocket;
  readonly #netfilter: NetlinkSocket;

  private constructor(namespace: NetworkNamespace) {
    this.#namespace = namespace;
    this.#route = NetlinkSocket.open(NETLINK_ROUTE, { namespace });
    this.#netfilter = NetlinkSocket.open(NETLINK_NETFILTER, { namespace });
  }

  /**
   * @param namespace path or process id; the namespace of this process when left out
   * @throws {KernelError} no such namespace, or no netlink
   */
  static open(namespace?: string | number): RealHostKernel {
    return new RealHostKernel(namespace === undefined ? NetworkNamespace.current() : NetworkNamespace.open(namespace));
  }

  /** What the kernel names as the cause of our changes to links and routes. */
  get routePortId(): number {
    return this.#route.portId;
  }

  get namespace(): NetworkNamespace {
    return this.#namespace;
  }

  async listLinks(): Promise<readonly Link[]> {
    return listLinks(this.#route);
  }

  async listRoutes(): Promise<readonly Route[]> {
    return listRoutes(this.#route, { table: RT_TABLE_MAIN });
  }

  async changeRoutes(changes: readonly RouteChange[]): Promise<readonly Refusal[]> {
    return changeRoutes(this.#route, changes);
  }

  async listNeighbours(): Promise<readonly Neighbour[]> {
    return listNeighbours(this.#route);
  }

  async replaceNeighbour(neighbour: NewNeighbour): Promise<void> {
    return replaceNeighbour(this.#route, neighbour);
  }

  async deleteNeighbour(neighbour: NewNeighbour): Promise<boolean> {
    return deleteNeighbour(this.#route, neighbour);
  }

  async deleteFlowsOf(addresses: readonly Address[]): Promise<number> {
    return deleteFlowsOf(this.#netfilter, addresses);
  }

  readSysctl(name: string): string {
    return this.#namespace.run(() => readSysctl(name));
  }

  writeSysctl(name: string, value: string): boolean {
    return this.#namespace.run(() => {
      if (readSysctl(name) === value) return false;
      writeSysctl(name, value);
      return true;
    });
  }

  close(): void {
    this.#route.close();
    this.#netfilter.close();
    this.#namespace.close();
  }

  [Symbol.dispose](): void {
    this.close();
  }
}
