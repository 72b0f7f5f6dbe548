import { stat } from 'node:fs/promises';
import type { ResourceUpdate } from '../api/resource-update.js';
import { type Clock, sleep } from '../base/clock.js';
import type { Conditions } from '../base/conditions.js';
import { CalicoError, KernelError } from '../base/errors.js';
import type { Datastore } from '../datastore/datastore.js';
import { Syncer } from '../datastore/syncer.js';
import { NAMES_NOT_SERVED } from './conditions.js';
import type { DnsQuery } from './dns-message.js';
import { namedEndpoint } from './endpoints.js';
import { NameDirectory, type NamedEndpoint } from './name-directory.js';
import { type ListenerOptions, ResolverListener } from './resolver-listener.js';
import { Resolver } from './resolver.js';

/** A namespace is made while its container starts, and the container's first question may follow at once. */
const LOOK_SOON = { everyMs: 10, forMs: 3_000 };
const LOOK_LATER = { everyMs: 250, forMs: 60_000 };
const TRY_AGAIN_MS = 30_000;
/** How often a namespace is looked for whose container nobody reported gone. */
const STILL_THERE_MS = 2_000;

/** How the kernel says that there is no namespace, or not yet. */
const MISSING: ReadonlySet<string> = new Set(['ENOENT', 'EINVAL']);

const UNSEEN =
  "the engine's /run/docker/netns is not shared with calico-node (mount /run with propagation: -v /run:/run:rslave)";

export interface NameServiceOptions {
  readonly datastore: Datastore;
  readonly hostname: string;
  readonly clock: Clock;
  readonly conditions: Conditions;
  /** Default: in the kernel. */
  readonly listen?: (options: ListenerOptions) => Promise<Disposable>;
}

/** A container of this host, by the namespace it has. */
interface Sandbox {
  readonly path: string;
  /** What the container is called. */
  container: string;
  /** Endpoint's key → name of its network. */
  readonly networks: Map<string, string>;
  readonly stop: AbortController;
  /** It was a namespace. */
  wasSeen: boolean;
  /** Until its listener is closed. */
  done: Promise<void>;
}

/** Tells this host's containers the names of those on other hosts, as the datastore has them. */
export class NameService {
  readonly #options: NameServiceOptions;
  readonly #directory = new NameDirectory();
  readonly #resolver: Resolver;
  /** By path; those too whose listener is being closed. */
  readonly #sandboxes = new Map<string, Sandbox>();
  /** Endpoint's key → path of its namespace. */
  readonly #places = new Map<string, string>();

  constructor(options: NameServiceOptions) {
    this.#options = options;
    this.#resolver = new Resolver(this.#directory, options.hostname);
  }

  /** Returns when the signal aborts and nothing listens any more. */
  async run(signal: AbortSignal): Promise<void> {
    const { datastore, clock } = this.#options;
    const syncer = new Syncer({ datastore, clock, kinds: ['WorkloadEndpoint'] });
    try {
      for await (const event of syncer.run(signal)) {
        if (event.type === 'updates') for (const update of event.updates) this.#take(update);
      }
    } finally {
      const ending = [...this.#sandboxes.values()];
      for (const { stop } of ending) stop.abort();
      await Promise.all(ending.map(({ done }) => done));
    }
  }

  #take(update: ResourceUpdate): void {
    if (update.kind !== 'WorkloadEndpoint') return;
    const key = `${update.key.namespace ?? ''}/${update.key.name}`;
    const named = update.value === undefined ? undefined : namedEndpoint(update.value);
    this.#directory.set(key, named);
    const path = named?.node === this.#options.hostname ? named.sandbox : undefined;
    this.#leave(key, path);
    if (named !== undefined && path !== undefined && path !== '') this.#enter(key, path, named);
  }

