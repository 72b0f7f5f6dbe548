import { type SpawnSyncReturns, execFileSync, spawnSync } from 'node:child_process';
import { until } from '../../../lab/processes.js';
import { Dataplane, type DataplaneDelta, type OpenOptions } from '../../../src/dataplane/dataplane.js';
import { EMPTY_ROUTING } from '../../../src/dataplane/host-plan.fake.js';
import { DEFAULT_SETTINGS, type DataplaneSettings } from '../../../src/dataplane/settings.js';
import { parseAddress } from '../../../src/net/address.js';
import { parsePrefix } from '../../../src/net/prefix.js';
import { deleteFlowsOf } from '../../../src/netlink/conntrack/flow.js';
import { changeLink, createVeth, findLink } from '../../../src/netlink/route/link.js';
import { replaceNeighbour } from '../../../src/netlink/route/neighbour.js';
import { replaceRoute } from '../../../src/netlink/route/route.js';
import { NetlinkSocket } from '../../../src/netlink/socket.js';
import type { EndpointPlan, HostPolicy, HostRouting, RoutePlan } from '../../../src/plan/host-plan.js';
import { NETLINK_NETFILTER, NETLINK_ROUTE } from '../../../src/sys/constants.js';
import { NetworkNamespace } from '../../../src/sys/namespace.js';
import { attachWorkload } from '../../../src/workload/attach.js';
import { PacketPort, type Probe, frameOf } from './packet-port.js';

export const HOST_MAC = 'ee:ee:ee:ee:ee:ee';

/** A workload of the test's host: a namespace of its own and a port that hears and sends frames in it. */
export interface TestWorkload {
  readonly namespace: NetworkNamespace;
  readonly port: PacketPort;
  readonly mac: string;
  readonly hostInterface: string;
  readonly addresses: readonly string[];
}

/** A host in a namespace of its own, with an uplink to a namespace outside it; its dataplane and workloads. */
export class TestHost {
  readonly namespace = NetworkNamespace.create();
  readonly outside = NetworkNamespace.create();
  readonly #netfilter = NetlinkSocket.open(NETLINK_NETFILTER, { namespace: this.namespace });
  readonly #route = NetlinkSocket.open(NETLINK_ROUTE, { namespace: this.namespace });
  readonly #workloads: TestWorkload[] = [];
  #dataplane: Dataplane | undefined;
  #probes = 0;

  static async make(): Promise<TestHost> {
    const host = new TestHost();
    await host.#connectOutside();
    return host;
  }

  /** Addresses 198.51.100.1 (host) and 198.51.100.2 (outside, which routes everything back), 2001:db8::1 and ::2. */
  async #connectOutside(): Promise<void> {
    await createVeth(this.#route, { name: 'up0', peer: { name: 'up1', namespace: this.outside } });
    const commands: readonly (readonly [NetworkNamespace, string])[] = [
      [this.namespace, 'link set up0 up'],
      [this.outside, 'link set up1 up'],
      [this.namespace, 'addr add 198.51.100.1/24 dev up0'],
      [this.namespace, 'addr add 2001:db8::1/64 dev up0 nodad'],
      [this.namespace, 'link set lo up'],
      [this.namespace, 'route add default via 198.51.100.2'],
      [this.namespace, 'route add default via 2001:db8::2'],
      [this.outside, 'link set lo up'],
      [this.outside, 'addr add 198.51.100.2/24 dev up1'],
      [this.outside, 'addr add 2001:db8::2/64 dev up1 nodad'],
      [this.outside, 'route add 192.168.0.0/16 via 198.51.100.1'],
      [this.outside, 'route add fd80:24e2:f998:72d6::/64 via 2001:db8::1'],
    ];
    for (const [namespace, command] of commands) {
      namespace.run(() => execFileSync('ip', [command.includes('::') ? '-6' : '-4', ...command.split(' ')]));
    }
  }

