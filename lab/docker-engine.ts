import { existsSync, mkdtempSync, readdirSync, readFileSync, rmdirSync, rmSync, writeFileSync } from 'node:fs';
import { homedir, tmpdir } from 'node:os';
import { join } from 'node:path';
import { CalicoError } from '../src/base/errors.js';
import { DockerEngine } from '../src/docker/engine.js';
import type { ExecOptions, HostProcess, LabHost } from './host.js';
import { failure, isAlive, labEnvironment, must, repositoryRoot, until } from './processes.js';
import type { Finished } from './processes.js';

/** 20.10 is the last generation with a cluster store; 26.1 stands for today's. */
export type EngineGeneration = '20.10' | '26.1';

export interface LabEngineOptions {
  readonly generation: EngineGeneration;
  /** `etcd://ADDRESS:2379`: engines share their networks there. Only 20.10. */
  readonly clusterStore?: string;
  readonly moreArguments?: readonly string[];
  /** The engine calls the legacy iptables, as on hosts whose owner chose it. */
  readonly legacyIptables?: boolean;
}

const SOCKET = '/run/docker.sock';
const LOG = '/var/log/calico/dockerd.log';
/** Programs here stand before all others. */
const OWN_PROGRAMS = '/run/engine-programs';
const CONTROL_GROUPS = '/sys/fs/cgroup';
const GROUP_PREFIX = 'calico-lab-';

/** One for all engines of this process, which start beside each other. Kept in memory: whoever is killed leaves no file. */
let busyboxArchive: Promise<Buffer> | undefined;

