import type { DockerCluster } from '../../lab/docker-cluster.js';
import { until } from '../../lab/processes.js';

/** Addresses and interfaces of a host's containers on Calico networks, as each of those sees them who must agree. */
export interface Census {
  /** What the engine shows of containers that run. */
  readonly engine: readonly string[];
  /** What endpoints in the datastore have. */
  readonly endpoints: readonly string[];
  /** What IPAM holds for the host's Docker. */
  readonly ipam: readonly string[];
  /** Host interfaces of endpoints, and in the kernel. */
  readonly wantedInterfaces: readonly string[];
  readonly interfaces: readonly string[];
}

/** @throws {CalicoError} the engine does not answer */
export async function census(hosts: DockerCluster, host: string): Promise<Census> {
  const { api } = hosts.engine(host);
  const networks = await api.listNetworks();
  const ours = new Set(networks.filter(({ driver }) => driver === 'calico').map(({ id }) => id));
  const engine = (await api.listContainers())
    .filter(({ state }) => state === 'running')
    .flatMap(({ places }) =>
      places.filter(({ networkId }) => ours.has(networkId)).flatMap(({ addresses }) => addresses),
    );
  const specs = (await hosts.cluster.client.list('WorkloadEndpoint', 'libnetwork'))
    .map(({ value }) => value.spec)
    .filter(({ node }) => node === host);
  const blocks = (await hosts.cluster.datastore.list('IPAMBlock')).items.map(({ value }) => value);
  const held = blocks.reduce((sum, block) => {
    const mine = block.allocations.filter(
      (index) => index !== null && block.attributes[index]?.handle_id === `libnetwork.${host}`,
    );
    return sum + mine.length;
  }, 0);
  const handles = held === 0 ? [] : await hosts.cluster.ipam.addressesByHandle(`libnetwork.${host}`);
  const links =
    (await hosts.lab.host(host).exec(['ip', '-o', 'link'])).stdout.match(/(?:cali|temp)[0-9a-f]{11}/g) ?? [];
  return {
    engine: engine.toSorted(),
    endpoints: specs
      .flatMap(({ ipNetworks }) => ipNetworks ?? [])
      .map((text) => text.replace(/\/\d+$/, ''))
      .toSorted(),
    ipam: [...handles].toSorted(),
    wantedInterfaces: specs.map(({ interfaceName }) => interfaceName).toSorted(),
    interfaces: [...new Set(links)].toSorted(),
  };
}

/** Until engine, datastore and kernel tell the same story: for each running container what it needs, and not one thing more. */
export async function untilNothingIsLeft(hosts: DockerCluster, host: string): Promise<Census> {
  let last: Census | undefined;
  await until(
    `nothing left behind on ${host}`,
    async () => {
      last = await census(hosts, host);
      const { engine, endpoints, ipam, wantedInterfaces, interfaces } = last;
      const agrees = [endpoints, ipam].every((each) => each.join() === engine.join());
      if (!agrees || wantedInterfaces.join() !== interfaces.join()) throw new Error(JSON.stringify(last));
      return true;
    },
    { deadlineMs: 100_000, everyMs: 500 },
  );
  if (last === undefined) throw new Error('unreachable: the wait has ended');
  return last;
}
