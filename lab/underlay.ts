import type { LabHost } from './host.js';
import { ipBatch, setSysctls } from './namespaces.js';
import { addressOf } from './topology.js';
import type { Topology } from './topology.js';

/** One bridge a subnet with the router's address on it, one cable a host; the namespace forwards between the subnets. */
export async function wireUnderlay(
  topology: Topology,
  underlay: LabHost,
  hosts: ReadonlyMap<string, LabHost>,
): Promise<void> {
  const bridges = topology.subnets.flatMap((subnet) => {
    const bridge = `br-${subnet.name}`;
    const router = addressOf(subnet, 1);
    return [
      `link add ${bridge} type bridge mcast_snooping 0`,
      `addr add ${router.ipv4}/24 dev ${bridge}`,
      `addr add ${router.ipv6}/64 dev ${bridge} nodad`,
      `link set ${bridge} up`,
    ];
  });
  const cables = topology.hosts.flatMap((spec, index) => [
    `link add up${index} type veth peer name eth0 netns ${hosts.get(spec.name)?.init.pid ?? 0}`,
    `link set up${index} master br-${spec.subnet} up`,
  ]);
  await setSysctls(underlay.init.pid, { 'net/ipv4/ip_forward': '1', 'net/ipv6/conf/all/forwarding': '1' });
  await ipBatch(underlay.init.pid, [...bridges, ...cables]);
}

/** The host's end of its cable: addresses, default routes, and the names of all hosts. */
export async function wireHost(topology: Topology, host: LabHost): Promise<void> {
  const { ipv4, ipv6, ipv4Gateway, ipv6Gateway } = host.addresses;
  await ipBatch(host.init.pid, [
    `addr add ${ipv4}/24 dev eth0`,
    `addr add ${ipv6}/64 dev eth0 nodad`,
    'link set eth0 up',
    `route add default via ${ipv4Gateway} dev eth0`,
    `route add default via ${ipv6Gateway} dev eth0`,
  ]);
  const names = topology.hosts.flatMap((spec) => {
    const subnet = topology.subnets.find((candidate) => candidate.name === spec.subnet);
    return subnet === undefined ? [] : [`${addressOf(subnet, spec.number).ipv4} ${spec.name}`];
  });
  host.writeFile('/etc/hosts', ['127.0.0.1 localhost', '::1 localhost', ...names, ''].join('\n'));
}
