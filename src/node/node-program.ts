import { createLog } from '../base/log.js';
import { runDaemon } from '../felix/daemon.js';
import { keepYoungGenerationSmall } from '../felix/memory.js';
import { LOCAL_API_SOCKET } from '../localapi/protocol.js';
import { BirdService } from './bird-service.js';
import type { Environment } from './settings.js';
import { Supervisor } from './supervisor.js';

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
  CALICO_LIBNETWORK_ENABLED       true: serves Docker's network and IPAM driver "calico"
  FELIX_…                         parameters of the agent
Status: calicoctl node status, or ${LOCAL_API_SOCKET}
`;

async function serve(environment: Environment, signal: AbortSignal): Promise<void> {
  keepYoungGenerationSmall();
  const announce = (line: string): void => {
    process.stdout.write(`${line}\n`);
  };
  const supervisor = new Supervisor({
    environment,
    log: createLog(),
    announce,
    openBgp: (context) => new BirdService(context),
  });
  await supervisor.run(signal);
}

/** The program `calico-node`. @returns its exit status */
export function runNode(words: readonly string[], environment: Environment): Promise<number> {
  return runDaemon(words, {
    name: 'calico-node',
    usage: USAGE,
    usageCode: 'ERR_CALI_NODE_USAGE',
    serve: (signal) => serve(environment, signal),
  });
}
