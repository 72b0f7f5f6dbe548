import type { Client } from '../../client/client.js';
import { Ipam } from '../../ipam/ipam.js';
import { formatAddress, tryParseAddress } from '../../net/address.js';
import { line, type Result } from '../result.js';
import { assignAddress, isHeldBy } from './container-addresses.js';
import type { ContainerCall } from './container-attach.js';
import { endpointsOf, handleFor, handleOf, networkOf } from './container-store.js';
import type { StoredEndpoint } from './endpoints.js';

/** An endpoint and how its interface is called inside. */
interface Target {
  readonly endpoint: StoredEndpoint;
  readonly netns: string | number;
  readonly containerInterface: string;
}

const ABORTING = 'Interface provided does not exist in container. Aborting.';

async function targetsOf({ kernel, place }: ContainerCall, endpoints: readonly StoredEndpoint[], name?: string) {
  const targets: Target[] = [];
  let hasNamed = false;
  for (const endpoint of endpoints) {
    if (place.netns === undefined) break;
    const { netns } = place;
    const found = await kernel.findInterfaces({
      netns,
      hostInterface: endpoint.value.spec.interfaceName,
      ...(name === undefined ? {} : { name }),
    });
    hasNamed ||= found.hasNamed;
    if (found.attached !== undefined) targets.push({ endpoint, netns, containerInterface: found.attached });
  }
  return { targets, hasNamed };
}

/** The endpoint that the command means, or why it is not clear. */
async function findTarget(subject: ContainerCall, unknown: readonly string[]): Promise<Target | Result> {
  const { call, client, node, place } = subject;
  if (place.netns === undefined) return { errors: [`${place.typed} is not currently running.`] };
  const endpoints = await endpointsOf(client, node, place);
  if (endpoints.length === 0) return { errors: unknown };
  const name = call.find('interface');
  const { targets, hasNamed } = await targetsOf(subject, endpoints, name);
  if (name !== undefined && !hasNamed) return { errors: [ABORTING] };
  const fitting = targets.filter(({ containerInterface }) => name === undefined || containerInterface === name);
  const [target] = fitting;
  const names = targets.map(({ containerInterface }) => containerInterface).join(', ');
  if (target === undefined) {
    const hint =
      names === '' ? 'connect it again: calicoctl container remove, then add' : `those of Calico are ${names}`;
    return { errors: [`Interface ${name ?? ''} of ${place.typed} is none of Calico's.\n  hint: ${hint}`] };
  }
  if (fitting.length === 1) return target;
  return { errors: [`${place.typed} has several interfaces of Calico.\n  hint: choose with --interface: ${names}`] };
}

/** Changes the list of an endpoint's networks. */
async function editNetworks(
  client: Client,
  { key }: StoredEndpoint,
  edit: (networks: readonly string[]) => readonly string[],
): Promise<void> {
  await client.change(key, ({ spec, ...newest }) => ({
    ...newest,
    spec: { ...spec, ipNetworks: edit(spec.ipNetworks ?? []) },
  }));
}

/** container C ip add IP [--interface=I]: first the datastore, then the namespace. */
export async function addIp(subject: ContainerCall): Promise<Result> {
  const { call, client, kernel, node, place } = subject;
  const target = await findTarget(subject, [
    'Failed to add IP address to container.',
    `Container ${place.typed} is unknown to Calico.`,
    `Use "calicoctl container add" to add the container to the Calico network.`,
  ]);
  if (!('endpoint' in target)) return target;
  const { endpoint, netns, containerInterface } = target;
  const holder = { node, workload: place.workload, handleId: handleFor(endpoint) };
  const assigned = await assignAddress(client, call.word('ip'), holder);
  if ('refusal' in assigned) return { errors: [assigned.refusal] };
  const { address } = assigned;
  const network = networkOf(address);
  try {
    await editNetworks(client, endpoint, (networks) => [...networks.filter((other) => other !== network), network]);
    await kernel.addAddress({ netns, hostInterface: endpoint.value.spec.interfaceName, containerInterface, address });
  } catch (error) {
    // The failure is what there is to tell; `ipam check` finds what could not be undone.
    await Promise.allSettled([
      editNetworks(client, endpoint, (networks) => networks.filter((other) => other !== network)),
      new Ipam(client.datastore).releaseIps([{ address, handleId: holder.handleId }]),
    ]);
    throw error;
  }
  return { output: [line(`IP ${address} added to ${place.typed}`)] };
}

/** Of a command that was broken off: the endpoint has the address no more, and it was never released. */
async function isLeftOver(client: Client, { key }: StoredEndpoint, address: string): Promise<boolean> {
  return isHeldBy(client, address, handleOf(key.name));
}

/** container C ip remove IP [--interface=I] */
export async function removeIp(subject: ContainerCall): Promise<Result> {
  const { call, client, kernel, node, place } = subject;
  const parsed = tryParseAddress(call.word('ip'));
  if (parsed === undefined) return { errors: [`Invalid IP address specified: ${call.word('ip')}`] };
  const target = await findTarget(subject, [`Container ${place.typed} is unknown to Calico.`]);
  if (!('endpoint' in target)) return target;
  const { endpoint, netns, containerInterface } = target;
  const address = formatAddress(parsed);
  const network = networkOf(address);
  const isListed = endpoint.value.spec.ipNetworks?.includes(network) === true;
  if (!isListed && !(await isLeftOver(client, endpoint, address))) {
    return { errors: ['IP address is not assigned to container. Aborting.'] };
  }
  if (isListed) await editNetworks(client, endpoint, (networks) => networks.filter((other) => other !== network));
  await kernel.removeAddress({ netns, hostInterface: endpoint.value.spec.interfaceName, containerInterface, address });
  // What another host's workload has by now, though this endpoint listed it, stays with it.
  await new Ipam(client.datastore).releaseOfHost([address], node);
  return { output: [line(`IP ${address} removed from ${place.typed}`)] };
}