async function makeBusyboxArchive(): Promise<Buffer> {
  const folder = mkdtempSync(join(tmpdir(), 'calico-lab-'));
  try {
    const file = join(folder, 'busybox.tar');
    await must(['bash', join(repositoryRoot(), 'lab/docker-image.sh'), file]);
    return readFileSync(file);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** Where `scripts/engines` unpacks engines that are not the machine's own. */
function enginesFolder(): string {
  const cache = process.env['CALICO_ENGINES'];
  return cache ?? join(process.env['XDG_CACHE_HOME'] ?? join(homedir(), '.cache'), 'calico-ts/engines');
}

/** Why an engine cannot run here; undefined when it can. */
export function missingEngine(generation: EngineGeneration): string | undefined {
  const program = generation === '20.10' ? '/usr/sbin/dockerd' : join(enginesFolder(), generation, 'dockerd');
  if (!existsSync(program)) return `${program} is missing: run scripts/engines`;
  return existsSync('/usr/bin/busybox') ? undefined : 'busybox is missing: run scripts/engines';
}

/** A Docker engine inside a host of a lab, with its containers: all of it dies with the host. */
export class LabEngine {
  readonly host: LabHost;
  readonly api: DockerEngine;
  readonly #options: LabEngineOptions;
  #process: HostProcess | undefined;

  private constructor(host: LabHost, options: LabEngineOptions) {
    this.host = host;
    this.#options = options;
    this.api = new DockerEngine(host.path(SOCKET));
  }

  /** Starts one; about half a second, two with 26.1. @throws {CalicoError} it is not on this machine, or did not come up */
  static async start(host: LabHost, options: LabEngineOptions): Promise<LabEngine> {
    const missing = missingEngine(options.generation);
    if (missing !== undefined) throw new CalicoError('ERR_CALI_LAB_ENGINE', missing);
    sweepControlGroups();
    const engine = new LabEngine(host, options);
    if (options.legacyIptables === true) await linkLegacyIptables(host);
    await engine.startAgain();
    return engine;
  }

  get #group(): string {
    return `${GROUP_PREFIX}${this.host.init.pid}-${this.host.init.startTime}`;
  }

  /** Where programs are looked for: those of another generation stand before the machine's. */
  get path(): string {
    const folder = join(enginesFolder(), this.#options.generation);
    const generation = existsSync(folder) ? `${folder}:` : '';
    return `${OWN_PROGRAMS}:${generation}/usr/sbin:/usr/bin:${labEnvironment()['PATH'] ?? ''}`;
  }

  get #environment(): Record<string, string> {
    return { PATH: this.path };
  }

  /** After `kill` or `stop`: with the containers and networks it had. */
  async startAgain({ deadlineMs = 30_000 }: { readonly deadlineMs?: number } = {}): Promise<void> {
    const { clusterStore, moreArguments = [] } = this.#options;
    const store =
      clusterStore === undefined
        ? []
        : [`--cluster-store=${clusterStore}`, `--cluster-advertise=${this.host.addresses.ipv4}:2376`];
    // A killed engine's: numbers of processes that may be others' by now.
    await this.host.exec(['rm', '-f', '/run/docker.pid', '/run/docker/containerd/containerd.pid']);
    this.#process = await this.host.spawn(
      [
        'dockerd',
        // In memory: overlays do not stand on overlays.
        '--data-root=/run/docker-data',
        '--storage-driver=overlay2',
        `--host=unix://${SOCKET}`,
        `--cgroup-parent=${this.#group}`,
        '--shutdown-timeout=2',
        ...store,
        ...moreArguments,
      ],
      { log: LOG, env: this.#environment },
    );
    const { identity } = this.#process;
    await until(
      `the engine on ${this.host.name}`,
      async () => {
        if (!isAlive(identity)) throw new Error(this.host.readFile(LOG).slice(-600));
        return (await this.api.version()).version !== '';
      },
      { deadlineMs, everyMs: 20 },
    );
  }

  /** Runs the generation's own client on the host: `docker(['ps'])`. @throws {CalicoError} as {@link LabHost.exec} */
  docker(words: readonly string[], options: ExecOptions = {}): Promise<Finished> {
    return this.host.exec(['docker', ...words], { timeoutMs: 60_000, ...options, env: this.#environment });
  }

  /** What a command printed, without the last line feed. */
  async say(words: readonly string[]): Promise<string> {
    return (await this.docker(words)).stdout.trimEnd();
  }

  /** What an engine's user reads when a command fails. @throws {CalicoError} it did not fail */
  async refusal(words: readonly string[]): Promise<string> {
    const result = await this.docker(words, { check: false });
    if (result.status === 0) throw failure(['docker', ...words], { ...result, stderr: 'it was not refused' });
    return result.stderr.trim();
  }

  /** An image `busybox` with every applet, from the machine's own binary: nothing is downloaded. */
  async importImage(): Promise<void> {
    busyboxArchive ??= makeBusyboxArchive();
    const inHost = '/run/busybox.tar';
    writeFileSync(this.host.path(inHost), await busyboxArchive);
    await this.docker(['import', '--change', 'CMD ["sh"]', '--change', 'ENV PATH=/bin', inHost, 'busybox:latest']);
    rmSync(this.host.path(inHost));
  }

  /** As a power failure would; containers live on until the next start. */
  async kill(): Promise<void> {
    await this.#process?.kill('SIGKILL');
    for (const containerd of await this.host.pidsOf('containerd')) process.kill(containerd.pid, 'SIGKILL');
    await until('containerd gone', async () => (await this.host.pidsOf('containerd')).length === 0);
  }

  /** As the system's service manager does; its containers stop, too, unless it was started with `--live-restore`. */
  async stop(): Promise<void> {
    const running = this.#process;
    if (running === undefined) return;
    await running.kill('SIGTERM');
    await until('the engine stopped', () => !isAlive(running.identity), { deadlineMs: 30_000 });
  }
}

async function linkLegacyIptables(host: LabHost): Promise<void> {
  await host.exec(['mkdir', '-p', OWN_PROGRAMS]);
  for (const program of ['iptables', 'ip6tables'])
    await host.exec(['ln', '-s', `/usr/sbin/${program}-legacy`, `${OWN_PROGRAMS}/${program}`]);
}

/** Takes away what engines of hosts that are gone left of their containers' control groups. @returns how many could not go yet */
export function sweepControlGroups(): number {
  let left = 0;
  const controllers = existsSync(CONTROL_GROUPS) ? readdirSync(CONTROL_GROUPS) : [];
  for (const folder of [CONTROL_GROUPS, ...controllers.map((name) => join(CONTROL_GROUPS, name))]) {
    for (const name of childFolders(folder)) {
      const pid = /^calico-lab-(\d+)-/.exec(name)?.[1];
      if (pid !== undefined && !existsSync(`/proc/${pid}`) && !removeGroup(join(folder, name))) left += 1;
    }
  }
  return left;
}

function childFolders(folder: string): string[] {
  try {
    return readdirSync(folder, { withFileTypes: true })
      .filter((entry) => entry.isDirectory())
      .map(({ name }) => name);
  } catch {
    // Not a folder, or gone.
    return [];
  }
}

function removeGroup(folder: string): boolean {
  for (const name of childFolders(folder)) removeGroup(join(folder, name));
  try {
    rmdirSync(folder);
    return true;
  } catch {
    // The kernel is still taking its processes apart: the next sweep finds it.
    return false;
  }
}
