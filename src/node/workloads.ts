import { workloadEndpointName } from '../api/names.js';
import { API_VERSION } from '../api/meta.js';
import type { WorkloadEndpoint } from '../api/kinds/workload-endpoint.js';
import { ConflictError, ifFound, NotFoundError } from '../base/errors.js';
import type { Client } from '../client/client.js';
import type { Ipam } from '../ipam/ipam.js';
import type {
  AttachedWorkload,
  CompleteAddressesRequest,
  CompleteAttachRequest,
  DetachedWorkload,
  RemovalRequest,
} from '../localapi/protocol.js';
import { endpointInterfaceName, podInterfaceName } from '../net/interface-name.js';
import type { WorkloadAddress } from '../workload/address.js';
import type { Attached, Attachment } from '../workload/attach.js';
import { identityOf, toHostPrefix, WorkloadAddresses, type WorkloadIdentity } from './workload-addresses.js';

/** What reaches the kernel, so that tests can stand in for it. */
export interface WorkloadKernel {
  attach(attachment: Attachment): Promise<Attached>;
  detach(options: { readonly hostInterface: string }): Promise<boolean>;
  addAddress(address: WorkloadAddress): Promise<void>;
  removeAddress(address: WorkloadAddress): Promise<boolean>;
  /** For interfaces that nobody gave an MTU. */
  mtu(): Promise<number>;
}

export interface WorkloadsOptions {
  readonly client: Client;
  readonly ipam: Ipam;
  readonly hostname: string;
  readonly kernel: WorkloadKernel;
}

/** A container's id, as engines give: long and hexadecimal. */
const CONTAINER_ID = /^[0-9a-f]{12,}$/;

function identityFields(
  request: CompleteAttachRequest,
): Pick<WorkloadEndpoint['spec'], 'containerID' | 'pod' | 'workload'> {
  switch (request.orchestrator) {
    case 'cni':
      return { containerID: request.workload };
    case 'k8s':
      return { pod: request.workload };
    default:
      return { workload: request.workload };
  }
}

function interfaceNameOf(request: CompleteAttachRequest, name: string): string {
  if (request.interfaceName !== undefined) return request.interfaceName;
  const isContainer = CONTAINER_ID.test(request.workload) && request.endpoint === 'eth0';
  return isContainer ? endpointInterfaceName(request.workload) : podInterfaceName(request.namespace, name);
}

/**
 * Workloads of this host: addresses, cable and WorkloadEndpoint together, or none of them. Policy is the agent's: it sees the endpoint
 * and programs it; until then the cable carries nothing.
 */
export class Workloads {
  readonly #client: Client;
  readonly #addresses: WorkloadAddresses;
  readonly #hostname: string;
  readonly #kernel: WorkloadKernel;
  /** Work on one endpoint is done in its order. */
  readonly #busy = new Map<string, Promise<unknown>>();

  constructor({ client, ipam, hostname, kernel }: WorkloadsOptions) {
    this.#client = client;
    this.#addresses = new WorkloadAddresses(ipam, hostname);
    this.#hostname = hostname;
    this.#kernel = kernel;
  }

  /**
   * Connects a network namespace. A workload that is attached already keeps its addresses and gets a new cable.
   *
   * @throws {CalicoError} `ERR_CALI_NODE_NO_ADDRESS` the pools are used up; what IPAM, the kernel or the datastore refused. Nothing is left
   */
  attach(request: CompleteAttachRequest): Promise<AttachedWorkload> {
    const identity = this.#identify(request);
    return this.#inOrder(identity, () => this.#attach(request, identity));
  }

  /** Takes everything of a workload away: cable, endpoint, addresses. What is gone already is fine. */
  detach(namespace: string, name: string): Promise<DetachedWorkload> {
    const identity = identityOf(namespace, name);
    return this.#inOrder(identity, () => this.#detach(identity));
  }

