import { workloadEndpointName } from '../api/names.js';
import { API_VERSION } from '../api/meta.js';
import type { WorkloadEndpoint } from '../api/kinds/workload-endpoint.js';
import { AlreadyExistsError, CalicoError, ConflictError, NotFoundError } from '../base/errors.js';
import type { Client } from '../client/client.js';
import { explainShortfall, type Ipam } from '../ipam/ipam.js';
import type { AttachedWorkload, CompleteAttachRequest, DetachedWorkload } from '../localapi/protocol.js';
import { endpointInterfaceName, podInterfaceName } from '../net/interface-name.js';
import { formatPrefix, parsePrefix } from '../net/prefix.js';
import type { Attached, Attachment } from '../workload/attach.js';

/** What reaches the kernel, so that tests can stand in for it. */
export interface WorkloadKernel {
  attach(attachment: Attachment): Promise<Attached>;
  detach(options: { readonly hostInterface: string }): Promise<boolean>;
  /** For interfaces that nobody gave an MTU. */
  mtu(): Promise<number>;
}

export interface WorkloadsOptions {
  readonly client: Client;
  readonly ipam: Ipam;
  readonly hostname: string;
  readonly kernel: WorkloadKernel;
}

interface Identity {
  readonly name: string;
  readonly namespace: string;
  readonly handleId: string;
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

function toHostPrefix(text: string): string {
  return formatPrefix(parsePrefix(text.replace(/\/.*$/, '')));
}

/**
 * Workloads of this host: addresses, cable and WorkloadEndpoint together, or none of them. Policy is the agent's: it sees the endpoint
 * and programs it; until then the cable carries nothing.
 */
export class Workloads {
  readonly #client: Client;
  readonly #ipam: Ipam;
  readonly #hostname: string;
  readonly #kernel: WorkloadKernel;
  /** Work on one endpoint is done in its order. */
  readonly #busy = new Map<string, Promise<unknown>>();

  constructor({ client, ipam, hostname, kernel }: WorkloadsOptions) {
    this.#client = client;
    this.#ipam = ipam;
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
    const identity = { namespace, name, handleId: handleOf(namespace, name) };
    return this.#inOrder(identity, () => this.#detach(identity));
  }

  #identify(request: CompleteAttachRequest): Identity {
    const { orchestrator, endpoint, namespace } = request;
    const node = this.#hostname;
    const name = workloadEndpointName({ node, orchestrator, endpoint, ...identityFields(request) });
    return { name, namespace, handleId: handleOf(namespace, name) };
  }

  async #inOrder<T>({ namespace, name }: Identity, work: () => Promise<T>): Promise<T> {
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

