import { type Clock, sleep } from '../base/clock.js';
import type { Conditions } from '../base/conditions.js';
import { CalicoError, formatError } from '../base/errors.js';
import type { Log } from '../base/log.js';
import { backoffDelayMs } from '../base/retry.js';
import { ContainerNames } from './container-names.js';
import { ENGINE_AWAY } from './conditions.js';
import type { DockerEngine } from './engine.js';
import type { LeakSearch } from './leak-search.js';
import type { Networks } from './networks.js';
import type { DriverScope } from './swarm.js';

/** The name by which users know both drivers. */
export const DRIVER = 'calico';

const BACKOFF = { initialMs: 500, maxMs: 5_000 };
/** How often leaks are looked for when nothing happened. */
const LOOK_EVERY_MS = 300_000;
/** And when a look failed, or something could not be taken away when the engine asked for it. */
const LOOK_SOON_MS = 20_000;

export interface EngineWatchOptions {
  readonly engine: DockerEngine;
  readonly networks: Networks;
  readonly leaks: LeakSearch;
  readonly names: ContainerNames;
  readonly scope: DriverScope;
  readonly clock: Clock;
  readonly conditions: Conditions;
  readonly log: Log;
}

/**
 * Follows an engine for as long as the plugin lives: a network gets its profile as soon as it has a name, and whatever an engine
 * left behind when it ended is looked for when it is back.
 */
export class EngineWatch {
  readonly #options: EngineWatchOptions;
  readonly #working = new Set<Promise<void>>();
  /** Ends the wait for the next look. */
  #wake = new AbortController();

  constructor(options: EngineWatchOptions) {
    this.#options = options;
  }

  /** Something may have been left behind: looks for it in a while, not minutes later. */
  lookSoon(): void {
    this.#wake.abort();
  }

  /** Returns when the signal aborts. */
  async run(signal: AbortSignal): Promise<void> {
    const { clock, conditions, engine } = this.#options;
    for (let attempt = 0; !isAborted(signal); attempt += 1) {
      const session = new AbortController();
      const either = AbortSignal.any([signal, session.signal]);
      let looking: Promise<void> | undefined;
      try {
        await engine.version({ signal: either });
        conditions.clear(ENGINE_AWAY);
        attempt = 0;
        looking = this.#lookAgainAndAgain(either);
        await this.#follow(either);
      } catch (error) {
        if (isAborted(signal)) return;
        if (!(error instanceof CalicoError)) throw error;
        conditions.raise(ENGINE_AWAY, { reason: error.message });
      } finally {
        session.abort();
        await Promise.all([looking, ...this.#working]);
      }
      await sleep(clock, backoffDelayMs(attempt, BACKOFF, Math.random), signal);
    }
  }

  async #follow(signal: AbortSignal): Promise<void> {
    const { engine, names, networks, scope } = this.#options;
    for await (const event of engine.events(signal)) {
      const { type, action, id, attributes } = event;
      // A host that joins a swarm or leaves it.
      if (type === 'node') await scope.check();
      const { name } = attributes;
      const renamed = ContainerNames.renamed(event);
      // Not waited for: the engine answers of a container that starts only when it has started.
      if (renamed !== undefined)
        this.#later('the names of a container are not kept yet', () => names.refresh(renamed, signal));
      if (type !== 'network' || action !== 'create' || attributes['type'] !== DRIVER || name === undefined) continue;
      await this.#attempt(`the profile of network "${name}" is not made yet`, () =>
        networks.ensureProfile({ id, name }),
      );
    }
  }

  async #lookAgainAndAgain(signal: AbortSignal): Promise<void> {
    const { clock, engine, leaks, names, networks, scope } = this.#options;
    let namesKeptMs = Number.NEGATIVE_INFINITY;
    while (!isAborted(signal)) {
      await scope.check();
      let waitMs = LOOK_SOON_MS;
      await this.#attempt('cannot look for what containers left behind', async () => {
        const all = await engine.listNetworks({ signal });
        const mine = all.filter(({ driver }) => driver === DRIVER);
        await networks.remember(mine);
        for (const network of mine) await networks.ensureProfile(network);
        waitMs = (await leaks.look(all, signal)) ?? LOOK_EVERY_MS;
        // A question for each container: not as often as suspects are looked at.
        if (clock.monotonicMs() - namesKeptMs < LOOK_EVERY_MS) return;
        await names.refreshAll(signal);
        namesKeptMs = clock.monotonicMs();
      });
      await this.#untilNextLook(waitMs, signal);
    }
  }

  async #untilNextLook(waitMs: number, signal: AbortSignal): Promise<void> {
    const { clock } = this.#options;
    await sleep(clock, waitMs, AbortSignal.any([signal, this.#wake.signal]));
    if (!this.#wake.signal.aborted) return;
    this.#wake = new AbortController();
    // What could not be done a moment ago cannot be done now, either.
    await sleep(clock, Math.min(waitMs, LOOK_SOON_MS), signal);
  }

  #later(what: string, work: () => Promise<unknown>): void {
    const done = this.#attempt(what, work).finally(() => this.#working.delete(done));
    this.#working.add(done);
  }

  /** What fails here is done again: at the next look, or when the first container comes. */
  async #attempt(what: string, work: () => Promise<unknown>): Promise<void> {
    try {
      await work();
    } catch (error) {
      this.#options.log.info(what, { reason: formatError(error).split('\n')[0] ?? '' });
    }
  }
}

// A call, so that the compiler does not take an earlier answer for the present one.
function isAborted(signal: AbortSignal): boolean {
  return signal.aborted;
}
