import type { Clock } from '../base/clock.js';
import type { Log } from '../base/log.js';
import { parseMac } from '../net/mac.js';
import { bareAddress } from '../net/prefix.js';
import type { LooseCable } from '../workload/loose-cable.js';
import type { SecondInterface } from '../workload/second-way.js';
import { type DockerEndpoint, type DockerEndpoints, interfaceNames, type Joined, policyLabels } from './endpoints.js';
import type { DockerEngine } from './engine.js';
import type { EngineContainerSummary } from './engine-answers.js';
import type { IpamDriver } from './ipam-driver.js';
import { joinAnswer } from './join-answer.js';
import { addressElsewhere, noEndpointAddress, publishRefused, unknownEndpoint } from './messages.js';
import type { Networks } from './networks.js';
import {
  type EndpointReference,
  type EndpointRequest,
  type JoinAnswer,
  type JoinRequest,
  type NetworkRequest,
  publishedPorts,
} from './protocol.js';
import { SecondWays } from './second-ways.js';
import type { DockerSettings } from './settings.js';

/** What reaches the kernel, so that tests can stand in for it. */
export interface DockerKernel {
  lay(cable: LooseCable): Promise<void>;
  /** For a container's second interface. @returns false while it is not in the container */
  addSecondWay(options: SecondInterface): Promise<boolean>;
  detach(options: { readonly hostInterface: string }): Promise<boolean>;
  /** Host interfaces of cables that no engine has, by how their other ends are called. */
  listLoose(prefix: string): Promise<readonly string[]>;
  /** Whether a container has the other end of a host interface's cable. */
  isTaken(hostInterface: string): Promise<boolean>;
  /** For networks that nobody gave an MTU. */
  mtu(): Promise<number>;
}

export interface NetworkDriverOptions {
  readonly engine: DockerEngine;
  readonly networks: Networks;
  readonly endpoints: DockerEndpoints;
  readonly ipam: IpamDriver;
  readonly kernel: DockerKernel;
  readonly settings: DockerSettings;
  readonly clock: Clock;
  readonly log: Log;
}

/** By so much of its id every container can be asked for. */
const SHORT_ID_CHARACTERS = 12;
/** An engine that starts answers nobody; when it does, what is missing is written (`container-names.ts`). */
const WHO_JOINS_MS = 5_000;
const NO_ONE: Omit<Joined, 'sandbox'> = { container: undefined, names: [], labels: {} };

/** The plugin's network half. */
export class NetworkDriver {
  readonly #options: NetworkDriverOptions;
  readonly #secondWays: SecondWays;

  constructor(options: NetworkDriverOptions) {
    const { kernel, clock, log } = options;
    this.#options = options;
    this.#secondWays = new SecondWays({ add: (second) => kernel.addSecondWay(second), clock, log });
  }

  /** Does nothing more by itself. */
  close(): void {
    this.#secondWays.close();
  }

  createNetwork(request: NetworkRequest): Promise<void> {
    return this.#options.networks.create(request);
  }

  deleteNetwork(networkId: string): Promise<void> {
    return this.#options.networks.delete(networkId);
  }

  /**
   * Writes the endpoint, so that the agent has its policy ready before the container has its interface.
   *
   * @returns the MAC, unless the engine gave one: what came filled may not be answered
   */
  async createEndpoint(request: EndpointRequest): Promise<{ Interface: { MacAddress?: string } }> {
    const { NetworkID, EndpointID, Interface, Options } = request;
    const { networks, endpoints, ipam, settings } = this.#options;
    const given = [Interface.Address, Interface.AddressIPv6].filter((text) => text !== '');
    const addresses = given.flatMap((text) => bareAddress(text) ?? []);
    if (addresses.length === 0 || addresses.length < given.length) throw noEndpointAddress();
    const isCalico = given.every((text) => /\/(32|128)$/.test(text) || !text.includes('/'));
    const published = publishedPorts(Options);
    if (isCalico && published.length > 0 && settings.publishedPorts === 'refuse') throw publishRefused(published);
    // Engines without a common store each give the first address of the same subnet.
    const bearer = isCalico ? undefined : await endpoints.otherBearer(addresses);
    if (bearer !== undefined) throw addressElsewhere(bearer);
    const network = await networks.find(NetworkID);
    const [profile] = await Promise.all([
      networks.ensureProfile(network),
      ...(isCalico ? addresses.map((address) => ipam.keep(address)) : []),
    ]);
    const mac = Interface.MacAddress === '' ? ownMac(EndpointID, addresses) : parseMac(Interface.MacAddress);
    await endpoints.put({
      id: EndpointID,
      networkId: NetworkID,
      network: network.name,
      interfaceName: interfaceNames(EndpointID).host,
      addresses,
      mac,
      ipam: isCalico ? 'calico' : 'default',
      profile,
      sandbox: undefined,
    });
    return { Interface: Interface.MacAddress === '' ? { MacAddress: mac } : {} };
  }

