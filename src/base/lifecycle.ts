/** The states of everything with a life. */
export type LifeState = 'stopped' | 'starting' | 'running' | 'stopping';

export interface LifeSteps {
  /** @param signal aborts when it is to stop before it is up */
  readonly start: (signal: AbortSignal) => Promise<void>;
  /** Runs after a start that succeeded, and after one that failed half-way. */
  readonly stop: () => Promise<void>;
}

/**
 * Start and stop in their order: starting twice is one start, stopping twice one stop, a stop during a start aborts that start and
 * then cleans up. May be started again after a stop.
 */
export class Life implements AsyncDisposable {
  readonly #steps: LifeSteps;
  #state: LifeState = 'stopped';
  #starting: Promise<void> | undefined;
  #stopping: Promise<void> | undefined;
  #abort = new AbortController();

  constructor(steps: LifeSteps) {
    this.#steps = steps;
  }

  get state(): LifeState {
    return this.#state;
  }

  /** Throws what the start threw, after cleaning up. */
  start(): Promise<void> {
    if (this.#stopping !== undefined) return this.#stopping.then(() => this.start());
    this.#starting ??= this.#start();
    return this.#starting;
  }

  async #start(): Promise<void> {
    this.#state = 'starting';
    this.#abort = new AbortController();
    try {
      await this.#steps.start(this.#abort.signal);
      if (this.#state === 'starting') this.#state = 'running';
    } catch (error) {
      await this.#end();
      throw error;
    }
  }

  stop(): Promise<void> {
    if (this.#stopping === undefined && this.#starting === undefined) return Promise.resolve();
    this.#stopping ??= this.#stop(this.#starting);
    return this.#stopping;
  }

  async #stop(start: Promise<void> | undefined): Promise<void> {
    this.#state = 'stopping';
    this.#abort.abort();
    const [outcome] = await Promise.allSettled([start]);
    // A start that failed has cleaned up, and its caller has the error.
    if (outcome.status === 'fulfilled') await this.#end();
  }

  async #end(): Promise<void> {
    this.#state = 'stopping';
    try {
      await this.#steps.stop();
    } finally {
      this.#state = 'stopped';
      this.#starting = undefined;
      this.#stopping = undefined;
    }
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stop();
  }
}
