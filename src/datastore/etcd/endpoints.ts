import type { Random } from '../../base/retry.js';
import { describeEndpoint, type EtcdConfig } from './config.js';
import { discoverEndpoints, type ResolveSrv } from './discovery.js';

/** The endpoints of a cluster, one of them the current one: as configured, or as DNS says. */
export class Endpoints {
  readonly #configured: readonly string[];
  readonly #domain: string | undefined;
  readonly #random: Random;
  readonly #resolve: ResolveSrv;
  #known: readonly string[];
  #index: number;
  #search: Promise<void> | undefined;

  /** @param config checked */
  constructor(config: EtcdConfig, random: Random, resolve: ResolveSrv) {
    this.#configured = config.endpoints;
    this.#domain = config.discoveryDomain;
    this.#random = random;
    this.#resolve = resolve;
    this.#known = config.endpoints;
    this.#index = Math.floor(random() * this.#known.length);
  }

  /** For messages: `etcd at https://192.0.2.10:2379`. */
  get description(): string {
    if (this.#known.length > 0) return `etcd at ${this.#known.map(describeEndpoint).join(', ')}`;
    return `etcd of ${this.#domain ?? ''}`;
  }

  /** How many there are, as far as is known: one at least. */
  get count(): number {
    return Math.max(1, this.#known.length);
  }

  /** The one to talk to. Only after {@link ready}. */
  get current(): string {
    return this.#known[this.#index] ?? '';
  }

  /** Asks DNS where that has to be. @throws {UnavailableError} `ERR_CALI_DATASTORE_DISCOVERY` */
  async ready(): Promise<void> {
    if (this.#known.length > 0 || this.#domain === undefined) return;
    this.#search ??= this.#discover(this.#domain).finally(() => {
      this.#search = undefined;
    });
    await this.#search;
  }

  /** The current one does not answer. After the last of those that DNS named, DNS is asked anew: servers move. */
  leaveCurrent(): void {
    this.#index = this.#known.length === 0 ? 0 : (this.#index + 1) % this.#known.length;
    if (this.#index === 0) this.#known = this.#configured;
  }

  async #discover(domain: string): Promise<void> {
    this.#known = await discoverEndpoints(domain, this.#resolve, this.#random);
    this.#index = 0;
  }
}
