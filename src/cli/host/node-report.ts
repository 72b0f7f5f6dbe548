import { UnavailableError } from '../../base/errors.js';
import { LocalApiClient } from '../../localapi/client.js';
import { type BgpPeerStatus, LOCAL_API_SOCKET, type NodeStatus } from '../../localapi/protocol.js';
import { type BirdReport, readBird } from './bird-sockets.js';
import { findAgent, type HostProcess, listProcesses } from './host-processes.js';
import { type Block, line, type Result } from '../result.js';

const HEADINGS = ['PEER ADDRESS', 'PEER TYPE', 'STATE', 'SINCE', 'INFO'];

/** The time of day, or the date of what is older than today, as everybody's tables have it. */
export function shortTime(since: string, today: string): string {
  const [date = '', time] = since.split(' ');
  return time === undefined ? date : date === today ? time : date;
}

export function localDate(now: Date): string {
  const two = (value: number): string => String(value).padStart(2, '0');
  return `${now.getFullYear()}-${two(now.getMonth() + 1)}-${two(now.getDate())}`;
}

function peerBlocks(family: 4 | 6, peers: readonly BgpPeerStatus[], today: string): Block[] {
  const own = peers.filter((peer) => peer.family === family);
  const heading = [line(''), line(`IPv${family} BGP status`)];
  if (own.length === 0) return [...heading, line(`No IPv${family} peers found.`)];
  const rows = own.map(({ address, type, state, since, info }) => [
    address,
    type,
    state,
    shortTime(since, today),
    info,
  ]);
  return [...heading, { type: 'box', headings: HEADINGS, rows, align: 'left' }];
}

function bgpBlocks(
  { isRunning, peers }: { readonly isRunning: boolean; readonly peers: readonly BgpPeerStatus[] },
  today: string,
): Block[] {
  if (!isRunning) return [line('The BGP backend process (BIRD) is not running.')];
  return [...peerBlocks(4, peers, today), ...peerBlocks(6, peers, today)];
}

function conditionBlocks({ conditions }: NodeStatus): Block[] {
  return conditions.flatMap(({ severity, text, hint }) => [
    line(`${severity}: ${text}`),
    ...(hint === undefined ? [] : [line(`  hint: ${hint}`)]),
  ]);
}

function featureBlocks({ features }: NodeStatus): Block[] {
  const missing = features.filter(({ outcome }) => outcome === 'no').map(({ name }) => name);
  return missing.length === 0 ? [] : [line(`Not in this kernel: ${missing.join(', ')}`)];
}

function summary({ node, version, datastore, felix, bgp }: NodeStatus): Block[] {
  const kernel = felix.isProgrammed ? 'the kernel is programmed' : 'the kernel is not programmed yet';
  return [
    line(`Node ${node}, calico-node ${version}`),
    ...(bgp.backend === 'bird' ? [] : [line(`BGP is off: CALICO_NETWORKING_BACKEND=${bgp.backend}`)]),
    line(`Datastore: ${datastore.description}, ${datastore.status} at revision ${felix.revision}; ${kernel}`),
  ];
}

/** The report on a host that runs: first what everybody knows from elsewhere, then what only we say. */
export function nodeReport(status: NodeStatus, now: Date = new Date()): Result {
  return {
    output: [
      line('Calico process is running.'),
      ...bgpBlocks(status.bgp, localDate(now)),
      line(''),
      ...summary(status),
      ...featureBlocks(status),
      ...conditionBlocks(status),
    ],
  };
}

/** What can be said of a host whose agent runs without a `calico-node` that answers. */
export function bareReport(bird: BirdReport, agent: HostProcess, now: Date = new Date()): Result {
  const six = bird.lacksBird6 ? [line("INFO: BIRDv6 process: 'bird6' is not running.")] : [];
  return {
    output: [
      line('Calico process is running.'),
      ...bgpBlocks(bird, localDate(now)),
      ...six,
      line(''),
      line(
        `Agent: ${agent.words.slice(0, 2).join(' ')} (pid ${agent.pid}); no calico-node answers on ${LOCAL_API_SOCKET}`,
      ),
    ],
  };
}

/** Asks this host's `calico-node`; where none answers, looks for an agent and BIRD. */
export async function readNodeReport(
  client: LocalApiClient = new LocalApiClient(),
  list: () => Promise<readonly HostProcess[]> = listProcesses,
): Promise<Result> {
  try {
    return nodeReport(await client.status());
  } catch (error) {
    if (!(error instanceof UnavailableError)) throw error;
  }
  const agent = findAgent(await list());
  if (agent !== undefined) return bareReport(await readBird(), agent);
  return { errors: ['Calico process is not running.', '  hint: start calico-node on this host'] };
}
