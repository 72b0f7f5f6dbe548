import type { Conditions } from '../base/conditions.js';
import { CalicoError, formatError } from '../base/errors.js';
import type { Log } from '../base/log.js';
import { SWARM_REFUSES } from './conditions.js';
import type { DockerEngine } from './engine.js';
import type { EngineInfo } from './engine-answers.js';
import type { EngineMemory } from './engine-memory.js';
import type { DockerSettings } from './settings.js';

type Scope = 'global' | 'local';

export interface DriverScopeOptions {
  readonly engine: DockerEngine;
  readonly wanted: DockerSettings['scope'];
  readonly memory: EngineMemory;
  readonly conditions: Conditions;
  readonly log: Log;
}

/** The engine waits meanwhile. */
const ASK_MS = 1_000;

/**
 * The scope of the driver's networks, which an engine asks for at its first use of the driver. `global` networks are shared by hosts whose
 * engines have a cluster store (up to 22). Without one they are refused, by engines 20 to 22 and by all that are part of a swarm: there each
 * host's networks are its own, `local`, and hosts that have one of the same name share it by our datastore.
 */
export class DriverScope {
  readonly #options: DriverScopeOptions;

  constructor(options: DriverScopeOptions) {
    this.#options = options;
  }

  /** What the engine is told; never fails. An engine that has networks of ours asks while it starts, and answers nobody until it knows. */
  async tell(): Promise<Scope> {
    const { wanted, memory } = this.#options;
    if (wanted !== undefined) return wanted;
    const info = await this.#ask();
    if (info === undefined) return (await memory.read()).scope ?? 'global';
    const scope = info.hasClusterStore ? 'global' : 'local';
    await memory.keep((before) => ({ ...before, scope }));
    return scope;
  }

  /** Says in node status when somebody chose what the engine must refuse. */
  async check(): Promise<void> {
    const { wanted, conditions } = this.#options;
    if (wanted === 'global' && (await this.#ask())?.isInSwarm === true) conditions.raise(SWARM_REFUSES, undefined);
    else conditions.clear(SWARM_REFUSES);
  }

  async #ask(): Promise<EngineInfo | undefined> {
    const { engine, log } = this.#options;
    try {
      return await engine.info({ signal: AbortSignal.timeout(ASK_MS) });
    } catch (error) {
      const isExpected = error instanceof CalicoError || (error instanceof Error && error.name === 'TimeoutError');
      if (!isExpected) throw error;
      log.debug('the engine does not say what it is part of', {
        reason: formatError(error).split('\n')[0] ?? '',
      });
      return undefined;
    }
  }
}
