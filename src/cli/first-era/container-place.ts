import { existsSync } from 'node:fs';
import { convertName } from '../../api/v1/names.js';
import { NotFoundError } from '../../base/errors.js';
import { DockerEngine } from '../../docker/engine.js';
import type { EngineContainer } from '../../docker/engine-answers.js';
import type { Context } from '../command.js';

/** Network driver of Docker networks that are Calico's. */
const DRIVER = 'calico';

/** A container of this host: where its network namespace is, and what the datastore calls it. */
export interface ContainerPlace {
  /** As it was typed. */
  readonly typed: string;
  readonly orchestrator: 'docker' | 'namespace';
  /** The container's id, or the namespace's path with dashes. */
  readonly workload: string;
  /** Path, or a process in it; undefined for a container that does not run or is gone. */
  readonly netns: string | number | undefined;
  readonly isOnHostNetwork: boolean;
  /** Ids of its endpoints on Docker networks of ours. */
  readonly dockerEndpoints: readonly string[];
}

/** `/var/run/netns/web` → `run-netns-web`. */
export function workloadOfPath(path: string): string {
  const plain = path.replace(/^\/var\/run\//, '/run/').replaceAll('/', '-');
  return convertName(plain.replace(/^-+/, ''));
}

function placeOfPath(path: string): ContainerPlace {
  return {
    typed: path,
    orchestrator: 'namespace',
    workload: workloadOfPath(path),
    netns: existsSync(path) ? path : undefined,
    isOnHostNetwork: false,
    dockerEndpoints: [],
  };
}

async function dockerEndpoints(engine: DockerEngine, { id, isRunning }: EngineContainer): Promise<readonly string[]> {
  if (!isRunning) return [];
  const networks = (await engine.listNetworks()).filter(({ driver }) => driver === DRIVER);
  const inspected = await Promise.all(networks.map((network) => engine.inspectNetwork(network.id)));
  return inspected
    .flatMap(({ endpoints }) => endpoints)
    .filter(({ containerId }) => containerId === id)
    .map(({ endpointId }) => endpointId);
}

/**
 * A container by Docker name, id or prefix of its id, or by the path of a network namespace.
 *
 * @returns undefined for a container that Docker does not know
 * @throws {UnavailableError} no Docker engine answers
 */
export async function findContainer(typed: string, context: Context): Promise<ContainerPlace | undefined> {
  if (typed.startsWith('/')) return placeOfPath(typed);
  const engine = DockerEngine.fromEnvironment(context.environment);
  try {
    const found = await engine.inspectContainer(typed);
    return {
      typed,
      orchestrator: 'docker',
      workload: found.id,
      netns: found.isRunning ? found.pid : undefined,
      isOnHostNetwork: found.networkMode === 'host',
      dockerEndpoints: await dockerEndpoints(engine, found),
    };
  } catch (error) {
    if (error instanceof NotFoundError) return undefined;
    throw error;
  }
}
