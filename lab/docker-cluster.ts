import { join } from 'node:path';
import { CalicoError } from '../src/base/errors.js';
import { PLUGIN_SOCKET } from '../src/docker/plugin.js';
import { LabCluster } from './cluster.js';
import { type EngineGeneration, LabEngine, sweepControlGroups } from './docker-engine.js';
import type { ExecOptions, HostProcess } from './host.js';
import { Lab } from './lab.js';
import { nodeImage } from './node-image.js';
import { repositoryRoot, until } from './processes.js';
import type { Finished } from './processes.js';
import { oneSubnet, type Topology } from './topology.js';

export interface DockerClusterOptions {
  readonly generation: EngineGeneration;
  /** Default 2. */
  readonly hosts?: number;
  readonly nodeEnvironment?: Readonly<Record<string, string>>;
  /** False: engines with the image `calico/node`; somebody types `calicoctl node` there. */
  readonly startsNodes?: boolean;
  readonly engineArguments?: readonly string[];
  /** False: engines of 20.10 share no networks, either. */
  readonly clusterStore?: boolean;
  readonly legacyIptables?: boolean;
}

const TYPED_PROGRAMS = '/run/lab/bin';

/** Hosts with a Docker engine and calico-node each, as in the tutorial: calico-01 and calico-02. */
export class DockerCluster implements AsyncDisposable {
  readonly lab: Lab;
  readonly cluster: LabCluster;
  readonly engines = new Map<string, LabEngine>();
  readonly nodes = new Map<string, HostProcess>();
  readonly #options: DockerClusterOptions;

  private constructor(lab: Lab, options: DockerClusterOptions) {
    this.lab = lab;
    this.cluster = new LabCluster(lab);
    this.#options = options;
  }

  /** About five seconds. @throws {CalicoError} a part did not come up; nothing is left */
  static async start(options: DockerClusterOptions): Promise<DockerCluster> {
    const topology: Topology = { ...oneSubnet(options.hosts ?? 2), name: 'docker', engineStore: true };
    const lab = await Lab.start(topology);
    const made = new DockerCluster(lab, options);
    try {
      const isBare = options.startsNodes === false;
      if (!isBare) await Promise.all(lab.hosts.map(({ name }) => made.startNode(name)));
      await Promise.all(lab.hosts.map(({ name }) => made.#startEngine(name)));
      if (isBare) for (const { name } of lab.hosts) await made.#readyToType(made.engine(name));
      return made;
    } catch (error) {
      await lab.collect('test-output/docker');
      await made[Symbol.asyncDispose]();
      throw error;
    }
  }

  /** Starts calico-node with Docker's plugin on a host; returns when that listens. */
  async startNode(hostName: string): Promise<void> {
    const env = { CALICO_LIBNETWORK_ENABLED: 'true', ...this.#options.nodeEnvironment };
    this.nodes.set(hostName, await this.cluster.startNode(hostName, { env }));
    await this.cluster.ready(hostName);
    await this.pluginListens(hostName);
  }

  async pluginListens(hostName: string): Promise<void> {
    const host = this.lab.host(hostName);
    const ask = ['curl', '-sf', '--unix-socket', PLUGIN_SOCKET, 'http://calico/NetworkDriver.GetCapabilities'];
    await until(`the plugin on ${hostName}`, async () => (await host.exec(ask, { check: false })).status === 0);
  }

  /** Where engines share their networks; undefined: they do not. */
  get #clusterStore(): string | undefined {
    const { generation, clusterStore = true } = this.#options;
    const isShared = generation === '20.10' && clusterStore;
    return isShared ? `etcd://${this.lab.etcdEndpoint.replace('http://', '')}` : undefined;
  }

  async #startEngine(hostName: string): Promise<void> {
    const host = this.lab.host(hostName);
    const { generation, engineArguments = [], legacyIptables = false } = this.#options;
    const clusterStore = this.#clusterStore;
    const names = join(repositoryRoot(), 'dist/lab/docker-names.js');
    await host.spawn([process.execPath, names, host.addresses.ipv4], { log: '/var/log/calico/names.log' });
    host.writeFile('/etc/resolv.conf', `nameserver ${host.addresses.ipv4}\n`);
    const engine = await LabEngine.start(host, {
      generation,
      ...(clusterStore === undefined ? {} : { clusterStore }),
      moreArguments: engineArguments,
      legacyIptables,
    });
    await engine.importImage();
    this.engines.set(hostName, engine);
  }

  /** What a host has where people type: our image, and a `sudo` for whoever is root already. */
  async #readyToType(engine: LabEngine): Promise<void> {
    await engine.docker(['load', '-i', await nodeImage()]);
    const { host } = engine;
    host.writeFile(`${TYPED_PROGRAMS}/sudo`, '#!/bin/sh\nexec env "$@"\n');
    await host.exec(['chmod', '755', `${TYPED_PROGRAMS}/sudo`]);
  }

  /**
   * A line of shell as typed on a host, with this generation's `docker`, our programs and `sudo`.
   *
   * @returns what it printed, both streams together
   */
  async typed(hostName: string, line: string): Promise<Finished> {
    const { host, path } = this.engine(hostName);
    return host.exec(['bash', '-c', `exec 2>&1\n${line}`], {
      check: false,
      timeoutMs: 60_000,
      env: { CALICOCTL_NO_NOTES: '1', PATH: `${TYPED_PROGRAMS}:${path}` },
    });
  }

  engine(hostName: string): LabEngine {
    const engine = this.engines.get(hostName);
    if (engine === undefined) throw new CalicoError('ERR_CALI_LAB_ENGINE', `there is no engine on "${hostName}"`);
    return engine;
  }

  /** A `docker` command as typed on a host; words are split at blanks. */
  docker(hostName: string, command: string, options: ExecOptions = {}): Promise<Finished> {
    return this.engine(hostName).docker(command.split(' '), options);
  }

  /** Hosts that a network is made on: the first where engines share their networks, else each. */
  get networkHosts(): readonly string[] {
    const names = this.lab.hosts.map(({ name }) => name);
    return this.#clusterStore === undefined ? names : names.slice(0, 1);
  }

  async createNetwork(words: string): Promise<void> {
    for (const host of this.networkHosts) await this.docker(host, `network create ${words}`);
  }

  /** Address of a container on a network, as `docker inspect` shows it. */
  async address(hostName: string, container: string, network: string, family: 4 | 6 = 4): Promise<string> {
    const field = family === 4 ? 'IPAddress' : 'GlobalIPv6Address';
    const format = `{{(index .NetworkSettings.Networks "${network}").${field}}}`;
    return (await this.engine(hostName).docker(['inspect', '-f', format, container])).stdout.trim();
  }

  /** Whether a ping from a container gets an answer. */
  async pings(hostName: string, container: string, target: string, options: { family?: 4 | 6 } = {}): Promise<boolean> {
    const words = `exec ${container} ping ${options.family === 6 ? '-6 ' : ''}-c 1 -W 1 ${target}`;
    return (await this.docker(hostName, words, { check: false })).status === 0;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.cluster[Symbol.asyncDispose]();
    await this.lab.stop();
    // The kernel takes a host's processes apart in its own time.
    await until('control groups gone', () => sweepControlGroups() === 0, { everyMs: 50 });
  }
}
