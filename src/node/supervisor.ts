import { randomBytes } from 'node:crypto';
import { mkdir, writeFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import { dirname } from 'node:path';
import type { FelixValues } from '../api/felix-parameters.js';
import { type Clock, sleep, systemClock } from '../base/clock.js';
import { Conditions, type ShownCondition } from '../base/conditions.js';
import { CalicoError, formatError, UnavailableError } from '../base/errors.js';
import type { Log } from '../base/log.js';
import { Client } from '../client/client.js';
import { AgentLog } from '../felix/agent-log.js';
import { Agent } from '../felix/agent.js';
import { localFelixSources } from '../felix/config-sources.js';
import { readOptionalFile } from '../felix/felix-program.js';
import { Health } from '../felix/health.js';
import { SoleAgent } from '../felix/sole-agent.js';
import type { FeatureReport } from '../features/probe.js';
import { DockerPlugin } from '../docker/plugin.js';
import { type DockerSettings, readDockerSettings } from '../docker/settings.js';
import { Ipam } from '../ipam/ipam.js';
import { LOCAL_API_SOCKET } from '../localapi/protocol.js';
import { LocalApiServer } from '../localapi/server.js';
import { addWorkloadAddress, removeWorkloadAddress } from '../workload/address.js';
import { attachWorkload } from '../workload/attach.js';
import { detachWorkload } from '../workload/detach.js';
import { isCableTaken, layLooseCable, listLooseCables } from '../workload/loose-cable.js';
import { addSecondWay } from '../workload/second-way.js';
import { kernelHasIpv6 } from '../workload/sysctls.js';
import { type BgpService, noBgpService } from './bgp-service.js';
import {
  PROBES_NOT_SERVED,
  LOGGED_ELSEWHERE,
  NAME_NOT_KEPT,
  NO_HOST_ADDRESS,
  SINGLE_HOST_DATASTORE,
} from './conditions.js';
import { type NodeDatastore, openNodeDatastore } from './datastore-access.js';
import { checkDefaultRoute, probeFeatures, requireNfTables, requireRoot } from './host-checks.js';
import { uplinkMtu } from '../features/host-conditions.js';
import { readHostInterfaces, sourceAddressTo } from './host-interfaces.js';
import { localRoutes } from './local-routes.js';
import { chooseNodeName, NODE_NAME_FILE } from '../api/node-name.js';
import type { NodeMetrics } from './node-metrics.js';
import { NodeState } from './node-state.js';
import { untilDatastoreAnswers } from './patience.js';
import { type Environment, type NodeSettings, readNodeSettings } from './settings.js';
import { type StartedUp, startUp, type StartUpOptions, writeNode } from './start-up.js';
import { Workloads } from './workloads.js';

export interface SupervisorOptions {
  readonly environment: Environment;
  readonly log: Log;
  /** Says one line to whoever started us. */
  readonly announce: (line: string) => void;
  readonly clock?: Clock;
  readonly socketPath?: string;
  /** The BGP speaker, for the backend `bird`. */
  readonly openBgp?: (context: {
    readonly log: Log;
    readonly conditions: Conditions;
    readonly clock: Clock;
  }) => BgpService;
}

export const STARTED_LINE = 'Calico node started successfully';

/** Everything that surrounds the agent on one host, for one run of `calico-node`. */
export class Supervisor {
  readonly #options: SupervisorOptions;
  readonly #log: Log;
  readonly #clock: Clock;
  readonly #settings: NodeSettings;
  readonly #docker: DockerSettings;
  readonly #name: string;
  readonly #nameFile: string;
  readonly #health = new Health();
  readonly #conditions: Conditions;
  readonly #state: NodeState;
  readonly #startedAt: string;
  #bgp: BgpService = noBgpService;
  #agent: Agent | undefined;
  #store: NodeDatastore | undefined;
  #workloads: Workloads | undefined;
  #features: readonly FeatureReport[] = [];
  #metrics: NodeMetrics | undefined;
  readonly #served = new Set<string>();
  readonly #work: Promise<void>[] = [];
  #signal: AbortSignal = AbortSignal.abort();

  /** @throws {CalicoError} the environment makes no sense */
  constructor(options: SupervisorOptions) {
    const { environment, log, clock = systemClock } = options;
    this.#options = options;
    this.#log = log.part('node');
    this.#clock = clock;
    this.#settings = readNodeSettings(environment);
    this.#docker = readDockerSettings(environment);
    this.#nameFile = environment['CALICO_NODENAME_FILE'] ?? NODE_NAME_FILE;
    this.#name = chooseNodeName({ environment, fileText: readOptionalFile(this.#nameFile), osName: hostname() });
    this.#startedAt = new Date(clock.wallMs()).toISOString();
    this.#conditions = new Conditions(clock, {
      onShown: (shown) => this.#logCondition(shown),
      onGone: ({ text }) => this.#log.info(`no longer: ${text}`),
    });
    this.#state = new NodeState(new AgentLog(log, this.#health), this.#conditions, {
      onParameters: (values) => this.#serveProbes(values),
      onBgpPlan: (plan) => this.#bgp.apply(plan),
      onProgrammed: (tookMs) => this.#metrics?.programmed(tookMs),
      onProgrammingFailed: () => this.#metrics?.failed(),
    });
  }

  #logCondition({ code, severity, text, hint }: ShownCondition): void {
    if (LOGGED_ELSEWHERE.has(code)) return;
    this.#log[severity === 'warning' ? 'warn' : severity](text, hint === undefined ? undefined : { hint });
  }

  /**
   * Runs until the signal aborts. Then the agent stops; BIRD, etcd and everything in the kernel stay.
   *
   * @throws {CalicoError} what no waiting mends: not root, another calico-node, no address of this host, an address taken
   */
  async run(signal: AbortSignal): Promise<void> {
    const stop = new AbortController();
    this.#signal = AbortSignal.any([signal, stop.signal]);
    requireRoot();
    await requireNfTables();
    await using server = await LocalApiServer.start({
      socketPath: this.#options.socketPath ?? LOCAL_API_SOCKET,
      routes: localRoutes(this.#view()),
      onBug: (error) => this.#log.error('the local API failed unforeseen', { error }),
    });
    await using _sole = this.#settings.runFelix ? await SoleAgent.claim('calico-node') : undefined;
    try {
      await this.#serve();
    } catch (error) {
      // Told to stop while it waited for something: that is no failure.
      if (!signal.aborted) throw error;
    } finally {
      stop.abort();
      await server.close();
      await Promise.allSettled(this.#work);
      await this.#bgp.close();
      await this.#store?.datastore[Symbol.asyncDispose]();
      this.#conditions.close();
    }
    this.#log.info('stopped; rules, routes, BIRD and etcd stay');
  }

  async #serve(): Promise<void> {
    const { environment } = this.#options;
    const surroundings = { log: this.#log, clock: this.#clock, conditions: this.#conditions };
    this.#health.report('FelixStartup', { isReady: false, detail: 'waiting for the datastore' });
    this.#log.info(`calico-node for host "${this.#name}"`);
    const local = localFelixSources(environment, readOptionalFile);
    this.#store = await openNodeDatastore(environment, local, surroundings, this.#signal);
    const { datastore, isSingleHost } = this.#store;
    this.#state.datastoreDescription = datastore.description;
    if (isSingleHost) this.#conditions.raise(SINGLE_HOST_DATASTORE, undefined);
    const client = new Client(datastore, { clock: this.#clock, notify: (notice) => this.#log.info(notice) });
    await this.#startUp(client);
    const ipam = new Ipam(datastore, { clock: this.#clock });
    this.#workloads = new Workloads({
      client,
      ipam,
      hostname: this.#name,
      kernel: {
        attach: attachWorkload,
        detach: detachWorkload,
        addAddress: addWorkloadAddress,
        removeAddress: removeWorkloadAddress,
        mtu: uplinkMtu,
      },
    });
    if (this.#settings.networking === 'bird' && this.#options.openBgp !== undefined) {
      this.#bgp = this.#options.openBgp({ ...surroundings, log: this.#options.log });
    }
    this.#work.push(this.#watchHost(client));
    if (this.#settings.runFelix) {
      const { routerId } = this.#settings;
      this.#agent = new Agent({
        hostname: this.#name,
        datastore,
        local,
        observer: this.#state,
        clock: this.#clock,
        ...(routerId === undefined ? {} : { routerId }),
      });
      this.#work.push(this.#agent.run(this.#signal));
    }
    this.#serveDocker(client, ipam);
    this.#health.report('FelixStartup', { isReady: true, detail: '' });
    this.#options.announce(STARTED_LINE);
    await Promise.all(this.#work);
  }

  /** Docker's driver, where it is wanted: last, since an engine takes an open socket for one that answers. */
  #serveDocker(client: Client, ipam: Ipam): void {
    const settings = this.#docker;
    if (!settings.isEnabled) return;
    const plugin = new DockerPlugin({
      client,
      ipam,
      hostname: this.#name,
      settings,
      kernel: {
        lay: layLooseCable,
        addSecondWay,
        detach: detachWorkload,
        listLoose: listLooseCables,
        isTaken: isCableTaken,
        mtu: uplinkMtu,
      },
      conditions: this.#conditions,
      log: this.#options.log,
      clock: this.#clock,
    });
    this.#work.push(plugin.run(this.#signal));
  }

  async #startUp(client: Client): Promise<void> {
    const options = { ...this.#surroundings(), description: client.datastore.description };
    const written = await untilDatastoreAnswers(async () => startUp(await this.#startUpOptions(client)), options);
    this.#tell(written);
    await this.#keepName();
  }

  /** For the other programs of this host. A disk that is full or read-only must not cost it its firewall. */
  async #keepName(): Promise<void> {
    try {
      await mkdir(dirname(this.#nameFile), { recursive: true });
      await writeFile(this.#nameFile, this.#name);
    } catch (error) {
      this.#conditions.raise(NAME_NOT_KEPT, { reason: formatError(error) });
    }
  }

  async #startUpOptions(client: Client): Promise<StartUpOptions> {
    return {
      client,
      clock: this.#clock,
      name: this.#name,
      settings: this.#settings,
      interfaces: await readHostInterfaces(),
      sources: await this.#reachableSources(),
      randomBytes,
      hasIpv6: kernelHasIpv6(),
      ownsNodeConfiguration: true,
    };
  }

  async #reachableSources(): Promise<StartUpOptions['sources']> {
    const sources: { 4?: string; 6?: string } = {};
    for (const { family, method } of [this.#settings.ipv4, this.#settings.ipv6]) {
      if (method.type !== 'can-reach') continue;
      const source = await sourceAddressTo(method.host, family);
      if (source !== undefined) sources[family] = source;
    }
    return sources;
  }

  #surroundings() {
    return {
      clock: this.#clock,
      random: Math.random,
      log: this.#log,
      conditions: this.#conditions,
      signal: this.#signal,
    };
  }

  #tell({ notices, warnings }: StartedUp): void {
    for (const notice of notices) this.#log.info(notice);
    const [warning] = warnings;
    this.#conditions.set(NO_HOST_ADDRESS, warning === undefined ? undefined : { warning });
  }

  /** Looks at the host now and then: its default route, its addresses where they are to be found out. */
  async #watchHost(client: Client): Promise<void> {
    this.#features = await probeFeatures();
    const { ipv4, ipv6, networking, pollIntervalMs } = this.#settings;
    const follows = networking !== 'none' && [ipv4, ipv6].some(({ address }) => address.type === 'autodetect');
    while (!this.#signal.aborted) {
      await this.#lookAtRoutes();
      await sleep(this.#clock, pollIntervalMs, this.#signal);
      if (follows && !this.#signal.aborted) await this.#followAddresses(client);
    }
  }

  async #lookAtRoutes(): Promise<void> {
    try {
      await checkDefaultRoute(this.#conditions);
    } catch (error) {
      if (!(error instanceof CalicoError)) throw error;
      // What can be wrong here is not worth ending for; the next look may succeed.
      this.#log.warn('cannot look at the routes of this host', { error });
    }
  }

  async #followAddresses(client: Client): Promise<void> {
    try {
      this.#tell(await writeNode(await this.#startUpOptions(client)));
    } catch (error) {
      if (!(error instanceof CalicoError)) throw error;
      // The agent says when the datastore is away; anything else is about the addresses.
      if (!(error instanceof UnavailableError)) this.#conditions.raise(NO_HOST_ADDRESS, { warning: error.message });
    }
  }

  /** Health and metrics for those who ask over TCP, once the parameters want them. */
  #serveProbes(values: FelixValues): void {
    if (values.healthEnabled) {
      const address = { host: values.healthHost, port: values.healthPort };
      this.#serveOnce('health', () => this.#health.serve(address, this.#signal));
    }
    if (values.prometheusMetricsEnabled) {
      const host = values.prometheusMetricsHost === '' ? '127.0.0.1' : values.prometheusMetricsHost;
      const address = { host, port: values.prometheusMetricsPort };
      this.#serveOnce('metrics', async () => {
        const { NodeMetrics: Served } = await import('./node-metrics.js');
        const metrics = new Served(this.#state, this.#conditions);
        await metrics.serve(address, this.#signal);
        this.#metrics = metrics;
      });
    }
  }

  /** What fails is tried again when the parameters change. */
  #serveOnce(what: string, serve: () => Promise<void>): void {
    if (this.#served.has(what)) return;
    this.#served.add(what);
    serve().then(
      () => this.#conditions.clear(PROBES_NOT_SERVED, what),
      (error: unknown) => {
        this.#served.delete(what);
        this.#conditions.raise(PROBES_NOT_SERVED, { reason: formatError(error).split('\n')[0] ?? '' }, what);
      },
    );
  }

  /** What the local API may look at; parts come into being while it serves. */
  #view() {
    return {
      name: this.#name,
      startedAt: this.#startedAt,
      isContainer: this.#options.environment['CALICO_NODE_CONTAINER'] === 'true',
      settings: this.#settings,
      conditions: this.#conditions,
      health: this.#health,
      state: this.#state,
      bgp: () => this.#bgp,
      agent: () => this.#agent,
      features: () => this.#features,
      isSingleHost: () => this.#store?.isSingleHost ?? false,
      workloads: () => {
        if (this.#workloads !== undefined) return this.#workloads;
        throw new UnavailableError('ERR_CALI_NODE_STARTING', 'calico-node is still waiting for its datastore');
      },
    };
  }
}
