import { missingEngine } from '../lab/docker-engine.js';
import { DockerRig, IPERF_PORT, WAYS, type Way } from './containers/rig.js';
import { line, median } from './figures/figures.js';

/**
 * A Docker network of ours against Docker's own two, on two hosts with an engine 26.1 each: from `docker run` to the first answer of a
 * container on the other host, then throughput, latency and connections between containers of two hosts, then many containers at once.
 * What is compared takes turns; printed is the median, and of the ratios of each round the median.
 *
 * On `bridge` a container reaches the other host's container only by a published port of that host: its way is the host's network and
 * address translation at both ends.
 */
const isShort = process.env['SHORT'] === '1';
const ROUNDS = isShort ? 3 : 9;
const PER_HOST = isShort ? 5 : 100;
const CONNECT_MS = isShort ? 500 : 1_000;

type Round = Readonly<Record<Way, number>>;

function compare(name: string, unit: string, rounds: readonly Round[]): void {
  const shown = (way: Way): string =>
    `${median(rounds.map((round) => round[way])).toLocaleString('en', { maximumSignificantDigits: 3 })} ${unit}`;
  for (const other of ['bridge', 'overlay'] as const) {
    const ratio = median(rounds.map((round) => round.calico / round[other]));
    line(`docker ${name}, to ${other}`, shown('calico'), shown(other), ratio);
  }
}

/** One value of each way, the first of one round the last of the next. */
async function takeTurns<T>(count: number, measure: (way: Way) => Promise<T>): Promise<Record<Way, T>[]> {
  const rounds: Record<Way, T>[] = [];
  for (let i = 0; i < count; i += 1) {
    const order = i % 2 === 0 ? WAYS : WAYS.toReversed();
    const round = new Map<Way, T>();
    for (const way of order) round.set(way, await measure(way));
    rounds.push(Object.fromEntries(round) as Record<Way, T>);
  }
  return rounds;
}

async function starts(rig: DockerRig): Promise<void> {
  // The first of each way makes what all others find.
  await takeTurns(1, (way) => rig.firstPing(way));
  const rounds = await takeTurns(ROUNDS, (way) => rig.firstPing(way));
  for (const what of ['run', 'ping'] as const) {
    const name = what === 'run' ? 'run' : 'run to first answer';
    const times = rounds.map((round) => ({
      bridge: round.bridge[what],
      overlay: round.overlay[what],
      calico: round.calico[what],
    }));
    compare(name, 'ms', times);
  }
}

async function traffic(rig: DockerRig): Promise<void> {
  const clients = new Map<Way, (words: readonly string[]) => Promise<string>>();
  for (const way of WAYS) clients.set(way, await rig.client(way));
  const send = async (way: Way, words: readonly string[]): Promise<string> => (await clients.get(way)?.(words)) ?? '';
  const throughput = async (way: Way): Promise<number> => {
    const place = ['--client', rig.serverAddress(way), '--port', String(IPERF_PORT)];
    const report: unknown = JSON.parse(await send(way, ['iperf3', ...place, '--time', '1', '--json']));
    const { end } = report as { readonly end: { readonly sum_received: { readonly bits_per_second: number } } };
    return end.sum_received.bits_per_second / 1e9;
  };
  const latency = async (way: Way): Promise<number> => {
    const said = await send(way, ['ping', '-q', '-c', '300', '-i', '0.002', rig.serverAddress(way)]);
    return Number(/= [\d.]+\/([\d.]+)\//.exec(said)?.[1]) * 1_000;
  };
  const connections = async (way: Way): Promise<number> => Number(await send(way, rig.connecting(way, CONNECT_MS)));
  compare('throughput', 'Gbit/s', await takeTurns(ROUNDS, throughput));
  compare('latency', 'µs', await takeTurns(ROUNDS, latency));
  compare('connections', '/s', await takeTurns(ROUNDS, connections));
}

async function many(rig: DockerRig): Promise<void> {
  const before = rig.nodeMemory();
  let after = before;
  const [round] = await takeTurns(1, async (way) => {
    const tookMs = await rig.fill(way, PER_HOST);
    if (way === 'calico') after = rig.nodeMemory();
    await rig.empty(PER_HOST);
    return tookMs / (2 * PER_HOST);
  });
  if (round !== undefined) compare(`each of ${2 * PER_HOST} containers`, 'ms', [round]);
  const shown = (mebibytes: number): string => `${mebibytes.toFixed(0)} MiB`;
  const name = `docker memory of calico-node, ${PER_HOST} containers`;
  line(name, shown(after), shown(before), after / before);
}

const missing = missingEngine('26.1');
if (missing === undefined) {
  await using rig = await DockerRig.start();
  await starts(rig);
  await traffic(rig);
  await many(rig);
} else {
  console.log(`docker: not measured: ${missing}`);
}
