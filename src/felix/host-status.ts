import { hostStatusName, lastReportedName } from '../api/felix-status-names.js';
import { type Clock, sleep } from '../base/clock.js';
import { CalicoError } from '../base/errors.js';
import type { Datastore } from '../datastore/datastore.js';

/** How and how often a host says that it is alive. */
export interface HostStatusSettings {
  /** 0: never. */
  readonly intervalMs: number;
  readonly ttlMs: number;
  readonly region: string;
}

export interface HostStatusOptions {
  readonly hostname: string;
  readonly datastore: Datastore;
  readonly clock: Clock;
  readonly onFailure: (error: CalicoError) => void;
}

/**
 * Says in the datastore, again and again, that this host is alive and in line with it. One key goes by itself when the host has not been
 * heard of for the time to live; another stays, with the time of the last report.
 */
export class HostStatus {
  readonly #options: HostStatusOptions;
  readonly #startedMs: number;
  #settings: HostStatusSettings | undefined;
  #isFirst = true;
  #isReady = false;
  #changed = new AbortController();

  constructor(options: HostStatusOptions) {
    this.#options = options;
    this.#startedMs = options.clock.monotonicMs();
  }

  configure(settings: HostStatusSettings): void {
    this.#settings = settings;
    this.#restart();
  }

  /** The kernel is in line with the datastore: from now on there is something to report. */
  ready(): void {
    if (this.#isReady) return;
    this.#isReady = true;
    this.#restart();
  }

  #restart(): void {
    this.#changed.abort();
    this.#changed = new AbortController();
  }

  /** Until the signal aborts. Throws only for bugs. */
  async run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      const woken = AbortSignal.any([signal, this.#changed.signal]);
      const settings = this.#settings;
      if (settings !== undefined && settings.intervalMs > 0 && this.#isReady) {
        await this.#report(settings);
        await sleep(this.#options.clock, settings.intervalMs, woken);
      } else await untilAborted(woken);
    }
  }

  async #report({ region, ttlMs }: HostStatusSettings): Promise<void> {
    const { hostname, datastore, clock, onFailure } = this.#options;
    const status = {
      time: new Date(clock.wallMs()).toISOString().replace(/\.\d+Z$/, 'Z'),
      uptime: Number(((clock.monotonicMs() - this.#startedMs) / 1_000).toFixed(3)),
      first_update: this.#isFirst,
    };
    try {
      await datastore.put({ kind: 'FelixStatus', name: lastReportedName(region, hostname) }, status);
      const key = { kind: 'FelixStatus', name: hostStatusName(region, hostname) } as const;
      await datastore.put(key, status, ttlMs > 0 ? { ttlSeconds: ttlMs / 1_000 } : {});
      this.#isFirst = false;
    } catch (error) {
      if (!(error instanceof CalicoError)) throw error;
      onFailure(error);
    }
  }
}

function untilAborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener('abort', () => resolve(), { once: true });
  });
}
