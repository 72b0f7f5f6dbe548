import { UnavailableError } from '../../base/errors.js';
import { LocalApiClient } from '../../localapi/client.js';
import type { NodeStatus } from '../../localapi/protocol.js';
import { localDate, shortTime } from './node-report.js';
import { type Block, line, type Result } from '../result.js';

const HEADINGS = ['Peer address', 'Peer type', 'State', 'Since', 'Info'];
const MINUTE = 60;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

/** `5 seconds`, `About a minute`, `3 hours`: as Docker says how long a container has been up. */
export function formatUptime(ms: number): string {
  const seconds = Math.floor(ms / 1_000);
  if (seconds < 1) return 'Less than a second';
  if (seconds < MINUTE) return seconds === 1 ? '1 second' : `${seconds} seconds`;
  if (seconds < 2 * MINUTE) return 'About a minute';
  if (seconds < HOUR) return `${Math.floor(seconds / MINUTE)} minutes`;
  if (seconds < 2 * HOUR) return 'About an hour';
  if (seconds < 2 * DAY) return `${Math.floor(seconds / HOUR)} hours`;
  return `${Math.floor(seconds / DAY)} days`;
}

function familyBlocks(family: 4 | 6, { bgp }: NodeStatus, options: OldStatusOptions): Block[] {
  const address = family === 4 ? bgp.ipv4Address : bgp.ipv6Address;
  if (address === undefined) return [line(`No IPv${family} address configured.`), line('')];
  const inherited = options.isAsNumberInherited === true ? ' (inherited)' : '';
  const rows = bgp.peers
    .filter((peer) => peer.family === family)
    .map(({ address: peer, type, state, since, info }) => [
      peer,
      type,
      state,
      shortTime(since, localDate(options.now)),
      info,
    ]);
  return [
    line(`IPv${family} BGP status`),
    line(`IP: ${address}    AS Number: ${bgp.asNumber ?? 'unknown'}${inherited}`),
    { type: 'box', headings: HEADINGS, rows, align: 'centre' },
    line(''),
  ];
}

export interface OldStatusOptions {
  readonly now: Date;
  /** Whether the node has no AS number of its own; undefined when that is not known. */
  readonly isAsNumberInherited?: boolean | undefined;
}

/** The first era's report on a host. */
export function oldStatus(status: NodeStatus, options: OldStatusOptions): Result {
  const what = status.isContainer ? 'calico-node container' : `calico-node process (pid ${status.pid})`;
  const uptime = formatUptime(options.now.getTime() - Date.parse(status.startedAt));
  const isBgpDown = status.bgp.backend === 'bird' && !status.bgp.isRunning;
  return {
    output: [
      line(`${what} is running. Status: Up ${uptime}`),
      line(`Running felix version ${status.version.replace(/^v/, '')}`),
      line(''),
      ...(isBgpDown ? [line('The BGP backend process (BIRD) is not running.'), line('')] : []),
      ...familyBlocks(4, status, options),
      ...familyBlocks(6, status, options),
    ],
  };
}

/**
 * Asks this host's `calico-node`.
 *
 * @param hasOwnAsNumber whether the Node of that name has an AS number of its own; undefined when nobody can tell
 */
export async function readOldStatus(
  hasOwnAsNumber: (node: string) => Promise<boolean | undefined>,
  client: LocalApiClient = new LocalApiClient(),
): Promise<Result> {
  try {
    const status = await client.status();
    const hasOwn = await hasOwnAsNumber(status.node);
    return oldStatus(status, {
      now: new Date(),
      isAsNumberInherited: hasOwn === undefined ? undefined : !hasOwn,
    });
  } catch (error) {
    if (!(error instanceof UnavailableError)) throw error;
    return { errors: ['calico-node container is not running.', '  hint: start it with: calicoctl node'] };
  }
}