  /** The endpoint is in no other namespace than that any more. */
  #leave(key: string, path: string | undefined): void {
    const old = this.#places.get(key);
    if (old === undefined || old === path) return;
    this.#places.delete(key);
    const sandbox = this.#sandboxes.get(old);
    sandbox?.networks.delete(key);
    if (sandbox?.networks.size !== 0) return;
    sandbox.stop.abort();
    this.#tell(sandbox, undefined);
  }

  #enter(key: string, path: string, { network, names: [container = path] }: NamedEndpoint): void {
    this.#places.set(key, path);
    const known = this.#sandboxes.get(path);
    if (known !== undefined && !known.stop.signal.aborted) {
      known.container = container;
      known.networks.set(key, network);
      return;
    }
    const networks = new Map([[key, network]]);
    const made: Sandbox = {
      path,
      container,
      networks,
      stop: new AbortController(),
      wasSeen: false,
      done: Promise.resolve(),
    };
    this.#sandboxes.set(path, made);
    made.done = this.#serveAfter(known, made);
  }

  /** Two cannot listen in one namespace: the one before is let end first. */
  async #serveAfter(before: Sandbox | undefined, sandbox: Sandbox): Promise<void> {
    await before?.done;
    await this.#serve(sandbox);
    if (this.#sandboxes.get(sandbox.path) === sandbox) this.#sandboxes.delete(sandbox.path);
  }

  /** Listens in a namespace whenever it is there, until the last endpoint has left it. */
  async #serve(sandbox: Sandbox): Promise<void> {
    const { clock, listen = (options: ListenerOptions) => ResolverListener.open(options) } = this.#options;
    const { path, networks } = sandbox;
    const { signal } = sandbox.stop;
    const resolve = (query: DnsQuery) => this.#resolver.resolve(query, new Set(networks.values()));
    const startMs = clock.monotonicMs();
    while (!signal.aborted) {
      try {
        using _listener = await listen({ sandbox: path, resolve, clock });
        sandbox.wasSeen = true;
        this.#tell(sandbox, undefined);
        await this.#whileThere(path, signal);
        await sleep(clock, LOOK_SOON.everyMs, signal);
      } catch (error) {
        if (!(error instanceof CalicoError)) throw error;
        await sleep(clock, this.#patience(sandbox, error, clock.monotonicMs() - startMs), signal);
      }
    }
  }

  /** @returns how long to wait before the next attempt */
  #patience(sandbox: Sandbox, error: CalicoError, waitedMs: number): number {
    const missing = error instanceof KernelError && MISSING.has(error.errnoName) ? error.errnoName : undefined;
    if (missing !== undefined && waitedMs < LOOK_SOON.forMs) return LOOK_SOON.everyMs;
    if (missing !== undefined && waitedMs < LOOK_LATER.forMs) return LOOK_LATER.everyMs;
    // There, and no namespace: the mount is the host's alone. Not there, or not any more: its container ended, and misses nothing.
    if (missing === 'ENOENT' || (missing === 'EINVAL' && sandbox.wasSeen)) this.#tell(sandbox, undefined);
    else this.#tell(sandbox, missing === 'EINVAL' ? UNSEEN : error.message);
    return TRY_AGAIN_MS;
  }

  /** @param reason why nobody tells it names; undefined: somebody does, or it is gone */
  #tell({ path, container, stop }: Sandbox, reason: string | undefined): void {
    const isUntold = reason !== undefined && !stop.signal.aborted;
    this.#options.conditions.set(NAMES_NOT_SERVED, isUntold ? { container, reason } : undefined, path);
  }

  /** Our sockets would keep the namespace of a container alive that ended without a word. */
  async #whileThere(path: string, signal: AbortSignal): Promise<void> {
    const first = await inode(path);
    while (!signal.aborted && first !== undefined && (await inode(path)) === first) {
      await sleep(this.#options.clock, STILL_THERE_MS, signal);
    }
  }
}

async function inode(path: string): Promise<string | undefined> {
  try {
    const { dev, ino } = await stat(path);
    return `${dev} ${ino}`;
  } catch {
    return undefined;
  }
}