  /** The endpoints of this host, by namespace and name. */
  async list(): Promise<readonly WorkloadEndpoint[]> {
    const all = await this.#client.list('WorkloadEndpoint');
    return all.map(({ value }) => value).filter(({ spec }) => spec.node === this.#hostname);
  }

  /** @throws {NotFoundError} @throws {ConflictError} it is on another host */
  async get(namespace: string, name: string): Promise<WorkloadEndpoint> {
    return this.#required(identityOf(namespace, name));
  }

  /**
   * Gives an attached workload more addresses; those it has already stay as they are.
   *
   * @throws {CalicoError} as {@link attach}; nothing is left of it
   */
  addAddresses(namespace: string, name: string, request: CompleteAddressesRequest): Promise<WorkloadEndpoint> {
    const identity = identityOf(namespace, name);
    return this.#inOrder(identity, () => this.#addAddresses(identity, request));
  }

  /** Takes one address away and gives it back to its pool. @throws {NotFoundError} the workload does not have it */
  removeAddress(
    identified: { readonly namespace: string; readonly name: string },
    address: string,
    request: RemovalRequest,
  ): Promise<WorkloadEndpoint> {
    const identity = identityOf(identified.namespace, identified.name);
    return this.#inOrder(identity, () => this.#removeAddress(identity, toHostPrefix(address), request));
  }

  #identify(request: CompleteAttachRequest): WorkloadIdentity {
    const { orchestrator, endpoint, namespace } = request;
    const node = this.#hostname;
    const name = workloadEndpointName({ node, orchestrator, endpoint, ...identityFields(request) });
    return identityOf(namespace, name);
  }

  async #inOrder<T>({ namespace, name }: WorkloadIdentity, work: () => Promise<T>): Promise<T> {
    const key = `${namespace}/${name}`;
    const before = this.#busy.get(key) ?? Promise.resolve();
    const done = before.then(work);
    // The next one waits for this one however it ends.
    const settled = done.then(
      () => undefined,
      () => undefined,
    );
    this.#busy.set(key, settled);
    try {
      return await done;
    } finally {
      if (this.#busy.get(key) === settled) this.#busy.delete(key);
    }
  }

