import {
  container,
  containers,
  type EngineContainer,
  type EngineContainerSummary,
  type EngineEvent,
  type EngineInfo,
  type EngineNetwork,
  event,
  info,
  network,
  networks,
  version,
} from './engine-answers.js';
import { type CallOptions, EngineConnection } from './engine-connection.js';

/** Where a Docker engine listens unless DOCKER_HOST says otherwise. */
export const DOCKER_SOCKET = '/var/run/docker.sock';

/** What DOCKER_HOST names; without it the engine of this host. */
export function engineAddress(environment: Readonly<Record<string, string | undefined>>): string {
  const address = environment['DOCKER_HOST']?.trim() ?? '';
  return address === '' ? DOCKER_SOCKET : address;
}

/**
 * Asks a Docker engine over its API: what containers and networks there are. Reads only.
 *
 * Every method throws UnavailableError `ERR_CALI_DOCKER_UNREACHABLE` when no engine answers, CalicoError `ERR_CALI_DOCKER_REFUSED`
 * with the engine's words, and the signal's reason when that aborts. Podman's socket answers the same questions.
 */
export class DockerEngine {
  readonly #connection: EngineConnection;

  /** @throws {UnsupportedError} `ERR_CALI_DOCKER_HOST` the address is neither a unix socket nor plain TCP */
  constructor(address: string = DOCKER_SOCKET) {
    this.#connection = new EngineConnection(address);
  }

  /** `/var/run/docker.sock` or `tcp://192.0.2.1:2375`. */
  get address(): string {
    return this.#connection.address;
  }

  static fromEnvironment(environment: Readonly<Record<string, string | undefined>>): DockerEngine {
    return new DockerEngine(engineAddress(environment));
  }

  /**
   * A container by name, id or a prefix of its id.
   *
   * Never ask from within a call that the engine made for this container: it answers only when that call has ended.
   *
   * @throws {NotFoundError} `ERR_CALI_DOCKER_NOT_FOUND`
   */
  inspectContainer(nameOrId: string, options: CallOptions = {}): Promise<EngineContainer> {
    return this.#connection.read(container, `/containers/${encodeURIComponent(nameOrId)}/json`, options);
  }

  /** Containers, the stopped ones too; only those of exactly this name when given. Answers also while one of them starts. */
  async listContainers(options: CallOptions & { readonly name?: string } = {}): Promise<EngineContainerSummary[]> {
    const { name } = options;
    // The filter is a regular expression that the engine looks for anywhere in "/NAME".
    const pattern = name?.replaceAll(/[.*+?^${}()|[\]\\]/g, String.raw`\$&`);
    const filters =
      pattern === undefined ? '' : `&filters=${encodeURIComponent(JSON.stringify({ name: [`^/${pattern}$`] }))}`;
    const all = await this.#connection.read(containers, `/containers/json?all=1${filters}`, options);
    return all.filter(({ names }) => name === undefined || names.includes(name));
  }

  /** @throws {NotFoundError} `ERR_CALI_DOCKER_NOT_FOUND`, also from within the calls that create and delete the network */
  inspectNetwork(nameOrId: string, options: CallOptions = {}): Promise<EngineNetwork> {
    return this.#connection.read(network, `/networks/${encodeURIComponent(nameOrId)}`, options);
  }

  /** All networks, without their endpoints. */
  listNetworks(options: CallOptions = {}): Promise<EngineNetwork[]> {
    return this.#connection.read(networks, '/networks', options);
  }

  version(options: CallOptions = {}): Promise<{ readonly version: string; readonly apiVersion: string }> {
    return this.#connection.read(version, '/version', options);
  }

  info(options: CallOptions = {}): Promise<EngineInfo> {
    return this.#connection.read(info, '/info', options);
  }

  /**
   * What happens to containers, networks and the swarm's nodes from now on. Ends quietly when the signal aborts.
   *
   * @throws {UnavailableError} `ERR_CALI_DOCKER_UNREACHABLE` the engine ended or cannot be reached
   */
  events(signal: AbortSignal): AsyncGenerator<EngineEvent> {
    const filters = encodeURIComponent(JSON.stringify({ type: ['container', 'network', 'node'] }));
    return this.#connection.follow(event, `/events?filters=${filters}`, signal);
  }
}
