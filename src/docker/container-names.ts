import { NotFoundError } from '../base/errors.js';
import { type DockerEndpoints, policyLabels } from './endpoints.js';
import type { DockerEngine } from './engine.js';
import type { EngineEvent } from './engine-answers.js';

/** Keeps in the datastore what this host's containers are called: aliases are known only once a container runs, and names change. */
export class ContainerNames {
  readonly #engine: DockerEngine;
  readonly #endpoints: DockerEndpoints;
  readonly #labelEndpoints: boolean;

  constructor(engine: DockerEngine, endpoints: DockerEndpoints, labelEndpoints: boolean) {
    this.#engine = engine;
    this.#endpoints = endpoints;
    this.#labelEndpoints = labelEndpoints;
  }

  /** The container of which an event says that it may be called otherwise now. */
  static renamed({ type, action, id, attributes }: EngineEvent): string | undefined {
    if (type === 'container') return action === 'start' || action === 'rename' ? id : undefined;
    return type === 'network' && action === 'connect' ? attributes['container'] : undefined;
  }

  /** @throws {UnavailableError} engine or datastore does not answer */
  async refresh(containerId: string, signal: AbortSignal): Promise<void> {
    try {
      const { name, aliases, labels: all } = await this.#engine.inspectContainer(containerId, { signal });
      const labels = this.#labelEndpoints ? policyLabels(all).labels : {};
      for (const [endpointId, names] of Object.entries(aliases)) {
        if (this.#endpoints.isKnown(endpointId))
          await this.#endpoints.rename(endpointId, { container: name, names, labels });
      }
    } catch (error) {
      // It ended meanwhile.
      if (!(error instanceof NotFoundError)) throw error;
    }
  }

  /** All containers that run. */
  async refreshAll(signal: AbortSignal): Promise<void> {
    for (const { id, state, places } of await this.#engine.listContainers({ signal })) {
      const isOurs = places.some(({ endpointId }) => this.#endpoints.isKnown(endpointId));
      if (isOurs && state === 'running') await this.refresh(id, signal);
    }
  }
}
