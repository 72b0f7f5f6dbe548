import { afterAll, afterEach, beforeAll, describe } from 'vitest';
import { DockerCluster, type DockerClusterOptions } from '../../lab/docker-cluster.js';
import { type EngineGeneration, missingEngine } from '../../lab/docker-engine.js';

export const FIRST = 'calico-01';
export const SECOND = 'calico-02';
export const CALICO = '--driver calico --ipam-driver calico';

/** Hosts with engines for the tests of one block: up before the first, down after the last; what a failure saw is kept. */
export function useDocker(options: DockerClusterOptions): () => DockerCluster {
  let hosts: DockerCluster | undefined;
  beforeAll(async () => {
    hosts = await DockerCluster.start(options);
  });
  afterEach(async ({ task }) => {
    if (task.result?.state !== 'fail') return;
    await hosts?.lab.collect(`test-output/${task.name.replace(/[^A-Za-z0-9]+/g, '-').slice(0, 100)}`);
  });
  afterAll(async () => {
    await hosts?.[Symbol.asyncDispose]();
  });
  return () => {
    if (hosts === undefined) throw new Error('the engines are not up: use them inside a test or a later hook');
    return hosts;
  };
}

/** A block of tests for each engine generation. */
export function onEachEngine(body: (generation: EngineGeneration) => void): void {
  for (const generation of ['20.10', '26.1'] as const) {
    describe.skipIf(missingEngine(generation) !== undefined)(`on an engine ${generation}`, () => body(generation));
  }
}

/** Starts a container of busybox that only waits. */
export async function run(hosts: DockerCluster, host: string, name: string, words: string): Promise<void> {
  const given = words === '' ? '' : `${words} `;
  await hosts.docker(host, `run ${given}--name ${name} -tid busybox`);
}

/** Every container of a host, and networks by name everywhere; endpoints that are left fail the removal. */
export async function removeAll(hosts: DockerCluster, ...networks: readonly string[]): Promise<void> {
  for (const { name } of hosts.lab.hosts) {
    const ids = (await hosts.engine(name).say(['ps', '-aq'])).split('\n').filter((id) => id !== '');
    if (ids.length > 0) await hosts.docker(name, `rm -f ${ids.join(' ')}`);
  }
  for (const { name } of hosts.lab.hosts) {
    const known = new Set((await hosts.engine(name).say(['network', 'ls', '--format', '{{.Name}}'])).split('\n'));
    for (const network of networks) if (known.has(network)) await hosts.docker(name, `network rm ${network}`);
  }
}
