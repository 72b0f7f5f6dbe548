import { randomUUID } from 'node:crypto';
import type { WorkloadEndpoint } from '../../api/kinds/workload-endpoint.js';
import { API_VERSION } from '../../api/meta.js';
import { workloadEndpointName } from '../../api/names.js';
import type { Client } from '../../client/client.js';
import { Ipam } from '../../ipam/ipam.js';
import { endpointInterfaceName, isInterfaceName } from '../../net/interface-name.js';
import type { Context } from '../command.js';
import { line, type Result } from '../result.js';
import { assignAddress, releaseAll } from './container-addresses.js';
import type { ContainerKernel } from './container-kernel.js';
import type { ContainerPlace } from './container-place.js';
import { endpointsOf, handleOf, NAMESPACE, networkOf, unknownContainer } from './container-store.js';
import type { TypedCall } from './perform.js';

const DEFAULT_INTERFACE = 'eth1';

/** A command on a container, with all it needs. */
export interface ContainerCall {
  readonly call: TypedCall;
  readonly context: Context;
  readonly client: Client;
  readonly kernel: ContainerKernel;
  readonly node: string;
  readonly place: ContainerPlace;
}

function refuseToAdd({ typed, netns, isOnHostNetwork }: ContainerPlace): Result | undefined {
  if (netns === undefined) return { errors: [`${typed} is not currently running.`] };
  if (isOnHostNetwork) return { errors: [`Can't add ${typed} to Calico because it is running NetworkMode = host.`] };
  return undefined;
}

/** container add C IP [--interface=I] */
export async function addContainer({ call, client, kernel, node, place }: ContainerCall): Promise<Result> {
  const refusal = refuseToAdd(place);
  if (refusal !== undefined || place.netns === undefined) return refusal ?? {};
  if ((await endpointsOf(client, node, place)).length > 0) {
    return { errors: [`${place.typed} has already been configured with Calico Networking.`] };
  }
  const containerInterface = call.find('interface') ?? DEFAULT_INTERFACE;
  if (!isInterfaceName(containerInterface)) {
    const hint = 'at most 15 characters, none of them a blank, "/" or ":"';
    return { errors: [`"${containerInterface}" is not a name for an interface\n  hint: ${hint}`] };
  }
  const endpoint = randomUUID().replaceAll('-', '');
  const identity = { node, orchestrator: place.orchestrator, workload: place.workload, endpoint };
  const name = workloadEndpointName(identity);
  const hostInterface = endpointInterfaceName(endpoint);
  const handleId = handleOf(name);
  const assigned = await assignAddress(client, call.word('ip'), { node, workload: place.workload, handleId });
  if ('refusal' in assigned) return { errors: [assigned.refusal] };
  const { address } = assigned;
  try {
    const { mac } = await kernel.attach({
      netns: place.netns,
      hostInterface,
      containerInterface,
      addresses: [address],
      mtu: await kernel.mtu(),
    });
    await client.create({
      apiVersion: API_VERSION,
      kind: 'WorkloadEndpoint',
      metadata: { name, namespace: NAMESPACE },
      spec: { ...identity, ipNetworks: [networkOf(address)], interfaceName: hostInterface, mac, profiles: [] },
    } satisfies WorkloadEndpoint);
  } catch (error) {
    // The failure is what there is to tell; `ipam check` finds what could not be undone.
    await Promise.allSettled([kernel.detach({ hostInterface }), releaseAll(client, handleId)]);
    throw error;
  }
  return { output: [line(`IP ${address} added to ${place.typed}`)] };
}

/** container remove C */
export async function removeContainer({ client, kernel, node, place }: ContainerCall): Promise<Result> {
  const all = await endpointsOf(client, node, place);
  const own = all.filter(({ value }) => value.spec.orchestrator === place.orchestrator);
  if (own.length === 0 && all.length > 0) {
    return {
      errors: [
        `${place.typed} is on a network of Docker.\n  hint: take it off with: docker network disconnect NETWORK ${place.typed}`,
      ],
    };
  }
  if (own.length === 0) return unknownContainer(place.typed);
  for (const { key, value } of own) {
    await kernel.detach({ hostInterface: value.spec.interfaceName });
    await client.delete(key);
    const addresses = (value.spec.ipNetworks ?? []).map((network) => network.replace(/\/\d+$/, ''));
    await new Ipam(client.datastore).releaseOfHost(addresses, node);
    await releaseAll(client, handleOf(key.name));
  }
  return { output: [line(`Removed Calico from ${place.typed}`)] };
}
