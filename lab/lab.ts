import { randomBytes } from 'node:crypto';
import { request } from 'node:http';
import { join } from 'node:path';
import { CalicoError, NotFoundError } from '../src/base/errors.js';
import { AgentClient } from './agent-client.js';
import { attach, hostInterfaceName } from './attachment.js';
import { collectEvidence } from './evidence.js';
import { LabHost } from './host.js';
import { startInit } from './namespaces.js';
import type { Init } from './namespaces.js';
import { end, identify, isAlive, repositoryRoot, until } from './processes.js';
import { startRouter } from './router.js';
import { listLabs, readRecord, removeLab, sweepDeadLabs, writeRecord } from './state.js';
import type { LabRecord, WorkloadRecord } from './state.js';
import { addressOf, addressesOf } from './topology.js';
import type { HostAddresses, Topology } from './topology.js';
import { wireHost, wireUnderlay } from './underlay.js';
import { LabWorkload } from './workload.js';

export interface WorkloadOptions {
  /** Bare addresses, at most one a family for the probes to pick. */
  readonly addresses: readonly string[];
  /** The host's end of the cable; derived from host and name unless given. */
  readonly hostInterface?: string;
  /** False: the namespace alone, somebody else attaches it. */
  readonly attached?: boolean;
}

export interface LabOptions {
  /** A name of its own lets several labs run at once; made up unless given. */
  readonly name?: string;
  /** True: it stays after this process, until `lab down`. */
  readonly stay?: boolean;
}

const underlayName = 'underlay';

/** Hosts, their underlay and workloads. Several may run at once: everything of a lab is in namespaces of its own. */
export class Lab {
  readonly name: string;
  readonly topology: Topology;
  readonly underlay: LabHost;
  readonly hosts: readonly LabHost[];
  /** `http://ADDRESS:2379`, as the hosts reach the underlay's etcd. */
  readonly etcdEndpoint: string;
  readonly #workloads = new Map<string, LabWorkload>();
  #record: LabRecord;
  #held: readonly Init[];

  private constructor(record: LabRecord, held: readonly Init[]) {
    this.name = record.name;
    this.topology = record.topology;
    this.#record = record;
    this.#held = held;
    const [first] = record.topology.subnets;
    const router = first === undefined ? { ipv4: '', ipv6: '' } : addressOf(first, 1);
    this.etcdEndpoint = `http://${router.ipv4}:2379`;
    const environment: Record<string, string> = record.topology.etcd
      ? { ETCD_ENDPOINTS: this.etcdEndpoint, IP6: 'autodetect' }
      : { IP6: 'autodetect' };
    const hostOf = (name: string, addresses: HostAddresses): LabHost => {
      const init = record.inits[name];
      if (init === undefined)
        throw new NotFoundError('ERR_CALI_LAB_HOST', `lab "${record.name}" has no host "${name}"`);
      return new LabHost(name, addresses, init, environment);
    };
    this.underlay = hostOf(underlayName, { ...router, ipv4Gateway: '', ipv6Gateway: '' });
    this.hosts = record.topology.hosts.map((spec) => hostOf(spec.name, addressesOf(record.topology, spec)));
  }

  /**
   * Builds a lab: about 0.1 s and 30 ms a host. What killed runs left is removed first.
   *
   * @throws {CalicoError} a host could not be made; what was made until then is gone again
   */
  static async start(topology: Topology, options: LabOptions = {}): Promise<Lab> {
    await sweepDeadLabs();
    const name = options.name ?? `${topology.name}-${process.pid}-${randomBytes(3).toString('hex')}`;
    if (readRecord(name) !== undefined) {
      throw new CalicoError('ERR_CALI_LAB_EXISTS', `lab "${name}" is up already`, {
        hint: 'take it down first: lab down',
      });
    }
    const names = [underlayName, ...topology.hosts.map((host) => host.name)];
    const started = await Promise.allSettled(names.map((host) => startInit(host)));
    const inits = started.filter((result) => result.status === 'fulfilled').map((result) => result.value);
    try {
      const refused = started.find((result) => result.status === 'rejected');
      if (refused !== undefined) throw refused.reason;
      const owner = identify(process.pid);
      const record: LabRecord = {
        name,
        topology,
        ...(options.stay === true || owner === undefined ? {} : { owner }),
        inits: Object.fromEntries(
          names.map((host, index) => [host, inits[index]?.identity ?? { pid: 0, startTime: 0 }]),
        ),
        workloads: [],
      };
      writeRecord(record);
      const lab = new Lab(record, inits);
      await lab.#wire();
      if (options.stay === true) await Promise.all(inits.map((init) => init.stay()));
      return lab;
    } catch (error) {
      for (const init of inits) init.release();
      await Promise.all(inits.map((init) => end(init.identity)));
      await removeLab(name);
      throw error;
    }
  }

  /** A lab that another process brought up and left: `lab up`. */
  static async open(name: string): Promise<Lab> {
    const record = readRecord(name);
    if (record === undefined || !Object.values(record.inits).every(isAlive)) {
      throw new NotFoundError('ERR_CALI_LAB_DOWN', `lab "${name}" is not up`, { hint: 'bring it up with: lab up' });
    }
    const lab = new Lab(record, []);
    for (const workload of record.workloads) {
      if (!isAlive(workload.process)) continue;
      const host = lab.host(workload.host);
      const agent = await AgentClient.open(host.path(agentSocket(workload.name)));
      lab.#workloads.set(workload.name, new LabWorkload(host, workload, agent));
    }
    return lab;
  }

  static names(): string[] {
    return listLabs();
  }

