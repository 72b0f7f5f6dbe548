import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { DockerCluster } from '../../lab/docker-cluster.js';
import type { HostProcess } from '../../lab/host.js';
import { until } from '../../lab/processes.js';

/** Docker's own bridge (ports published, addresses hidden), a swarm's overlay (VXLAN), and a network of ours. */
export const WAYS = ['bridge', 'overlay', 'calico'] as const;
export type Way = (typeof WAYS)[number];

const FIRST = 'calico-01';
const SECOND = 'calico-02';
export const CONNECTIONS_PORT = 5_300;
export const IPERF_PORT = 5_301;
const CONNECTIONS = fileURLToPath(new URL('../traffic/connections.js', import.meta.url));
const NETWORK: Readonly<Record<Way, string>> = { bridge: 'bridge', overlay: 'far', calico: 'net1' };

/** Two hosts, each with an engine that is part of a swarm and with calico-node, and on the second one a server on each network. */
export class DockerRig implements AsyncDisposable {
  readonly #hosts: DockerCluster;
  readonly #servers: HostProcess[] = [];
  readonly #serverAddress = new Map<Way, string>();
  #count = 0;

  private constructor(hosts: DockerCluster) {
    this.#hosts = hosts;
  }

  static async start(): Promise<DockerRig> {
    const hosts = await DockerCluster.start({
      generation: '26.1',
      nodeEnvironment: { CALICO_LIBNETWORK_SCOPE: 'local' },
    });
    const rig = new DockerRig(hosts);
    try {
      await rig.#joinSwarm();
      await hosts.docker(FIRST, `network create --driver overlay --attachable ${NETWORK.overlay}`);
      await hosts.createNetwork(`--driver calico --ipam-driver calico ${NETWORK.calico}`);
      for (const way of WAYS) await rig.#startServer(way);
    } catch (error) {
      await rig[Symbol.asyncDispose]();
      throw error;
    }
    return rig;
  }

  async #joinSwarm(): Promise<void> {
    const manager = this.#hosts.lab.host(FIRST).addresses.ipv4;
    const worker = this.#hosts.lab.host(SECOND).addresses.ipv4;
    await this.#hosts.docker(FIRST, `swarm init --advertise-addr ${manager}`);
    const token = await this.#hosts.engine(FIRST).say(['swarm', 'join-token', '-q', 'worker']);
    await this.#hosts.docker(SECOND, `swarm join --advertise-addr ${worker} --token ${token} ${manager}:2377`);
  }

  async #startServer(way: Way): Promise<void> {
    const name = `server-${way}`;
    const ports = [CONNECTIONS_PORT, IPERF_PORT].map((port) => `-p ${port}:${port}`).join(' ');
    await this.#hosts.docker(
      SECOND,
      `run -d --net ${NETWORK[way]} ${way === 'bridge' ? `${ports} ` : ''}--name ${name} busybox sleep 100000`,
    );
    const own = await this.#hosts.address(SECOND, name, NETWORK[way]);
    // Nobody routes to a bridge of another host: one reaches the host.
    this.#serverAddress.set(way, way === 'bridge' ? this.#hosts.lab.host(SECOND).addresses.ipv4 : own);
    const inServer = await this.#inside(SECOND, name);
    const host = this.#hosts.lab.host(SECOND);
    const log = `/var/log/calico/${name}.log`;
    this.#servers.push(
      await host.spawn([...inServer, process.execPath, CONNECTIONS, 'serve', own, String(CONNECTIONS_PORT)], { log }),
      await host.spawn([...inServer, 'iperf3', '--server', '--bind', own, '--port', String(IPERF_PORT)], { log }),
    );
    await until(`${name} listens`, async () => {
      const { stdout } = await host.exec([...inServer, 'ss', '-Hltn']);
      return [CONNECTIONS_PORT, IPERF_PORT].every((port) => stdout.includes(`:${port} `));
    });
  }

  /** Words before a command that is to run in a container's network with the machine's own programs. */
  async #inside(host: string, container: string): Promise<string[]> {
    const pid = await this.#hosts.engine(host).say(['inspect', '-f', '{{.State.Pid}}', container]);
    return ['nsenter', '-t', pid, '-n'];
  }

  serverAddress(way: Way): string {
    return this.#serverAddress.get(way) ?? '';
  }

  /** Milliseconds of `docker run`, and from its beginning to the first answer of the other host's server. */
  async firstPing(way: Way): Promise<{ readonly run: number; readonly ping: number }> {
    const name = `short-${(this.#count += 1)}`;
    const begun = performance.now();
    await this.#hosts.docker(FIRST, `run -d --net ${NETWORK[way]} --name ${name} busybox sleep 100000`);
    const run = performance.now() - begun;
    const inside = await this.#inside(FIRST, name);
    // With a deadline it sends until so many answers came.
    const answered = ['ping', '-c', '1', '-w', '10', '-i', '0.01', this.serverAddress(way)];
    await this.#hosts.lab.host(FIRST).exec([...inside, ...answered]);
    const ping = performance.now() - begun;
    await this.#hosts.docker(FIRST, `rm -f ${name}`);
    return { run, ping };
  }

  /** A container on the first host from which traffic is sent; what it runs is the machine's. */
  async client(way: Way): Promise<(words: readonly string[]) => Promise<string>> {
    const name = `client-${way}`;
    await this.#hosts.docker(FIRST, `run -d --net ${NETWORK[way]} --name ${name} busybox sleep 100000`);
    const inClient = await this.#inside(FIRST, name);
    const host = this.#hosts.lab.host(FIRST);
    const send = async (words: readonly string[]): Promise<string> =>
      (await host.exec([...inClient, ...words], { timeoutMs: 60_000 })).stdout;
    await until(`the way of ${name}`, async () => {
      const asked = [...inClient, 'ping', '-c', '1', '-W', '1', this.serverAddress(way)];
      return (await host.exec(asked, { check: false })).status === 0;
    });
    return send;
  }

  /** The other end of {@link CONNECTIONS}. */
  connecting(way: Way, durationMs: number): string[] {
    const place = [this.serverAddress(way), String(CONNECTIONS_PORT)];
    return [process.execPath, CONNECTIONS, 'connect', ...place, String(durationMs)];
  }

  /** Starts so many containers on each host, one after the other. @returns milliseconds for all */
  async fill(way: Way, perHost: number): Promise<number> {
    const begun = performance.now();
    await Promise.all(
      [FIRST, SECOND].map(async (host) => {
        for (let i = 0; i < perHost; i += 1) {
          await this.#hosts.docker(host, `run -d --net ${NETWORK[way]} --name many-${i} busybox sleep 100000`);
        }
      }),
    );
    return performance.now() - begun;
  }

  async empty(perHost: number): Promise<void> {
    const names = Array.from({ length: perHost }, (_, i) => `many-${i}`).join(' ');
    await Promise.all([FIRST, SECOND].map((host) => this.#hosts.docker(host, `rm -f ${names}`)));
  }

  /** Resident memory of the greatest calico-node, in MiB. */
  nodeMemory(): number {
    const sizes = [...this.#hosts.nodes.values()].map(({ identity }) => {
      const [, kilobytes = '0'] = /^VmRSS:\s+(\d+)/m.exec(readFileSync(`/proc/${identity.pid}/status`, 'utf8')) ?? [];
      return Number(kilobytes) / 1_024;
    });
    return Math.max(...sizes);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.#servers.map((server) => server.kill()));
    await this.#hosts[Symbol.asyncDispose]();
  }
}
