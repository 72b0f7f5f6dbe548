import * as v from 'valibot';
import { type Clock, sleep, systemClock } from '../base/clock.js';
import type { Conditions } from '../base/conditions.js';
import { CalicoError } from '../base/errors.js';
import type { Log } from '../base/log.js';
import type { Client } from '../client/client.js';
import type { Ipam } from '../ipam/ipam.js';
import { AddressBook } from './address-book.js';
import { PLUGIN_NOT_SERVED } from './conditions.js';
import { ContainerNames } from './container-names.js';
import { DockerEndpoints } from './endpoints.js';
import { DockerEngine } from './engine.js';
import { EngineMemory, MEMORY_FILE } from './engine-memory.js';
import { EngineWatch } from './engine-watch.js';
import { IpamDriver } from './ipam-driver.js';
import { LeakSearch } from './leak-search.js';
import { badRequest, datastoreSlow } from './messages.js';
import { NameService } from './name-service.js';
import { type DockerKernel, NetworkDriver } from './network-driver.js';
import { Networks } from './networks.js';
import { type PluginMethod, PluginServer } from './plugin-server.js';
import * as protocol from './protocol.js';
import type { DockerSettings } from './settings.js';
import { DriverScope } from './swarm.js';

/** Where engines look for a plugin of this name; fixed in them. */
export const PLUGIN_SOCKET = '/run/docker/plugins/calico.sock';

/** An engine waits for ever, its user does not. */
const PATIENCE_MS = 25_000;
const LISTEN_AGAIN_MS = 10_000;

const TAKES_AWAY: ReadonlySet<string> = new Set([
  'NetworkDriver.Leave',
  'NetworkDriver.DeleteEndpoint',
  'IpamDriver.ReleaseAddress',
]);

export interface DockerPluginOptions {
  readonly client: Client;
  readonly ipam: Ipam;
  readonly hostname: string;
  readonly settings: DockerSettings;
  readonly kernel: DockerKernel;
  readonly conditions: Conditions;
  readonly log: Log;
  readonly clock?: Clock;
  readonly engine?: DockerEngine;
  readonly socketPath?: string;
  /** Where what the engine said is kept. */
  readonly memoryFile?: string;
}

/** Docker's network and IPAM driver `calico`, on one socket. */
export class DockerPlugin {
  readonly #clock: Clock;
  readonly #conditions: Conditions;
  readonly #log: Log;
  readonly #socketPath: string;
  readonly #scope: DriverScope;
  readonly #ipam: IpamDriver;
  readonly #network: NetworkDriver;
  readonly #watch: EngineWatch;
  readonly #names: NameService | undefined;

