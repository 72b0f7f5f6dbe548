import { CalicoError, formatError } from '../base/errors.js';
import { createLog } from '../base/log.js';
import { keepYoungGenerationSmall } from '../felix/memory.js';
import { LOCAL_API_SOCKET } from '../localapi/protocol.js';
import { BirdService } from './bird-service.js';
import type { Environment } from './settings.js';
import { Supervisor } from './supervisor.js';
import { VERSION } from '../base/version.js';

const USAGE = `calico-node: networking and policy of this host: start-up, agent, BIRD, and an etcd of its own where none is named.

Usage: calico-node [--help | --version]

Variables (all may be left out):
  NODENAME                        name of this node (default: /var/lib/calico/nodename, else the host name)
  ETCD_ENDPOINTS                  the etcd all hosts share; without it this host keeps one for itself
  IP, IP6                         address/length, autodetect or none
  IP_AUTODETECTION_METHOD         first-found, interface=REGEX, skip-interface=REGEX, can-reach=HOST, cidr=CIDR
  AS                              this node's AS number
  CALICO_NETWORKING_BACKEND       bird, vxlan or none
  CALICO_IPV4POOL_CIDR            the first pool, or none; also …_IPIP, …_VXLAN, …_NAT_OUTGOING, …_BLOCK_SIZE
  NO_DEFAULT_POOLS                true: no pool is created
  FELIX_…                         parameters of the agent
Status: calicoctl node status, or ${LOCAL_API_SOCKET}
`;

async function serve(environment: Environment): Promise<void> {
  keepYoungGenerationSmall();
  const stop = new AbortController();
  for (const name of ['SIGINT', 'SIGTERM'] as const) process.once(name, () => stop.abort());
  const announce = (line: string): void => {
    process.stdout.write(`${line}\n`);
  };
  const supervisor = new Supervisor({
    environment,
    log: createLog(),
    announce,
    openBgp: (context) => new BirdService(context),
  });
  await supervisor.run(stop.signal);
}

/** The program `calico-node`. @returns its exit status */
export async function runNode(words: readonly string[], environment: Environment): Promise<number> {
  if (words.includes('--help') || words.includes('-h')) {
    process.stdout.write(USAGE);
    return 0;
  }
  if (words.includes('--version') || words.includes('-v')) {
    process.stdout.write(`${VERSION}\n`);
    return 0;
  }
  try {
    if (words.length > 0) {
      throw new CalicoError('ERR_CALI_NODE_USAGE', `unknown word "${words[0]}"`, { hint: 'see calico-node --help' });
    }
    await serve(environment);
    return 0;
  } catch (error) {
    if (!(error instanceof CalicoError)) throw error;
    process.stderr.write(`calico-node: ${formatError(error)}\n`);
    return 1;
  }
}
