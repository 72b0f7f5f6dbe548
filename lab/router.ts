import { CalicoError } from '../src/base/errors.js';
import type { LabHost } from './host.js';
import { addressOf, addressesOf } from './topology.js';
import type { RouterSpec, Topology } from './topology.js';

const CONFIG = '/etc/calico/router.conf';
const SOCKET = '/run/router/bird.ctl';

/**
 * The data centre's router: BIRD in the underlay, with one session a host and family. It waits for the hosts to call, takes what they
 * announce into its own kernel, and passes it on: as another autonomous system, or as a route reflector of theirs.
 */
export function routerConfig(topology: Topology, router: RouterSpec): string {
  const [first] = topology.subnets;
  if (first === undefined) throw new CalicoError('ERR_CALI_LAB_TOPOLOGY', 'a router needs a subnet');
  const kernels = ([4, 6] as const).map((family) =>
    [
      `protocol kernel kernel${family} {`,
      `  ipv${family} { import none; export where source = RTS_BGP; };`,
      '}',
      // Its own addresses: how it finds the next hops that hosts name.
      `protocol direct direct${family} { ipv${family}; }`,
    ].join('\n'),
  );
  return [
    'log "/var/log/calico/router.log" all;',
    `router id ${addressOf(first, 1).ipv4};`,
    'protocol device { scan time 2; }',
    ...kernels,
    ...sessions(topology, router),
    '',
  ].join('\n');
}

function sessions(topology: Topology, { asNumber, reflects = false }: RouterSpec): string[] {
  return topology.hosts.flatMap((host) => {
    const { ipv4, ipv6 } = addressesOf(topology, host);
    const ends = [
      { family: 4, address: ipv4 },
      { family: 6, address: ipv6 },
    ];
    return ends.map(({ family, address }) =>
      [
        `protocol bgp ${host.name.replaceAll('-', '_')}_v${family} {`,
        `  local as ${asNumber};`,
        `  neighbor ${address} ${reflects ? 'internal' : 'external'};`,
        ...(reflects ? ['  rr client;'] : []),
        // Whichever of its addresses they call, the one in the other subnet included.
        '  multihop;',
        '  passive on;',
        `  ipv${family} { import all; export where source = RTS_BGP; };`,
        '}',
      ].join('\n'),
    );
  });
}

/** Starts it inside the underlay; it ends with the lab. */
export async function startRouter(topology: Topology, underlay: LabHost, router: RouterSpec): Promise<void> {
  underlay.writeFile(CONFIG, routerConfig(topology, router));
  await underlay.exec(['mkdir', '-p', '/run/router']);
  await underlay.exec(['bird', '-c', CONFIG, '-s', SOCKET, '-P', '/run/router/bird.pid']);
}

/** What the router says to a command such as `show route`. */
export async function askRouter(underlay: LabHost, ...command: readonly string[]): Promise<string> {
  return (await underlay.exec(['birdc', '-r', '-s', SOCKET, ...command])).stdout;
}
