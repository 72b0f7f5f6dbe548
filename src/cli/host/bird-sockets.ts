import { access } from 'node:fs/promises';
import { BirdControl } from '../../bgp/bird-control.js';
import { type PeerStatus, peerStatus } from '../../bgp/peer-status.js';
import { CalicoError } from '../../base/errors.js';

/** Where BIRD's control sockets lie: ours, and Debian's own place. */
const FOLDERS = ['/var/run/calico', '/var/run/bird'];

export interface BirdReport {
  readonly isRunning: boolean;
  /** BIRD 1 has a process of its own for IPv6, which may be missing. */
  readonly lacksBird6: boolean;
  readonly peers: readonly PeerStatus[];
}

interface Answer {
  readonly version: string;
  readonly peers: readonly PeerStatus[];
}

async function findSocket(name: string, folders: readonly string[]): Promise<string | undefined> {
  for (const folder of folders) {
    const path = `${folder}/${name}`;
    try {
      await access(path);
      return path;
    } catch {
      // Not there: the next one.
    }
  }
  return undefined;
}

async function ask(name: string, folders: readonly string[]): Promise<Answer | undefined> {
  const path = await findSocket(name, folders);
  if (path === undefined) return undefined;
  try {
    const control = await BirdControl.open(path);
    try {
      const { version } = await control.status();
      const protocols = await control.protocols();
      const peers = protocols.map((protocol) => peerStatus(protocol, undefined)).filter((peer) => peer !== undefined);
      return { version, peers };
    } finally {
      await control.close();
    }
  } catch (error) {
    // The socket of a BIRD that is no more, or one that does not speak: not running, for those who ask.
    if (error instanceof CalicoError) return undefined;
    throw error;
  }
}

/** Asks the BIRD of this host itself, for hosts without a `calico-node` of ours. */
export async function readBird(folders: readonly string[] = FOLDERS): Promise<BirdReport> {
  const [both, six] = await Promise.all([ask('bird.ctl', folders), ask('bird6.ctl', folders)]);
  const isFirst = both?.version.startsWith('1.') === true;
  return {
    isRunning: both !== undefined || six !== undefined,
    lacksBird6: isFirst && six === undefined,
    peers: [...(both?.peers ?? []), ...(six?.peers ?? [])],
  };
}
