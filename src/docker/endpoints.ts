import type { WorkloadEndpoint } from '../api/kinds/workload-endpoint.js';
import { API_VERSION } from '../api/meta.js';
import { explainBadLabel, workloadEndpointName, workloadEndpointNamePrefix } from '../api/names.js';
import { ifFound } from '../base/errors.js';
import type { Client } from '../client/client.js';
import { endpointInterfaceName } from '../net/interface-name.js';
import { bareAddress, formatPrefix, parsePrefix } from '../net/prefix.js';
import type { NamedEndpoint } from './name-directory.js';

/** Every endpoint of a Docker network is in this namespace. */
export const DOCKER_NAMESPACE = 'libnetwork';
const ORCHESTRATOR = 'libnetwork';

const ANNOTATION = {
  network: 'docker.projectcalico.org/network',
  networkId: 'docker.projectcalico.org/network-id',
  container: 'docker.projectcalico.org/container',
  names: 'docker.projectcalico.org/names',
  sandbox: 'docker.projectcalico.org/sandbox',
  ipam: 'docker.projectcalico.org/ipam',
} as const;

const LABEL_PREFIX = 'org.projectcalico.label.';

/** A container's place on a network, as the datastore keeps it. */
export interface DockerEndpoint {
  /** Docker's id of it. */
  readonly id: string;
  readonly networkId: string;
  /** Name of the network. */
  readonly network: string;
  readonly interfaceName: string;
  /** Bare, canonical. */
  readonly addresses: readonly string[];
  readonly mac: string | undefined;
  /** Whose addresses these are. */
  readonly ipam: 'calico' | 'default';
  /** The profile of its network, unless none are made. */
  readonly profile: string | undefined;
  /** Path of the network namespace it was put into; undefined before that. */
  readonly sandbox: string | undefined;
}

/** What becomes known of an endpoint when its container joins. */
export interface Joined {
  readonly sandbox: string;
  /** Name of the container. */
  readonly container: string | undefined;
  /** What else it is called on this network: short id and aliases. */
  readonly names: readonly string[];
  readonly labels: Readonly<Record<string, string>>;
}

/** This host's endpoints on Docker's networks: WorkloadEndpoints in the datastore, remembered here. */
export class DockerEndpoints {
  readonly #client: Client;
  readonly #hostname: string;
  readonly #byId = new Map<string, DockerEndpoint>();

  constructor(client: Client, hostname: string) {
    this.#client = client;
    this.#hostname = hostname;
  }

  /** All of this host, as the datastore has them now. */
  async load(): Promise<readonly DockerEndpoint[]> {
    const before = new Map(this.#byId);
    const { items } = await this.#client.datastore.list('WorkloadEndpoint', {
      namespace: DOCKER_NAMESPACE,
      namePrefix: workloadEndpointNamePrefix(this.#hostname, ORCHESTRATOR),
    });
    const mine = items.map(({ value }) => fromStored(value));
    const isKnown = ({ id }: DockerEndpoint): boolean => before.has(id) || this.#byId.has(id);
    // What became of one here while they were read is newer.
    for (const endpoint of mine) if (!isKnown(endpoint)) this.#byId.set(endpoint.id, endpoint);
    const ids = new Set(mine.map(({ id }) => id));
    for (const endpoint of before.values()) if (!ids.has(endpoint.id)) this.#drop(endpoint);
    return mine;
  }

