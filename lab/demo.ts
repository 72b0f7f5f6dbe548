import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { CalicoError, formatError } from '../src/base/errors.js';
import { LabCluster } from './cluster.js';
import { flushRules, killLoneNode, killNode } from './demo-damage.js';
import {
  addWorkloads,
  calicoctl,
  declareNetworks,
  editPolicy,
  expectMatrix,
  firstHost,
  netOneAlone,
  secondHost,
  showRoutes,
} from './demo-network.js';
import type { Scene } from './demo-network.js';
import type { HostProcess } from './host.js';
import { Lab } from './lab.js';
import { isAlive, repositoryRoot, run, until } from './processes.js';
import { readRecord } from './state.js';
import { Story } from './story.js';
import { twoSubnets } from './topology.js';

/** What of the machine must be after the demo as it was before. */
async function machine(): Promise<string> {
  const { stdout } = await run([
    'bash',
    '-c',
    'ip -o link; ip route; ip -6 route; nft list ruleset; cat /proc/mounts; ls /run/netns',
  ]);
  return stdout.replaceAll(/\b(expires|hoplimit) \S+/g, '');
}

async function startNodes({ cluster, story }: Scene): Promise<HostProcess> {
  story.chapter('Hosts: calico-node on each');
  const { lab } = cluster;
  for (const host of lab.hosts) story.say(`  ${host.name}  ${host.addresses.ipv4}  ${host.addresses.ipv6}`);
  story.say(`  an etcd for all at ${lab.etcdEndpoint}; calico-03 sits behind a router, for later`);
  const nodes = await Promise.all(
    [firstHost, secondHost].map(async (name) => {
      const node = await cluster.startNode(name);
      await cluster.ready(name);
      return node;
    }),
  );
  const [first] = nodes;
  if (first === undefined) throw new CalicoError('ERR_CALI_LAB_HOST', 'no node was started');
  await calicoctl({ cluster, story }, ['get', 'nodes', '-o', 'wide']);
  return first;
}

async function removeAll({ cluster, story }: Scene, before: string): Promise<void> {
  story.chapter('All is removed');
  const { lab } = cluster;
  for (const { name } of lab.workloads) await cluster.removeWorkload(name);
  const endpoints = await calicoctl({ cluster, story }, ['get', 'workloadendpoints', '-A']);
  story.expect('no endpoint is left', !endpoints.includes('cali'));
  const links = async (): Promise<string> => (await lab.host(firstHost).exec(['ip', '-o', 'link'])).stdout;
  // The kernel takes a namespace apart in its own time.
  await until('workload interfaces gone', async () => !/cali[0-9a-f]/.test(await links()), { deadlineMs: 5_000 });
  story.expect('no workload interface is left', !/cali[0-9a-f]/.test(await links()));
  const inits = lab.hosts.map((host) => host.init);
  await cluster[Symbol.asyncDispose]();
  await lab.stop();
  story.expect('no process of the lab is left', !inits.some(isAlive) && readRecord(lab.name) === undefined);
  const after = await machine();
  const lines = new Set(before.split('\n'));
  const differences = [...lines].filter((line) => !after.split('\n').includes(line));
  differences.push(...after.split('\n').filter((line) => !lines.has(line)));
  story.expect('the machine is as it was', differences.length === 0, differences.join(' | '));
}

async function tell(story: Story): Promise<void> {
  for (const program of ['calico-node', 'calicoctl']) {
    if (existsSync(join(repositoryRoot(), 'dist/bin', program))) continue;
    throw new CalicoError('ERR_CALI_LAB_DEMO', `dist/bin/${program} is missing`, { hint: 'build it with: make build' });
  }
  const before = await machine();
  await using lab = await Lab.start(twoSubnets());
  const cluster = new LabCluster(lab);
  const scene = { cluster, story };
  try {
    const node = await startNodes(scene);
    await declareNetworks(scene);
    await addWorkloads(scene);
    await expectMatrix(scene, netOneAlone, 'A, C and E reach each other; B and D nobody, and nobody them');
    await showRoutes(scene);
    await editPolicy(scene);
    await expectMatrix(scene, netOneAlone, 'all as before');
    await killNode(scene, node);
    await killLoneNode(scene);
    await flushRules(scene);
    await expectMatrix(scene, netOneAlone, 'all as before');
    await removeAll(scene, before);
  } catch (error) {
    await lab.collect('test-output/demo');
    story.say('what every host looked like is in test-output/demo');
    await cluster[Symbol.asyncDispose]();
    throw error;
  }
}

const story = new Story();
try {
  await tell(story);
} catch (error) {
  story.expect('the demo runs to its end', false, formatError(error));
}
process.exitCode = story.close();