  constructor(options: DockerPluginOptions) {
    const { client, ipam, hostname, settings, kernel, conditions, clock = systemClock } = options;
    const log = options.log.part('docker');
    const engine = options.engine ?? new DockerEngine(settings.engineAddress);
    const handleId = `libnetwork.${hostname}`;
    const book = new AddressBook(clock);
    const endpoints = new DockerEndpoints(client, hostname);
    const memory = new EngineMemory(options.memoryFile ?? MEMORY_FILE, log);
    const networks = new Networks({ client, engine, memory, createProfiles: settings.createProfiles });
    this.#clock = clock;
    this.#conditions = conditions;
    this.#log = log;
    this.#socketPath = options.socketPath ?? PLUGIN_SOCKET;
    this.#scope = new DriverScope({
      engine,
      wanted: settings.scope,
      memory,
      conditions,
      log,
    });
    const isTaken = async (address: string): Promise<boolean> => {
      const bearers = (await endpoints.load()).filter(({ addresses }) => addresses.includes(address));
      const taken = await Promise.all(bearers.map(({ interfaceName }) => kernel.isTaken(interfaceName)));
      return taken.includes(true);
    };
    this.#ipam = new IpamDriver({ client, ipam, hostname, handleId, book, isTaken, log });
    this.#network = new NetworkDriver({
      engine,
      networks,
      endpoints,
      ipam: this.#ipam,
      kernel,
      settings,
      clock,
      log,
    });
    const leaks = new LeakSearch({ engine, endpoints, ipam, handleId, book, kernel, clock, log });
    const names = new ContainerNames(engine, endpoints, settings.labelEndpoints);
    this.#watch = new EngineWatch({ engine, networks, leaks, names, scope: this.#scope, clock, conditions, log });
    if (settings.resolveNames) {
      this.#names = new NameService({ datastore: client.datastore, hostname, clock, conditions });
    }
  }

  /** Serves until the signal aborts. A socket that cannot be made is tried again; node status says so meanwhile. */
  async run(signal: AbortSignal): Promise<void> {
    const server = await this.#listen(signal);
    if (server === undefined) return;
    try {
      await Promise.all([this.#watch.run(signal), this.#names?.run(signal)]);
    } finally {
      this.#network.close();
      await server.close();
    }
  }

  async #listen(signal: AbortSignal): Promise<PluginServer | undefined> {
    while (!signal.aborted) {
      try {
        const methods = this.methods();
        const server = await PluginServer.start({ socketPath: this.#socketPath, methods, log: this.#log });
        this.#conditions.clear(PLUGIN_NOT_SERVED);
        this.#log.info(`Docker's driver "calico" listens on ${this.#socketPath}`);
        return server;
      } catch (error) {
        if (!(error instanceof CalicoError)) throw error;
        this.#conditions.raise(PLUGIN_NOT_SERVED, { reason: error.message });
      }
      await sleep(this.#clock, LISTEN_AGAIN_MS, signal);
    }
    return undefined;
  }

  /** Everything an engine may call, by its path. */
  methods(): Record<string, PluginMethod> {
    const none = (): object => ({});
    const p = protocol;
    return {
      'Plugin.Activate': () => ({ Implements: ['NetworkDriver', 'IpamDriver'] }),
      'NetworkDriver.GetCapabilities': async () => ({ Scope: await this.#scope.tell() }),
      'IpamDriver.GetCapabilities': none,
      'IpamDriver.GetDefaultAddressSpaces': () => p.ADDRESS_SPACES,
      ...this.#call('IpamDriver.RequestPool', p.requestPool, (body) => this.#ipam.requestPool(body)),
      ...this.#call('IpamDriver.RequestAddress', p.requestAddress, (body) => this.#ipam.requestAddress(body)),
      ...this.#call('IpamDriver.ReleaseAddress', p.releaseAddress, (body) => this.#ipam.releaseAddress(body)),
      'IpamDriver.ReleasePool': none,
      ...this.#call('NetworkDriver.CreateNetwork', p.createNetwork, (body) => this.#network.createNetwork(body)),
      ...this.#call('NetworkDriver.DeleteNetwork', p.networkReference, (body) =>
        this.#network.deleteNetwork(body.NetworkID),
      ),
      ...this.#call('NetworkDriver.CreateEndpoint', p.createEndpoint, (body) => this.#network.createEndpoint(body)),
      ...this.#call('NetworkDriver.Join', p.join, (body) => this.#network.join(body)),
      ...this.#call('NetworkDriver.Leave', p.endpointReference, (body) => this.#network.leave(body)),
      ...this.#call('NetworkDriver.DeleteEndpoint', p.endpointReference, (body) => this.#network.deleteEndpoint(body)),
      ...this.#call('NetworkDriver.EndpointOperInfo', p.endpointReference, async (body) => {
        await this.#network.settle(body);
        return { Value: {} };
      }),
      'NetworkDriver.ProgramExternalConnectivity': none,
      'NetworkDriver.RevokeExternalConnectivity': none,
      'NetworkDriver.DiscoverNew': none,
      'NetworkDriver.DiscoverDelete': none,
      'NetworkDriver.AllocateNetwork': () => ({ Options: {} }),
      'NetworkDriver.FreeNetwork': none,
    };
  }

  #call<T>(
    name: string,
    schema: v.GenericSchema<unknown, T>,
    handle: (body: T) => Promise<object | void>,
  ): Record<string, PluginMethod> {
    const method: PluginMethod = async (body) => {
      const read = v.safeParse(schema, body);
      if (!read.success) throw badRequest(name, read.issues.map(issueText).join('; '));
      try {
        return (await this.#withinPatience(handle(read.output))) ?? {};
      } catch (error) {
        // An engine asks once, and takes the container for gone.
        if (TAKES_AWAY.has(name)) this.#watch.lookSoon();
        throw error;
      }
    };
    return { [name]: method };
  }

  /** What ends later is found by the search for leaks. */
  async #withinPatience<T>(work: Promise<T>): Promise<T> {
    const done = new AbortController();
    const late = sleep(this.#clock, PATIENCE_MS, done.signal).then(() => {
      throw datastoreSlow(PATIENCE_MS / 1_000);
    });
    try {
      return await Promise.race([work, late]);
    } finally {
      late.catch(() => undefined);
      work.catch(() => undefined);
      done.abort();
    }
  }
}

function issueText(issue: v.BaseIssue<unknown>): string {
  const path = v.getDotPath(issue);
  return path === null ? issue.message : `${path}: ${issue.message}`;
}