  /** The other host one of whose containers has one of the addresses. */
  async otherBearer(
    addresses: readonly string[],
  ): Promise<{ readonly address: string; readonly node: string } | undefined> {
    for (const { value } of await this.#client.list('WorkloadEndpoint', DOCKER_NAMESPACE)) {
      const { node } = value.spec;
      const address = fromStored(value).addresses.find((each) => addresses.includes(each));
      if (address !== undefined && node !== this.#hostname) return { address, node };
    }
    return undefined;
  }

  /** Somebody else deleted it, unless it was made anew meanwhile. */
  #drop(endpoint: DockerEndpoint): void {
    if (this.#byId.get(endpoint.id) === endpoint) this.#byId.delete(endpoint.id);
  }

  async find(id: string): Promise<DockerEndpoint | undefined> {
    const known = this.#byId.get(id);
    if (known !== undefined) return known;
    const stored = await this.#client.find(this.#key(id));
    if (stored === undefined) return undefined;
    const endpoint = fromStored(stored.value);
    this.#byId.set(id, endpoint);
    return endpoint;
  }

  /** Whether it is one of this host's, as far as was loaded or made here. */
  isKnown(id: string): boolean {
    return this.#byId.has(id);
  }

  /** Others in the same network namespace. */
  companions({ id, sandbox }: Pick<DockerEndpoint, 'id' | 'sandbox'>): readonly DockerEndpoint[] {
    if (sandbox === undefined || sandbox === '') return [];
    return [...this.#byId.values()].filter((other) => other.id !== id && other.sandbox === sandbox);
  }

  /** Writes it, without what only joining tells. */
  async put(endpoint: DockerEndpoint): Promise<void> {
    await this.#client.apply(this.#resource(endpoint, undefined));
    this.#byId.set(endpoint.id, endpoint);
  }

  /** A container on several networks is a member of each by whichever of its addresses it speaks: its endpoints share their profiles. */
  async join(endpoint: DockerEndpoint, joined: Joined): Promise<void> {
    const complete = { ...endpoint, sandbox: joined.sandbox };
    await this.#client.update(this.#resource(complete, joined));
    // Not before: one that was deleted meanwhile, its cable having failed, must not be anybody's companion.
    this.#byId.set(endpoint.id, complete);
    await this.#shareProfiles(complete);
  }

  /** Keeps what a container is called now, where it is called otherwise than before. What is gone is fine. */
  async rename(id: string, { container, names, labels }: Omit<Joined, 'sandbox'>): Promise<void> {
    const wanted = nameAnnotations({ container, names });
    const stored = await this.#client.find(this.#key(id));
    const { annotations = {} } = stored?.value.metadata ?? {};
    const isKnown = Object.entries(wanted).every(([key, text]) => annotations[key] === text);
    if (stored === undefined || isKnown) return;
    await this.#client.change(this.#key(id), (endpoint) => ({
      ...endpoint,
      metadata: {
        ...endpoint.metadata,
        // The engine that started it did not say whose it is: its labels come late.
        ...(annotations[ANNOTATION.container] === undefined
          ? { labels: { ...endpoint.metadata.labels, ...labels } }
          : {}),
        annotations: { ...endpoint.metadata.annotations, ...wanted },
      },
    }));
  }

  /** It is out of its namespace; the endpoint itself stays until {@link delete}. */
  async left(id: string): Promise<void> {
    const endpoint = this.#byId.get(id);
    if (endpoint?.sandbox === undefined) return;
    this.#byId.set(id, { ...endpoint, sandbox: undefined });
    await this.#shareProfiles(endpoint, endpoint.profile);
  }

  /** Addresses and profiles that others gave a companion stay as they are. */
  async #shareProfiles(endpoint: DockerEndpoint, gone?: string): Promise<void> {
    for (const other of this.companions(endpoint)) {
      const shared = this.#profilesOf(other);
      const changed = this.#client.change(this.#key(other.id), (stored) => {
        const kept = (stored.spec.profiles ?? []).filter((name) => name !== gone);
        return { ...stored, spec: { ...stored.spec, profiles: [...new Set([...kept, ...shared])] } };
      });
      if ((await ifFound(changed)) === undefined) this.#drop(other);
    }
  }

  /** What is gone already is fine. @returns every address that it had, those too which somebody else added */
  async delete(id: string): Promise<readonly string[]> {
    this.#byId.delete(id);
    const deleted = await ifFound(this.#client.datastore.delete(this.#key(id)));
    return deleted === undefined ? [] : fromStored(deleted.value).addresses;
  }

  #profilesOf(endpoint: DockerEndpoint): readonly string[] {
    const names = [endpoint, ...this.companions(endpoint)].flatMap(({ profile }) => profile ?? []);
    return [...new Set(names)];
  }

  #key(id: string) {
    const name = workloadEndpointName({ node: this.#hostname, orchestrator: ORCHESTRATOR, endpoint: id });
    return { kind: 'WorkloadEndpoint' as const, namespace: DOCKER_NAMESPACE, name };
  }

  #resource(endpoint: DockerEndpoint, joined: Joined | undefined): WorkloadEndpoint {
    const { id, network, networkId, interfaceName, addresses, mac, ipam } = endpoint;
    const { name, namespace } = this.#key(id);
    return {
      apiVersion: API_VERSION,
      kind: 'WorkloadEndpoint',
      metadata: {
        name,
        namespace,
        ...(joined === undefined ? {} : { labels: { ...joined.labels } }),
        annotations: {
          [ANNOTATION.network]: network,
          [ANNOTATION.networkId]: networkId,
          [ANNOTATION.ipam]: ipam,
          ...(joined === undefined ? {} : { [ANNOTATION.sandbox]: joined.sandbox }),
          ...(joined === undefined ? {} : nameAnnotations(joined)),
        },
      },
      spec: {
        orchestrator: ORCHESTRATOR,
        workload: ORCHESTRATOR,
        node: this.#hostname,
        endpoint: id,
        interfaceName,
        ipNetworks: addresses.map((address) => formatPrefix(parsePrefix(address))),
        profiles: [...this.#profilesOf(endpoint)],
        ...(mac === undefined ? {} : { mac }),
      },
    };
  }
}

