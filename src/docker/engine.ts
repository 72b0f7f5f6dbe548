import { type IncomingMessage, request } from 'node:http';
import * as v from 'valibot';
import { CalicoError, NotFoundError, UnavailableError, UnsupportedError, visibleText } from '../base/errors.js';

/** Where a Docker engine listens unless DOCKER_HOST says otherwise. */
export const DOCKER_SOCKET = '/var/run/docker.sock';

const TIMEOUT_MS = 20_000;
/** The longest answer taken: a host with thousands of containers stays well below. */
const ANSWER_LIMIT_BYTES = 64 * 1024 * 1024;

/** Unset and null both mean "none" in the engine's answers. */
const text = v.nullish(v.string(), '');
const texts = v.nullish(v.array(v.string()), []);
const labels = v.nullish(v.record(v.string(), v.string()), {});

const inspected = v.object({
  Id: v.string(),
  Name: text,
  State: v.object({ Pid: v.optional(v.number(), 0), Running: v.optional(v.boolean(), false) }),
  HostConfig: v.nullish(v.object({ NetworkMode: text }), { NetworkMode: '' }),
  NetworkSettings: v.nullish(
    v.object({
      SandboxKey: text,
      Networks: v.nullish(v.record(v.string(), v.object({ EndpointID: text, Aliases: texts, DNSNames: texts })), {}),
    }),
    { SandboxKey: '', Networks: {} },
  ),
  Config: v.nullish(v.object({ Labels: labels }), { Labels: {} }),
});

const listedContainer = v.object({
  Id: v.string(),
  Names: v.nullish(v.array(v.string()), []),
  State: text,
  Labels: labels,
  NetworkSettings: v.nullish(
    v.object({
      Networks: v.nullish(
        v.record(v.string(), v.object({ NetworkID: text, EndpointID: text, IPAddress: text, GlobalIPv6Address: text })),
        {},
      ),
    }),
    { Networks: {} },
  ),
});

const network = v.object({
  Id: v.string(),
  Name: v.string(),
  Driver: text,
  Scope: text,
  IPAM: v.nullish(
    v.object({
      Driver: text,
      Config: v.nullish(v.array(v.object({ AuxiliaryAddresses: labels })), []),
    }),
    { Driver: '', Config: [] },
  ),
  Options: labels,
  Containers: v.nullish(v.record(v.string(), v.object({ Name: text, EndpointID: text })), {}),
});

const version = v.object({ Version: v.string(), ApiVersion: text });
const info = v.object({
  ClusterStore: text,
  Swarm: v.nullish(v.object({ LocalNodeState: text }), { LocalNodeState: '' }),
});
const refusal = v.object({ message: v.string() });
const event = v.object({
  Type: text,
  Action: text,
  Actor: v.nullish(v.object({ ID: text, Attributes: labels }), { ID: '', Attributes: {} }),
});

/** A container as `docker inspect` knows it. */
export interface EngineContainer {
  /** 64 hex digits. */
  readonly id: string;
  /** Without the slash. */
  readonly name: string;
  /** 0 when it does not run. */
  readonly pid: number;
  readonly isRunning: boolean;
  /** `none`, `host`, `bridge`, a network's name or `container:ID`. */
  readonly networkMode: string;
  /** Path of its network namespace; empty when it has none. */
  readonly sandboxKey: string;
  readonly labels: Readonly<Record<string, string>>;
  /** What it is called on its networks besides its own name; by endpoint id. */
  readonly aliases: Readonly<Record<string, readonly string[]>>;
}

/** A container as `docker ps` knows it. */
export interface EngineContainerSummary {
  readonly id: string;
  /** Without the slash; aliases of links included. */
  readonly names: readonly string[];
  /** `created`, `running`, `exited`, … */
  readonly state: string;
  readonly labels: Readonly<Record<string, string>>;
  /** Its places on networks; a container that does not run has no endpoint ids and no addresses. */
  readonly places: readonly EnginePlace[];
}

/** Where a container is on a network. */
export interface EnginePlace {
  /** Name of the network. */
  readonly network: string;
  readonly networkId: string;
  readonly endpointId: string;
  /** Bare. */
  readonly addresses: readonly string[];
}