  async workload(name: string, addresses: readonly string[]): Promise<TestWorkload> {
    const namespace = NetworkNamespace.create();
    const hostInterface = `cali${name}`;
    const { containerIndex, hostIndex, mac } = await attachWorkload({
      netns: namespace,
      hostNetns: this.namespace,
      hostInterface,
      addresses,
      mtu: 1500,
    });
    // No discovery in between: a frame sent has arrived when the call returns.
    for (const address of addresses) {
      await replaceNeighbour(this.#route, { interfaceIndex: hostIndex, destination: parseAddress(address), mac });
    }
    const port = PacketPort.open(namespace, containerIndex);
    const workload = { namespace, port, mac, hostInterface, addresses };
    this.#workloads.push(workload);
    return workload;
  }

  /** Starts the dataplane, or another one in place of the one before, as after a crash. */
  async dataplane(settings: Partial<DataplaneSettings> = {}, options: OpenOptions = {}): Promise<Dataplane> {
    await this.#dataplane?.close();
    this.#dataplane = await Dataplane.open(
      { ...DEFAULT_SETTINGS, ...settings },
      { ...options, namespace: this.namespace.path },
    );
    return this.#dataplane;
  }

  /** Stops it; what it programmed stays. */
  async closeDataplane(): Promise<void> {
    await this.#dataplane?.close();
  }

  /** Applies and gives the number of kernel writes. */
  async apply(policy: HostPolicy, delta?: DataplaneDelta, routing: HostRouting = routingOf(policy)): Promise<number> {
    const dataplane = this.#dataplane ?? (await this.dataplane());
    const report = await dataplane.apply({ policy, routing }, delta);
    if (report.failures[0] !== undefined) throw report.failures[0];
    return report.kernelWrites;
  }

  /** Sends one packet from a workload; true when the other hears it. */
  async arrives(from: TestWorkload, to: TestWorkload, probe: Probe, timeoutMs = 4): Promise<boolean> {
    const marker = Buffer.from(`probe-${(this.#probes += 1)}-${process.pid}.`);
    to.port.drain();
    from.port.send(frameOf(probe, { from: from.mac, to: HOST_MAC }, marker));
    return to.port.hears(marker, timeoutMs);
  }

  /** What these addresses began is forgotten: the next packet is a first one. */
  async forgetFlows(...addresses: readonly string[]): Promise<void> {
    await deleteFlowsOf(this.#netfilter, addresses.map(parseAddress));
  }

  run(command: string, ...args: readonly string[]): string {
    return this.namespace.run(() => execFileSync(command, args, { encoding: 'utf8' }));
  }

  attempt(namespace: NetworkNamespace, command: string, ...args: readonly string[]): SpawnSyncReturns<string> {
    return namespace.run(() => spawnSync(command, args, { encoding: 'utf8' }));
  }

  pings(from: NetworkNamespace, address: string): boolean {
    return this.attempt(from, 'ping', '-c1', '-W1', '-n', address).status === 0;
  }

  async linkIndex(name: string): Promise<number> {
    return (await findLink(this.#route, name))?.index ?? 0;
  }

  async setLink(name: string, up: boolean): Promise<void> {
    await changeLink(this.#route, await this.linkIndex(name), { up });
  }

  async addRoute(destination: string, device: string, protocol: number): Promise<void> {
    const interfaceIndex = await this.linkIndex(device);
    await replaceRoute(this.#route, { destination: parsePrefix(destination), interfaceIndex, protocol });
  }

  async close(): Promise<void> {
    await this.#dataplane?.close();
    for (const { port, namespace } of this.#workloads) {
      port.close();
      namespace.close();
    }
    this.#netfilter.close();
    this.#route.close();
    this.outside.close();
    this.namespace.close();
  }
}

/** The routes of the endpoints' addresses, as routing plans them. */
export function routingOf(policy: HostPolicy): HostRouting {
  const routes = [...policy.endpoints.values()].flatMap((endpoint) => routesOf(endpoint));
  return { ...EMPTY_ROUTING, routes: new Map(routes.map((route) => [route.destination, route])) };
}

function routesOf({ interfaceName, addresses }: EndpointPlan): RoutePlan[] {
  return addresses.map((destination) => ({
    destination,
    type: 'unicast',
    device: interfaceName,
    scope: 'link',
    protocol: 3,
    metric: 1024,
  }));
}

/** {@link until}, often. @returns how long it took, in milliseconds */
export async function eventually(
  what: string,
  check: () => boolean | Promise<boolean>,
  deadlineMs = 5_000,
): Promise<number> {
  const start = performance.now();
  await until(what, check, { deadlineMs, everyMs: 1 });
  return performance.now() - start;
}