  async #attach(request: CompleteAttachRequest, identity: Identity): Promise<AttachedWorkload> {
    const stored = await this.#stored(identity);
    const interfaceName = interfaceNameOf(request, identity.name);
    const kept = request.addresses === undefined ? stored?.spec.ipNetworks : undefined;
    const addresses = kept ?? (await this.#assign(request, identity));
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
      return { ...publicName(identity), interfaceName, addresses: [...addresses], mac, hostMac };
    } catch (error) {
      if (stored === undefined) await this.#undo(interfaceName, identity);
      throw error;
    }
  }

  #endpoint(
    request: CompleteAttachRequest,
    { name, namespace }: Identity,
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

  async #stored({ name, namespace }: Identity): Promise<WorkloadEndpoint | undefined> {
    return (await this.#client.find({ kind: 'WorkloadEndpoint', namespace, name }))?.value;
  }

  #assign(request: CompleteAttachRequest, identity: Identity): Promise<readonly string[]> {
    return request.addresses === undefined
      ? this.#assignAny(request, identity)
      : this.#assignGiven(request.addresses, request, identity);
  }

  async #assignAny(request: CompleteAttachRequest, { handleId }: Identity): Promise<readonly string[]> {
    const { ipv4, ipv6, pools } = request;
    // A crash before the endpoint was written leaves addresses that nobody else can know of.
    await this.#release(handleId);
    const byFamily = (colon: boolean) => pools.filter((pool) => !/[/]/.test(pool) || pool.includes(':') === colon);
    const result = await this.#ipam.autoAssign({
      ipv4,
      ipv6,
      hostname: this.#hostname,
      use: 'Workload',
      handleId,
      attributes: this.#attributes(request),
      ...(pools.length === 0 ? {} : { ipv4Pools: byFamily(false), ipv6Pools: byFamily(true) }),
    });
    const addresses = [...result.ipv4.addresses, ...result.ipv6.addresses].map(toHostPrefix);
    if (addresses.length < ipv4 + ipv6) {
      await this.#release(handleId);
      throw explainShortfall(result.ipv4) ?? explainShortfall(result.ipv6) ?? noAddress();
    }
    return addresses;
  }

  #attributes({ workload, namespace }: CompleteAttachRequest): Record<string, string> {
    return { node: this.#hostname, namespace, workload };
  }

  async #assignGiven(
    addresses: readonly string[],
    request: CompleteAttachRequest,
    { handleId }: Identity,
  ): Promise<readonly string[]> {
    const prefixes = addresses.map(toHostPrefix);
    const done: string[] = [];
    try {
      for (const prefix of prefixes) {
        const address = prefix.replace(/\/.*$/, '');
        if (await this.#assignOne(address, request, handleId)) done.push(address);
      }
    } catch (error) {
      await this.#ipam.releaseIps(done.map((address) => ({ address, handleId })));
      throw error;
    }
    return prefixes;
  }

  /** @returns true when it was assigned now; an address in no pool is the caller's own, one we hold already stays */
  async #assignOne(address: string, request: CompleteAttachRequest, handleId: string): Promise<boolean> {
    try {
      const attributes = this.#attributes(request);
      await this.#ipam.assignIp({ address, hostname: this.#hostname, handleId, attributes, use: 'Workload' });
      return true;
    } catch (error) {
      if (error instanceof NotFoundError) return false;
      if (!(error instanceof AlreadyExistsError)) throw error;
      const held = await this.#held(handleId);
      if (held.includes(address)) return false;
      throw error;
    }
  }

  async #held(handleId: string): Promise<readonly string[]> {
    try {
      return await this.#ipam.addressesByHandle(handleId);
    } catch (error) {
      if (error instanceof NotFoundError) return [];
      throw error;
    }
  }

  async #detach(identity: Identity): Promise<DetachedWorkload> {
    const { name, namespace, handleId } = identity;
    const stored = await this.#stored(identity);
    if (stored !== undefined && stored.spec.node !== this.#hostname) {
      throw new ConflictError(
        'ERR_CALI_NODE_OTHER_HOST',
        `workload "${namespace}/${name}" is on node "${stored.spec.node}", not on "${this.#hostname}"`,
      );
    }
    if (stored !== undefined) {
      await this.#kernel.detach({ hostInterface: stored.spec.interfaceName });
      await this.#client.datastore.delete({ kind: 'WorkloadEndpoint', namespace, name });
    }
    const hadAddresses = await this.#release(handleId);
    return { wasAttached: stored !== undefined || hadAddresses };
  }

  async #release(handleId: string): Promise<boolean> {
    try {
      await this.#ipam.releaseByHandle(handleId);
      return true;
    } catch (error) {
      if (error instanceof NotFoundError) return false;
      throw error;
    }
  }

  /** After a failure, whose error is the one to tell: what cannot be undone now, the next attempt undoes. */
  async #undo(interfaceName: string, { handleId }: Identity): Promise<void> {
    await Promise.allSettled([this.#kernel.detach({ hostInterface: interfaceName }), this.#release(handleId)]);
  }
}

function handleOf(namespace: string, name: string): string {
  return `${namespace}.${name}`;
}

function publicName({ name, namespace }: Identity) {
  return { name, namespace };
}

function noAddress(): CalicoError {
  return new CalicoError('ERR_CALI_NODE_NO_ADDRESS', 'the pools gave fewer addresses than asked for', {
    hint: 'add an IPPool, or see who holds addresses with: calicoctl ipam show --show-blocks',
  });
}
