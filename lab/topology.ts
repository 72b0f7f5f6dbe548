import { CalicoError } from '../src/base/errors.js';

/** A subnet of the underlay. The router between subnets has the first address of each. */
export interface Subnet {
  readonly name: string;
  /** `172.18.18.0/24`: a /24, so that host numbers are last bytes. */
  readonly ipv4: string;
  /** `2001:db8:18::/64` */
  readonly ipv6: string;
}

export interface HostSpec {
  readonly name: string;
  /** Name of its subnet. */
  readonly subnet: string;
  /** Last byte (IPv4) and last group, written in decimal digits (IPv6), of its address. */
  readonly number: number;
}

/** The underlay's router as a BGP speaker. Without, it forwards between the subnets and knows nothing of blocks. */
export interface RouterSpec {
  readonly asNumber: number;
  /** True: a route reflector, in the hosts' own AS; else it stands in another AS than any host. */
  readonly reflects?: boolean;
}

/** What a lab is made of: a value; building it is `Lab.start()`'s part. */
export interface Topology {
  readonly name: string;
  readonly subnets: readonly Subnet[];
  readonly hosts: readonly HostSpec[];
  /** Whether an etcd runs in the underlay, on the router's first IPv4 address, port 2379. */
  readonly etcd: boolean;
  /** That etcd also serves its first API, in which Docker engines up to 20.10 keep the networks they share. */
  readonly engineStore?: boolean;
  /** Needs BIRD (`bird2`) on the machine. */
  readonly router?: RouterSpec;
}

export interface HostAddresses {
  readonly ipv4: string;
  readonly ipv6: string;
  readonly ipv4Gateway: string;
  readonly ipv6Gateway: string;
}

export const subnetA: Subnet = { name: 'a', ipv4: '172.18.18.0/24', ipv6: '2001:db8:18::/64' };
export const subnetB: Subnet = { name: 'b', ipv4: '172.18.19.0/24', ipv6: '2001:db8:19::/64' };

/** `count` hosts in one subnet, named calico-01 and so on from `first`. */
export function hostsIn(subnet: Subnet, count: number, first = 1): readonly HostSpec[] {
  return Array.from({ length: count }, (_, index) => ({
    name: `calico-${String(first + index).padStart(2, '0')}`,
    subnet: subnet.name,
    number: 10 + first + index,
  }));
}

/** `count` hosts in one subnet. */
export function oneSubnet(count: number): Topology {
  return { name: `hosts-${count}`, subnets: [subnetA], hosts: hostsIn(subnetA, count), etcd: true };
}

/** calico-01 and calico-02 share a subnet, calico-03 sits in another, behind the router. */
export function twoSubnets(): Topology {
  return {
    name: 'two-subnets',
    subnets: [subnetA, subnetB],
    hosts: [...hostsIn(subnetA, 2), ...hostsIn(subnetB, 1, 3)],
    etcd: true,
  };
}

/** As {@link twoSubnets}, and the router between the subnets speaks BGP, as AS 64513 unless told otherwise. */
export function twoSubnetsRouted(router: RouterSpec = { asNumber: 64_513 }): Topology {
  return { ...twoSubnets(), name: router.reflects === true ? 'two-subnets-reflected' : 'two-subnets-routed', router };
}

/** One host and nothing else: for what needs a kernel, not a cluster. */
export function loneHost(): Topology {
  return { ...oneSubnet(1), name: 'lone-host', etcd: false };
}

/** The topologies the command line knows by name. */
export const topologies: Readonly<Record<string, () => Topology>> = {
  'two-subnets': twoSubnets,
  'two-subnets-routed': () => twoSubnetsRouted(),
  'one-subnet': () => ({ ...oneSubnet(2), name: 'one-subnet' }),
  'lone-host': loneHost,
};

/** Address number `number` of a subnet, without prefix length. */
export function addressOf(subnet: Subnet, number: number): { ipv4: string; ipv6: string } {
  return {
    ipv4: subnet.ipv4.replace(/\d+\/24$/, String(number)),
    ipv6: subnet.ipv6.replace(/\/64$/, String(number)),
  };
}

/** @throws {CalicoError} the host names a subnet the topology does not have */
export function addressesOf(topology: Topology, host: HostSpec): HostAddresses {
  const subnet = topology.subnets.find((candidate) => candidate.name === host.subnet);
  if (subnet === undefined) {
    throw new CalicoError('ERR_CALI_LAB_TOPOLOGY', `host "${host.name}": there is no subnet "${host.subnet}"`);
  }
  const router = addressOf(subnet, 1);
  return { ...addressOf(subnet, host.number), ipv4Gateway: router.ipv4, ipv6Gateway: router.ipv6 };
}