export interface EngineNetwork {
  readonly id: string;
  readonly name: string;
  readonly driver: string;
  readonly ipamDriver: string;
  /** `global`, `local` or `swarm`. */
  readonly scope: string;
  /** What `--aux-address` keeps from containers; bare. */
  readonly reservedAddresses: readonly string[];
  /** What was given with `--opt`. */
  readonly options: Readonly<Record<string, string>>;
  readonly endpoints: readonly EngineEndpoint[];
}

/** A container's place on a network. */
export interface EngineEndpoint {
  readonly endpointId: string;
  /** Name of the container. */
  readonly name: string;
  /** Undefined while the container starts, and for containers of other hosts. */
  readonly containerId: string | undefined;
}

export interface EngineEvent {
  /** `container`, `network`, `node`, … */
  readonly type: string;
  /** `start`, `die`, `connect`, `rename`, … */
  readonly action: string;
  readonly id: string;
  /** Name, labels, the network's or container's id, depending on the type. */
  readonly attributes: Readonly<Record<string, string>>;
}

interface Place {
  readonly socketPath?: string;
  readonly host?: string;
  readonly port?: number;
}

function placeOf(address: string): Place {
  if (address.startsWith('/')) return { socketPath: address };
  const socketPath = /^unix:\/\/(\/.+)$/.exec(address)?.[1];
  if (socketPath !== undefined) return { socketPath };
  const [, host, port] = /^(?:tcp|http):\/\/(\[[^\]]+\]|[^:/]+):(\d{1,5})\/?$/.exec(address) ?? [];
  if (host !== undefined) return { host: host.replace(/^\[|\]$/g, ''), port: Number(port) };
  throw new UnsupportedError('ERR_CALI_DOCKER_HOST', 'docker-host', `"${address}" is no address of a Docker engine`, {
    where: { field: 'DOCKER_HOST' },
    hint: 'write unix:///var/run/docker.sock or tcp://ADDRESS:PORT',
  });
}

interface CallOptions {
  readonly signal?: AbortSignal | undefined;
}

/**
 * Asks a Docker engine over its API: what containers and networks there are. Reads only.
 *
 * Every method throws UnavailableError `ERR_CALI_DOCKER_UNREACHABLE` when no engine answers, CalicoError `ERR_CALI_DOCKER_REFUSED`
 * with the engine's words, and the signal's reason when that aborts. Podman's socket answers the same questions.
 */
export class DockerEngine {
  /** `/var/run/docker.sock` or `tcp://192.0.2.1:2375`. */
  readonly address: string;
  readonly #place: Place;