  /** Lays the cable; the engine takes its other end. @throws {CalicoError} the endpoint is not known, or the kernel refuses */
  async join({ NetworkID, EndpointID, SandboxKey }: JoinRequest): Promise<JoinAnswer> {
    const { endpoints, kernel, networks, settings } = this.#options;
    const endpoint = await endpoints.find(EndpointID);
    if (endpoint === undefined) throw unknownEndpoint(EndpointID);
    const { host, loose } = interfaceNames(EndpointID);
    const network = await networks.find(NetworkID);
    const mtu = settings.mtu ?? network.mtu ?? (await kernel.mtu());
    await Promise.all([
      this.#whoJoins(endpoint).then((who) => endpoints.join(endpoint, { sandbox: SandboxKey, ...who })),
      kernel.lay({
        hostInterface: host,
        looseInterface: loose,
        addresses: endpoint.addresses,
        mtu,
        ...(endpoint.mac === undefined ? {} : { mac: endpoint.mac }),
      }),
    ]);
    return joinAnswer({
      looseInterface: loose,
      interfacePrefix: settings.interfacePrefix,
      addresses: endpoint.addresses,
      ipam: endpoint.ipam,
      isFirst: this.#isFirst({ id: EndpointID, sandbox: SandboxKey }),
    });
  }

  /** The engine has put everything in place, and asks what there is to know: the moment to mend a second interface's routes. */
  async settle({ EndpointID }: EndpointReference): Promise<void> {
    const endpoint = await this.#options.endpoints.find(EndpointID);
    if (endpoint?.sandbox === undefined || endpoint.ipam === 'default' || this.#isFirst(endpoint)) return;
    await this.#secondWays.give(EndpointID, {
      netns: endpoint.sandbox,
      hostInterface: endpoint.interfaceName,
      addresses: endpoint.addresses,
    });
  }

  /** The cable goes; its other end may lie in the container or on the host by now. */
  async leave({ EndpointID }: EndpointReference): Promise<void> {
    this.#secondWays.leave(EndpointID);
    await this.#options.kernel.detach({ hostInterface: interfaceNames(EndpointID).host });
    await this.#options.endpoints.left(EndpointID);
  }

  /** What is gone already is fine. Addresses that the engine does not know of, and so never gives back, are released here. */
  async deleteEndpoint(reference: EndpointReference): Promise<void> {
    const { endpoints, ipam } = this.#options;
    const endpoint = await endpoints.find(reference.EndpointID);
    await this.leave(reference);
    const had = await endpoints.delete(reference.EndpointID);
    const more = had.filter((address) => endpoint?.addresses.includes(address) === false);
    await Promise.all(more.map((address) => ipam.releaseAddress({ PoolID: '', Address: address })));
  }

  /** Whether no other interface of the container leads to our gateway. */
  #isFirst(endpoint: Pick<DockerEndpoint, 'id' | 'sandbox'>): boolean {
    return !this.#options.endpoints.companions(endpoint).some(({ ipam }) => ipam === 'calico');
  }

  /**
   * The container's name and labels, from the two questions that an engine answers while it starts the container. Nobody goes
   * without network because these are not to be had.
   */
  async #whoJoins({ id, networkId }: DockerEndpoint): Promise<Omit<Joined, 'sandbox'>> {
    const { engine, settings, log } = this.#options;
    const signal = AbortSignal.timeout(WHO_JOINS_MS);
    try {
      const network = await engine.inspectNetwork(networkId, { signal });
      const name = network.endpoints.find(({ endpointId }) => endpointId === id)?.name;
      if (name === undefined || name === '') return NO_ONE;
      if (!settings.labelEndpoints) return { container: name, names: [], labels: {} };
      const [container] = await engine.listContainers({ name, signal });
      const { labels, refused } = policyLabels(container?.labels ?? {});
      for (const problem of refused) log.warn('a label of a container is left out', { container: name, problem });
      return { container: name, names: shortId(container), labels };
    } catch (error) {
      log.warn('the engine does not say whose endpoint this is: it gets no labels', { endpoint: id, error });
      return NO_ONE;
    }
  }
}

function shortId(container: EngineContainerSummary | undefined): readonly string[] {
  return container === undefined ? [] : [container.id.slice(0, SHORT_ID_CHARACTERS)];
}

/** As Docker's own bridges give: one per address, so that a new container with the address of an old one has its MAC, too. */
function ownMac(endpointId: string, addresses: readonly string[]): string {
  const ipv4 = addresses.find((address) => !address.includes(':'));
  const octets =
    ipv4 === undefined
      ? [0, 2, 4, 6].map((at) => Number.parseInt(endpointId.slice(at, at + 2), 16) || at)
      : ipv4.split('.').map(Number);
  return ['02', '42', ...octets.map((octet) => octet.toString(16).padStart(2, '0'))].join(':');
}