function nameAnnotations({ container, names }: Pick<Joined, 'container' | 'names'>): Record<string, string> {
  const others = [...new Set(names)].filter((name) => name !== container && !/\s/.test(name));
  return {
    ...(container === undefined ? {} : { [ANNOTATION.container]: container }),
    ...(others.length === 0 ? {} : { [ANNOTATION.names]: others.join(' ') }),
  };
}

/** What a WorkloadEndpoint says of a container's names, on whatever host; undefined for one that is on none of Docker's networks. */
export function namedEndpoint({
  metadata,
  spec,
}: WorkloadEndpoint): (NamedEndpoint & { readonly sandbox: string | undefined }) | undefined {
  const { annotations = {} } = metadata;
  const network = annotations[ANNOTATION.network];
  if (spec.orchestrator !== ORCHESTRATOR || network === undefined) return undefined;
  const texts = [annotations[ANNOTATION.container] ?? '', ...(annotations[ANNOTATION.names] ?? '').split(' ')];
  const { node, addresses, sandbox } = { ...fromStored({ metadata, spec }), node: spec.node };
  return { node, network, addresses, sandbox, names: texts.filter((text) => text !== '') };
}

function fromStored({ metadata, spec }: Pick<WorkloadEndpoint, 'metadata' | 'spec'>): DockerEndpoint {
  const { annotations = {} } = metadata;
  const id = spec.endpoint ?? '';
  return {
    id,
    networkId: annotations[ANNOTATION.networkId] ?? '',
    network: annotations[ANNOTATION.network] ?? '',
    interfaceName: spec.interfaceName,
    addresses: (spec.ipNetworks ?? []).flatMap((text) => bareAddress(text) ?? []),
    mac: spec.mac,
    ipam: annotations[ANNOTATION.ipam] === 'default' ? 'default' : 'calico',
    profile: spec.profiles?.[0],
    sandbox: annotations[ANNOTATION.sandbox],
  };
}

/** The interface on the host: `cali` and the first 11 characters of the id; its other end, before the engine takes it, begins with `temp`. */
export function interfaceNames(endpointId: string): { readonly host: string; readonly loose: string } {
  const host = endpointInterfaceName(endpointId);
  return { host, loose: host.replace(/^cali/, LOOSE_PREFIX) };
}

/** How the ends of cables are called that an engine has yet to take. */
export const LOOSE_PREFIX = 'temp';

/** Of a container's labels those that are meant for policy; what cannot be a label is named in `refused`. */
export function policyLabels(labels: Readonly<Record<string, string>>): {
  readonly labels: Record<string, string>;
  readonly refused: readonly string[];
} {
  const taken: Record<string, string> = {};
  const refused: string[] = [];
  for (const [name, value] of Object.entries(labels)) {
    if (!name.startsWith(LABEL_PREFIX)) continue;
    const key = name.slice(LABEL_PREFIX.length);
    const problem = explainBadLabel(key, value);
    if (problem === undefined) taken[key] = value;
    else refused.push(problem);
  }
  return { labels: taken, refused };
}