  /** @throws {UnsupportedError} `ERR_CALI_DOCKER_HOST` the address is neither a unix socket nor plain TCP */
  constructor(address: string = DOCKER_SOCKET) {
    this.address = address.replace(/^unix:\/\//, '');
    this.#place = placeOf(address);
  }

  /** The engine that DOCKER_HOST names; without it the one of this host. */
  static fromEnvironment(environment: Readonly<Record<string, string | undefined>>): DockerEngine {
    const address = environment['DOCKER_HOST']?.trim() ?? '';
    return new DockerEngine(address === '' ? DOCKER_SOCKET : address);
  }

  /**
   * A container by name, id or a prefix of its id.
   *
   * Never ask from within a call that the engine made for this container: it answers only when that call has ended.
   *
   * @throws {NotFoundError} `ERR_CALI_DOCKER_NOT_FOUND`
   */
  async inspectContainer(nameOrId: string, options: CallOptions = {}): Promise<EngineContainer> {
    const found = await this.#read(inspected, `/containers/${encodeURIComponent(nameOrId)}/json`, options);
    return {
      id: found.Id,
      name: found.Name.replace(/^\//, ''),
      pid: found.State.Pid,
      isRunning: found.State.Running,
      networkMode: found.HostConfig.NetworkMode,
      sandboxKey: found.NetworkSettings.SandboxKey,
      labels: found.Config.Labels,
      aliases: Object.fromEntries(
        Object.values(found.NetworkSettings.Networks).map(({ EndpointID, Aliases, DNSNames }) => [
          EndpointID,
          [...new Set([...Aliases, ...DNSNames])],
        ]),
      ),
    };
  }

  /** Containers, the stopped ones too; only those of exactly this name when given. Answers also while one of them starts. */
  async listContainers(options: CallOptions & { readonly name?: string } = {}): Promise<EngineContainerSummary[]> {
    const { name } = options;
    // The filter is a regular expression that the engine looks for anywhere in "/NAME".
    const pattern = name?.replaceAll(/[.*+?^${}()|[\]\\]/g, String.raw`\$&`);
    const filters =
      pattern === undefined ? '' : `&filters=${encodeURIComponent(JSON.stringify({ name: [`^/${pattern}$`] }))}`;
    const all = await this.#read(v.array(listedContainer), `/containers/json?all=1${filters}`, options);
    return all
      .map((listed) => ({
        id: listed.Id,
        names: listed.Names.map((each) => each.replace(/^\//, '')),
        state: listed.State,
        labels: listed.Labels,
        places: Object.entries(listed.NetworkSettings.Networks).map(([on, place]) => ({
          network: on,
          networkId: place.NetworkID,
          endpointId: place.EndpointID,
          addresses: [place.IPAddress, place.GlobalIPv6Address].filter((address) => address !== ''),
        })),
      }))
      .filter(({ names }) => name === undefined || names.includes(name));
  }

  /** @throws {NotFoundError} `ERR_CALI_DOCKER_NOT_FOUND`, also from within the calls that create and delete the network */
  async inspectNetwork(nameOrId: string, options: CallOptions = {}): Promise<EngineNetwork> {
    return networkOf(await this.#read(network, `/networks/${encodeURIComponent(nameOrId)}`, options));
  }

  /** All networks, without their endpoints. */
  async listNetworks(options: CallOptions = {}): Promise<EngineNetwork[]> {
    return (await this.#read(v.array(network), '/networks', options)).map(networkOf);
  }

  async version(options: CallOptions = {}): Promise<{ readonly version: string; readonly apiVersion: string }> {
    const { Version, ApiVersion } = await this.#read(version, '/version', options);
    return { version: Version, apiVersion: ApiVersion };
  }

  /** Whether the host is part of a swarm, or becoming it, and whether the engine shares its networks by a store (up to 22). */
  async info(options: CallOptions = {}): Promise<{ readonly isInSwarm: boolean; readonly hasClusterStore: boolean }> {
    const { ClusterStore, Swarm } = await this.#read(info, '/info', options);
    const { LocalNodeState: state } = Swarm;
    return { isInSwarm: state !== '' && state !== 'inactive', hasClusterStore: ClusterStore !== '' };
  }

  /**
   * What happens to containers, networks and the swarm's nodes from now on. Ends quietly when the signal aborts.
   *
   * @throws {UnavailableError} `ERR_CALI_DOCKER_UNREACHABLE` the engine ended or cannot be reached
   */
  async *events(signal: AbortSignal): AsyncGenerator<EngineEvent> {
    const filters = encodeURIComponent(JSON.stringify({ type: ['container', 'network', 'node'] }));
    try {
      const response = await this.#open(`/events?filters=${filters}`, { signal, isEndless: true });
      if (response.statusCode !== 200) this.#refuse('/events', response.statusCode ?? 0, await this.#body(response));
      for await (const line of linesOf(response)) {
        const { Type, Action, Actor } = this.#parse(event, '/events', line);
        yield { type: Type, action: Action, id: Actor.ID, attributes: Actor.Attributes };
      }
    } catch (error) {
      if (signal.aborted) return;
      throw error instanceof CalicoError ? error : this.#unreachable(error);
    }
    if (!signal.aborted) throw this.#unreachable(undefined);
  }

  async #read<T>(schema: v.GenericSchema<unknown, T>, path: string, options: CallOptions): Promise<T> {
    const response = await this.#open(path, options);
    const body = await this.#body(response);
    const status = response.statusCode ?? 0;
    if (status !== 200) this.#refuse(path, status, body);
    return this.#parse(schema, path, body);
  }

  #parse<T>(schema: v.GenericSchema<unknown, T>, path: string, body: string): T {
    let value: unknown;
    try {
      value = JSON.parse(body);
    } catch (cause) {
      throw this.#strange(path, 'no JSON', cause);
    }
    const read = v.safeParse(schema, value);
    if (read.success) return read.output;
    throw this.#strange(path, read.issues.map(({ message }) => message).join('; '), undefined);
  }

  #refuse(path: string, status: number, body: string): never {
    let message = `status ${status}`;
    try {
      const read = v.safeParse(refusal, JSON.parse(body));
      if (read.success) message = visibleText(read.output.message);
    } catch {
      // The status says enough where the body is no JSON.
    }
    if (status === 404) throw new NotFoundError('ERR_CALI_DOCKER_NOT_FOUND', message);
    throw new CalicoError('ERR_CALI_DOCKER_REFUSED', `the Docker engine refuses ${path.split('?')[0]}: ${message}`);
  }

  #strange(path: string, what: string, cause: unknown): CalicoError {
    return new CalicoError(
      'ERR_CALI_DOCKER_ANSWER',
      `${this.address} answers ${path} as no Docker engine does: ${what}`,
      {
        cause,
      },
    );
  }

  #unreachable(cause: unknown): UnavailableError {
    const why = cause instanceof Error ? `: ${cause.message}` : '';
    return new UnavailableError('ERR_CALI_DOCKER_UNREACHABLE', `no Docker engine answers on ${this.address}${why}`, {
      hint: 'start it (systemctl start docker), or name its socket in DOCKER_HOST',
      cause,
    });
  }

  #open(
    path: string,
    { signal, isEndless = false }: CallOptions & { readonly isEndless?: boolean },
  ): Promise<IncomingMessage> {
    return new Promise((resolve, reject) => {
      const asked = request(
        {
          ...this.#place,
          path,
          agent: false,
          headers: { host: 'docker', accept: 'application/json' },
          ...(isEndless ? {} : { timeout: TIMEOUT_MS }),
          ...(signal === undefined ? {} : { signal }),
        },
        resolve,
      );
      asked.once('timeout', () => asked.destroy(new Error(`no answer to ${path} for ${TIMEOUT_MS / 1000} s`)));
      asked.once('error', (error) => {
        const reason: unknown = signal?.aborted === true ? signal.reason : this.#unreachable(error);
        reject(reason instanceof Error ? reason : new Error(String(reason)));
      });
      asked.end();
    });
  }

