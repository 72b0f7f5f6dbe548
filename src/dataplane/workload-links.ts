import { type Clock, TimeSlice } from '../base/clock.js';
import type { CalicoError } from '../base/errors.js';
import type { HostKernel } from './host-kernel.js';
import type { Links } from './links.js';
import type { ProgramOutcome } from './routes.js';
import type { DataplaneSettings } from './settings.js';
import { configureWorkloadInterface } from './sysctls.js';

/** One turn does the sysctls of some dozens of interfaces. */
const SLICE_MS = 15;

/** Sees to it that the interfaces of endpoints have their sysctls, once each time they come up. */
export class WorkloadLinks {
  readonly #kernel: HostKernel;
  readonly #links: Links;
  readonly #settings: DataplaneSettings;
  readonly #clock: Clock;
  readonly #configured = new Set<number>();

  constructor(options: {
    readonly kernel: HostKernel;
    readonly links: Links;
    readonly settings: DataplaneSettings;
    readonly clock: Clock;
  }) {
    this.#kernel = options.kernel;
    this.#links = options.links;
    this.#settings = options.settings;
    this.#clock = options.clock;
  }

  isConfigured(index: number): boolean {
    return this.#configured.has(index);
  }

  /** The link came, went, or went up or down. */
  linkChanged(index: number): void {
    this.#configured.delete(index);
  }

  /** All interfaces are looked at again at the next {@link configure}. */
  forget(): void {
    this.#configured.clear();
  }

  /** Those of the interfaces that are up and not configured yet. */
  async configure(names: Iterable<string>): Promise<ProgramOutcome> {
    const slice = new TimeSlice(this.#clock, SLICE_MS);
    const failures: CalicoError[] = [];
    let writes = 0;
    for (const name of names) {
      const link = this.#links.get(name);
      if (link?.isUp !== true || this.#configured.has(link.index)) continue;
      const outcome = configureWorkloadInterface(this.#kernel, this.#settings, name);
      writes += outcome.writes;
      failures.push(...outcome.failures);
      if (outcome.failures.length === 0) this.#configured.add(link.index);
      await slice.pause();
    }
    return { writes, failures };
  }
}