  async #attach(request: CompleteAttachRequest, identity: WorkloadIdentity): Promise<AttachedWorkload> {
    const stored = await this.#stored(identity);
    const interfaceName = interfaceNameOf(request, identity.name);
    const had = stored?.spec.ipNetworks ?? [];
    const kept = request.addresses === undefined ? stored?.spec.ipNetworks : undefined;
    const addresses = kept ?? (await this.#addresses.assign(request, identity, request.workload));
    const releaseBut = (prefixes: readonly string[], others: readonly string[]) =>
      this.#addresses.release(
        prefixes.filter((prefix) => !others.includes(prefix)),
        identity,
      );
    try {
      const { mac, hostMac } = await this.#kernel.attach({
        netns: request.netns,
        hostInterface: interfaceName,
        containerInterface: request.endpoint,
        addresses,
        mtu: request.mtu ?? (await this.#kernel.mtu()),
        ...(request.mac === undefined ? {} : { mac: request.mac }),
      });
      await this.#client.apply(this.#endpoint(request, identity, { addresses, interfaceName, mac }));
      // It has others now. What cannot be given back at once is released with the workload.
      await Promise.allSettled([releaseBut(had, addresses)]);
      return { ...publicName(identity), interfaceName, addresses: [...addresses], mac, hostMac };
    } catch (error) {
      if (stored === undefined) await this.#undo(interfaceName, identity);
      else await Promise.allSettled([releaseBut(addresses, had)]);
      throw error;
    }
  }

  #endpoint(
    request: CompleteAttachRequest,
    { name, namespace }: WorkloadIdentity,
    made: { readonly addresses: readonly string[]; readonly interfaceName: string; readonly mac: string },
  ): WorkloadEndpoint {
    return {
      apiVersion: API_VERSION,
      kind: 'WorkloadEndpoint',
      metadata: { name, namespace, labels: request.labels },
      spec: {
        orchestrator: request.orchestrator,
        node: this.#hostname,
        ...identityFields(request),
        endpoint: request.endpoint,
        ipNetworks: [...made.addresses],
        interfaceName: made.interfaceName,
        mac: made.mac,
        profiles: request.profiles,
      },
    };
  }

  async #stored({ name, namespace }: WorkloadIdentity): Promise<WorkloadEndpoint | undefined> {
    return (await this.#client.find({ kind: 'WorkloadEndpoint', namespace, name }))?.value;
  }

  async #required(identity: WorkloadIdentity): Promise<WorkloadEndpoint> {
    const stored = await this.#stored(identity);
    if (stored === undefined) {
      const { namespace, name } = identity;
      throw new NotFoundError('ERR_CALI_NODE_NO_WORKLOAD', `there is no workload "${namespace}/${name}"`, {
        hint: 'list them with GET /v1/workloads, or: calicoctl get workloadendpoints -A',
      });
    }
    this.#requireOwn(stored);
    return stored;
  }

  #requireOwn({ metadata: { namespace = '', name }, spec: { node } }: WorkloadEndpoint): void {
    if (node === this.#hostname) return;
    throw new ConflictError(
      'ERR_CALI_NODE_OTHER_HOST',
      `workload "${namespace}/${name}" is on node "${node}", not on "${this.#hostname}"`,
    );
  }

  async #addAddresses(identity: WorkloadIdentity, request: CompleteAddressesRequest): Promise<WorkloadEndpoint> {
    const stored = await this.#required(identity);
    const { spec } = stored;
    const had = spec.ipNetworks ?? [];
    const owner = spec.containerID ?? spec.pod ?? spec.workload ?? '';
    const wanted = await this.#addresses.assignMore(request, identity, owner);
    const added = wanted.filter((prefix) => !had.includes(prefix));
    const done: string[] = [];
    try {
      for (const prefix of added) {
        await this.#kernel.addAddress(cableOf(stored, request, prefix));
        done.push(prefix);
      }
      return await this.#changeAddresses(identity, (now) => [...new Set([...now, ...added])]);
    } catch (error) {
      // The error is the one to tell: what cannot be undone is released with the workload.
      const removed = done.map((prefix) => this.#kernel.removeAddress(cableOf(stored, request, prefix)));
      await Promise.allSettled([...removed, this.#addresses.release(added, identity)]);
      throw error;
    }
  }

  async #removeAddress(identity: WorkloadIdentity, prefix: string, request: RemovalRequest): Promise<WorkloadEndpoint> {
    const stored = await this.#required(identity);
    const had = stored.spec.ipNetworks ?? [];
    if (!had.includes(prefix)) {
      const address = prefix.replace(/\/.*$/, '');
      const { namespace, name } = identity;
      throw new NotFoundError('ERR_CALI_NODE_NO_WORKLOAD', `workload "${namespace}/${name}" does not have ${address}`, {
        hint: `it has ${had.length === 0 ? 'none' : had.join(', ')}`,
      });
    }
    await this.#kernel.removeAddress(cableOf(stored, request, prefix));
    const kept = await this.#changeAddresses(identity, (now) => now.filter((other) => other !== prefix));
    await this.#addresses.release([prefix], identity);
    return kept;
  }

  /** Whatever else of the endpoint others change at the same moment stays as they have it. */
  async #changeAddresses(
    { namespace, name }: WorkloadIdentity,
    edit: (now: readonly string[]) => readonly string[],
  ): Promise<WorkloadEndpoint> {
    const { value } = await this.#client.change({ kind: 'WorkloadEndpoint', namespace, name }, (stored) => ({
      ...stored,
      spec: { ...stored.spec, ipNetworks: edit(stored.spec.ipNetworks ?? []) },
    }));
    return value;
  }

  async #detach(identity: WorkloadIdentity): Promise<DetachedWorkload> {
    const stored = await this.#stored(identity);
    if (stored !== undefined) this.#requireOwn(stored);
    if (stored !== undefined) {
      await this.#kernel.detach({ hostInterface: stored.spec.interfaceName });
      await this.#deleteEndpoint(identity);
    }
    const hadAddresses = await this.#addresses.releaseAll(identity);
    return { wasAttached: stored !== undefined || hadAddresses };
  }

  /** Whoever was quicker did the same. */
  async #deleteEndpoint({ name, namespace }: WorkloadIdentity): Promise<void> {
    await ifFound(this.#client.datastore.delete({ kind: 'WorkloadEndpoint', namespace, name }));
  }

  /** After a failure, whose error is the one to tell: what cannot be undone now, the next attempt undoes. */
  async #undo(interfaceName: string, identity: WorkloadIdentity): Promise<void> {
    const detached = this.#kernel.detach({ hostInterface: interfaceName });
    await Promise.allSettled([detached, this.#addresses.releaseAll(identity)]);
  }
}

/** The cable of a workload, for work on one of its addresses. */
function cableOf(
  { spec }: WorkloadEndpoint,
  { netns }: Pick<RemovalRequest, 'netns'>,
  address: string,
): WorkloadAddress {
  return { netns, hostInterface: spec.interfaceName, containerInterface: spec.endpoint ?? 'eth0', address };
}

function publicName({ name, namespace }: WorkloadIdentity) {
  return { name, namespace };
}
