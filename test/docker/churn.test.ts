import { setTimeout as wait } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import type { DockerCluster } from '../../lab/docker-cluster.js';
import { until } from '../../lab/processes.js';
import { untilNothingIsLeft } from '../setup/docker-census.js';
import { CALICO, FIRST, onEachEngine, removeAll, run, useDocker } from '../setup/docker.js';

/** How long; ten minutes before a release. */
const MINUTES = Number(process.env['CHURN_MINUTES'] ?? '1');
const SEED = Number(process.env['TEST_SEED'] ?? Date.now() % 1_000_000);
const WORKERS = 3;
const NETWORKS = ['churn-a', 'churn-b'];

type Random = () => number;

/** mulberry32: the same numbers for the same seed. */
function randomFrom(seed: number): Random {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}

interface Story {
  readonly hosts: DockerCluster;
  readonly untilMs: number;
  readonly counts: { commands: number; refused: number; engineKills: number; pluginKills: number };
}

/** What users type, in any order; what fails because nobody answers just fails. */
async function churn({ hosts, untilMs, counts }: Story, worker: number, random: Random): Promise<void> {
  for (let round = 0; Date.now() < untilMs; round += 1) {
    const name = `churn-${worker}-${round}`;
    const network = NETWORKS[Math.floor(random() * NETWORKS.length)];
    const other = NETWORKS.find((each) => each !== network);
    const restart = random() < 0.3 ? '--restart always ' : '';
    const middle = [
      `network connect ${other} ${name}`,
      `network disconnect ${network} ${name}`,
      `stop -t 0 ${name}`,
      `start ${name}`,
      `restart -t 0 ${name}`,
      `kill ${name}`,
    ].filter(() => random() < 0.35);
    for (const words of [`run --net ${network} ${restart}--name ${name} -tid busybox`, ...middle, `rm -f ${name}`]) {
      if (words.startsWith('rm') && random() < 0.1) continue;
      const { status } = await hosts.docker(FIRST, words, { check: false, timeoutMs: 100_000 });
      counts.commands += 1;
      if (status !== 0) counts.refused += 1;
      if (status !== 0) await wait(200);
    }
  }
}

async function killEngine({ hosts, untilMs, counts }: Story, random: Random): Promise<void> {
  while (Date.now() < untilMs) {
    await wait(3_000 + random() * 12_000);
    await hosts.engine(FIRST).kill();
    counts.engineKills += 1;
    await wait(random() * 2_000);
    // While the plugin is away an engine waits for it at its start, for a quarter of a minute a call.
    await hosts.engine(FIRST).startAgain({ deadlineMs: 150_000 });
  }
}

async function killPlugin({ hosts, untilMs, counts }: Story, random: Random): Promise<void> {
  while (Date.now() < untilMs) {
    await wait(1_000 + random() * 8_000);
    await hosts.nodes.get(FIRST)?.kill('SIGKILL');
    counts.pluginKills += 1;
    // Mostly back within the engine's patience of 15 s, not always.
    await wait(random() < 0.15 ? 18_000 : random() * 3_000);
    await hosts.startNode(FIRST);
  }
}

async function check(hosts: DockerCluster): Promise<string> {
  return (await hosts.lab.host(FIRST).exec(['calicoctl', 'ipam', 'check'], { check: false })).stdout;
}

onEachEngine((generation) => {
  describe('engine and plugin killed at random amid starts, stops, connects and removals', () => {
    const docker = useDocker({ generation, hosts: 1 });

    test(
      `leave nothing behind after ${MINUTES} min (seed ${SEED})`,
      { timeout: MINUTES * 60_000 + 600_000 },
      async () => {
        const hosts = docker();
        for (const network of NETWORKS) await hosts.createNetwork(`${CALICO} ${network}`);
        const counts = { commands: 0, refused: 0, engineKills: 0, pluginKills: 0 };
        const story: Story = { hosts, untilMs: Date.now() + MINUTES * 60_000, counts };
        const workers = Array.from({ length: WORKERS }, (_, index) => churn(story, index, randomFrom(SEED + index)));
        await Promise.all([
          ...workers,
          killEngine(story, randomFrom(SEED + 101)),
          killPlugin(story, randomFrom(SEED + 102)),
        ]);
        const left = await untilNothingIsLeft(hosts, FIRST);
        console.log(`${generation}: ${JSON.stringify({ ...counts, runningAtTheEnd: left.engine.length })}`);
        expect(counts.engineKills).toBeGreaterThan(0);
        expect(counts.pluginKills).toBeGreaterThan(0);
        await until('addresses without a problem', async () => (await check(hosts)).includes(' 0 problems'), {
          deadlineMs: 30_000,
          everyMs: 1_000,
        });
        await run(hosts, FIRST, 'late-a', '--net churn-a');
        await run(hosts, FIRST, 'late-b', '--net churn-a');
        expect(await hosts.pings(FIRST, 'late-a', 'late-b')).toBe(true);
        await removeAll(hosts);
        expect((await untilNothingIsLeft(hosts, FIRST)).interfaces).toEqual([]);
      },
    );
  });
});