  async #wire(): Promise<void> {
    const all = new Map(this.hosts.map((host) => [host.name, host]));
    await wireUnderlay(this.topology, this.underlay, all);
    const hosts = this.hosts.map((host) => wireHost(this.topology, host));
    const { etcd, router } = this.topology;
    if (etcd) for (const host of this.hosts) host.writeFile('/etc/calico/calicoctl.cfg', this.#calicoctlConfig());
    await Promise.all([
      ...hosts,
      ...(etcd ? [this.#startEtcd()] : []),
      ...(router === undefined ? [] : [startRouter(this.topology, this.underlay, router)]),
    ]);
  }

  /** The same etcd for programs outside the lab: the path of a unix socket. */
  get etcdSocket(): string {
    return this.underlay.path('/run/etcd/localhost:12379');
  }

  /** So that `calicoctl` finds the store also where the environment is somebody else's, as in a log-in shell. */
  #calicoctlConfig(): string {
    return [
      'apiVersion: projectcalico.org/v3',
      'kind: CalicoAPIConfig',
      'spec:',
      '  datastoreType: etcdv3',
      `  etcdEndpoints: ${this.etcdEndpoint}`,
      '',
    ].join('\n');
  }

  async #startEtcd(): Promise<void> {
    await this.underlay.exec(['mkdir', '-p', '/run/etcd']);
    // etcd 3.4 makes the socket of a unix address in its working directory, under the address's text.
    await this.underlay.spawn(
      // prettier-ignore
      ['env', '--chdir=/run/etcd', 'etcd', '--name', 'lab', '--data-dir', '/run/etcd/data', '--unsafe-no-fsync',
        '--heartbeat-interval', '20', '--election-timeout', '200',
        '--listen-client-urls', `${this.etcdEndpoint},unix://localhost:12379`, '--advertise-client-urls', this.etcdEndpoint,
        '--listen-peer-urls', 'http://127.0.0.1:2380', '--initial-advertise-peer-urls', 'http://127.0.0.1:2380',
        '--initial-cluster', 'lab=http://127.0.0.1:2380', ...(this.topology.engineStore === true ? ['--enable-v2'] : [])],
      { log: '/var/log/calico/etcd.log' },
    );
    await until('etcd of the underlay healthy', () => healthy(this.etcdSocket), { everyMs: 10 });
  }

  /** @throws {NotFoundError} there is no host of that name */
  host(name: string): LabHost {
    const found = name === underlayName ? this.underlay : this.hosts.find((host) => host.name === name);
    if (found === undefined) {
      throw new NotFoundError('ERR_CALI_LAB_HOST', `lab "${this.name}" has no host "${name}"`, {
        hint: `choose one of ${this.hosts.map((host) => host.name).join(', ')}`,
      });
    }
    return found;
  }

  /** @throws {NotFoundError} there is no workload of that name */
  workload(name: string): LabWorkload {
    const found = this.#workloads.get(name);
    if (found === undefined)
      throw new NotFoundError('ERR_CALI_LAB_WORKLOAD', `lab "${this.name}" has no workload "${name}"`);
    return found;
  }

  get workloads(): readonly LabWorkload[] {
    return [...this.#workloads.values()];
  }

  /** A namespace inside a host, cabled to it, with a program in it that listens and tries. About 60 ms, several at once. */
  async addWorkload(hostName: string, name: string, options: WorkloadOptions): Promise<LabWorkload> {
    const host = this.host(hostName);
    if (this.#workloads.has(name)) throw new CalicoError('ERR_CALI_LAB_EXISTS', `workload "${name}" is there already`);
    const program = join(repositoryRoot(), 'dist/lab/workload-agent.js');
    const socket = agentSocket(name);
    const running = await host.spawn(['unshare', '--net', '--', process.execPath, program, name, socket], {
      log: `/var/log/calico/workload-${name}.log`,
    });
    const hostInterface = options.hostInterface ?? hostInterfaceName(host.name, name);
    const agent = await AgentClient.open(host.path(socket));
    if (options.attached !== false) await attach(host, running.identity.pid, hostInterface, options.addresses);
    const record: WorkloadRecord = {
      name,
      host: host.name,
      addresses: options.addresses,
      hostInterface,
      process: running.identity,
    };
    const workload = new LabWorkload(host, record, agent);
    this.#workloads.set(name, workload);
    this.#rewrite();
    return workload;
  }

  async removeWorkload(name: string): Promise<void> {
    const workload = this.workload(name);
    this.#workloads.delete(name);
    await workload.remove();
    this.#rewrite();
  }

  #rewrite(): void {
    this.#record = { ...this.#record, workloads: this.workloads.map((workload) => workload.record) };
    writeRecord(this.#record);
  }

  /** Rulesets, routes, links, processes and logs of every host, into a folder. Never throws: it is called when something failed. */
  collect(folder: string): Promise<void> {
    return collectEvidence([this.underlay, ...this.hosts], folder);
  }

  /** Lets go of a lab that stays. */
  release(): void {
    for (const workload of this.workloads) workload.release();
    for (const init of this.#held) init.release();
    this.#held = [];
  }

  /** Ends everything in it. Closing twice is fine. */
  async stop(): Promise<void> {
    this.release();
    await removeLab(this.name);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }
}

function agentSocket(name: string): string {
  return `/run/lab/${name}.sock`;
}

function healthy(socketPath: string): Promise<boolean> {
  return new Promise((resolve) => {
    const asked = request({ socketPath, path: '/health', headers: { host: 'localhost' }, timeout: 500 }, (response) => {
      response.resume();
      resolve(response.statusCode === 200);
    });
    asked.once('error', () => resolve(false));
    asked.end();
  });
}