  async #body(response: IncomingMessage): Promise<string> {
    const chunks: Buffer[] = [];
    let size = 0;
    try {
      for await (const chunk of response as AsyncIterable<Buffer>) {
        size += chunk.length;
        if (size > ANSWER_LIMIT_BYTES) throw new Error('the answer is over 64 MiB');
        chunks.push(chunk);
      }
    } catch (error) {
      throw this.#unreachable(error);
    }
    return Buffer.concat(chunks).toString();
  }
}

function networkOf(found: v.InferOutput<typeof network>): EngineNetwork {
  return {
    id: found.Id,
    name: found.Name,
    driver: found.Driver,
    ipamDriver: found.IPAM.Driver,
    scope: found.Scope,
    reservedAddresses: found.IPAM.Config.flatMap(({ AuxiliaryAddresses }) => Object.values(AuxiliaryAddresses)),
    options: found.Options,
    endpoints: Object.entries(found.Containers).map(([key, { Name, EndpointID }]) => ({
      endpointId: EndpointID === '' ? key.replace(/^ep-/, '') : EndpointID,
      name: Name,
      containerId: key.startsWith('ep-') ? undefined : key,
    })),
  };
}

async function* linesOf(response: IncomingMessage): AsyncGenerator<string> {
  let rest = '';
  response.setEncoding('utf8');
  for await (const chunk of response as AsyncIterable<string>) {
    const lines = (rest + chunk).split('\n');
    rest = lines.pop() ?? '';
    for (const line of lines) if (line.trim() !== '') yield line;
  }
}
