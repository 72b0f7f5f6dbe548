import { workloadEndpointNamePrefix } from '../../api/names.js';
import { DOCKER_NAMESPACE } from '../../docker/endpoints.js';
import type { Client } from '../../client/client.js';
import type { Result } from '../result.js';
import type { ContainerPlace } from './container-place.js';
import type { StoredEndpoint } from './endpoints.js';

/** Where the first era's endpoints live. */
export const NAMESPACE = 'default';

export function unknownContainer(typed: string): Result {
  return { errors: [`Container ${typed} is unknown to Calico.`] };
}

/** The handle of an endpoint's addresses. */
export function handleOf(name: string): string {
  return `${NAMESPACE}.${name}`;
}

/** The handle for one more address of an endpoint: Docker's plugin looks after those of its own endpoints. */
export function handleFor({ key, value }: StoredEndpoint): string {
  return value.spec.orchestrator === 'libnetwork' ? `libnetwork.${value.spec.node}` : handleOf(key.name);
}

/** `192.0.2.7` → `192.0.2.7/32`. */
export function networkOf(address: string): string {
  return `${address}/${address.includes(':') ? 128 : 32}`;
}

/** Endpoints of this node by orchestrator: by the beginning of their names, which is cheap however many others there are. */
async function endpointsOn(client: Client, node: string, orchestrator: string): Promise<readonly StoredEndpoint[]> {
  const namePrefix = workloadEndpointNamePrefix(node, orchestrator);
  const namespace = orchestrator === 'libnetwork' ? DOCKER_NAMESPACE : NAMESPACE;
  const { items } = await client.datastore.list('WorkloadEndpoint', { namespace, namePrefix });
  return items;
}

/** The endpoints of a container on this host: its own, then those on Docker networks. */
export async function endpointsOf(
  client: Client,
  node: string,
  { orchestrator, workload, dockerEndpoints }: ContainerPlace,
): Promise<readonly StoredEndpoint[]> {
  const own = (await endpointsOn(client, node, orchestrator)).filter(({ value }) => value.spec.workload === workload);
  if (dockerEndpoints.length === 0) return own;
  const onNetworks = (await endpointsOn(client, node, 'libnetwork')).filter(({ value }) =>
    dockerEndpoints.includes(value.spec.endpoint ?? ''),
  );
  return [...own, ...onNetworks];
}

/** A container that Docker has forgotten, by its id or the beginning of it: what it left can still be taken away. */
export async function findForgotten(client: Client, node: string, typed: string): Promise<ContainerPlace | undefined> {
  if (!/^[0-9a-f]{4,64}$/.test(typed)) return undefined;
  const ids = new Set(
    (await endpointsOn(client, node, 'docker'))
      .map(({ value }) => value.spec.workload ?? '')
      .filter((id) => id.startsWith(typed)),
  );
  const [workload] = ids;
  if (workload === undefined || ids.size > 1) return undefined;
  return {
    typed,
    orchestrator: 'docker',
    workload,
    netns: undefined,
    isOnHostNetwork: false,
    dockerEndpoints: [],
  };
}
