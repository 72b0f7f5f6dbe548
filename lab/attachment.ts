import { createHash } from 'node:crypto';
import type { LabHost } from './host.js';
import { ipBatch, setSysctls } from './namespaces.js';

/** The host's end of a workload's cable: `cali` and eleven characters, made from what is unique in the cluster. */
export function hostInterfaceName(host: string, workload: string): string {
  return `cali${createHash('sha1').update(`${host}.${workload}`).digest('hex').slice(0, 11)}`;
}

/** Cables a namespace to its host: addresses, gateways and routes on both sides. `pid`: a process in the workload's namespace. */
export async function attach(
  host: LabHost,
  pid: number,
  hostInterface: string,
  addresses: readonly string[],
): Promise<void> {
  const mac = 'ee:ee:ee:ee:ee:ee';
  const prefixes = addresses.map((address) => `${address}/${address.includes(':') ? 128 : 32}`);
  await ipBatch(host.init.pid, [`link add ${hostInterface} address ${mac} type veth peer name eth0 netns ${pid}`]);
  await setSysctls(host.init.pid, {
    [`net/ipv4/conf/${hostInterface}/proxy_arp`]: '1',
    [`net/ipv4/conf/${hostInterface}/forwarding`]: '1',
    [`net/ipv4/neigh/${hostInterface}/proxy_delay`]: '0',
    [`net/ipv6/conf/${hostInterface}/proxy_ndp`]: '1',
    [`net/ipv6/conf/${hostInterface}/forwarding`]: '1',
  });
  await ipBatch(host.init.pid, [
    `link set ${hostInterface} up`,
    ...prefixes.map((prefix) =>
      `route replace ${prefix} dev ${hostInterface} scope link`.replace(/(:.*) scope link/, '$1'),
    ),
  ]);
  await ipBatch(pid, [
    'link set eth0 up',
    'route add 169.254.1.1 dev eth0 scope link',
    'route add default via 169.254.1.1 dev eth0',
    'route add default via fe80::ecee:eeff:feee:eeee dev eth0',
    ...prefixes.map((prefix) => `addr add ${prefix} dev eth0 ${prefix.includes(':') ? 'nodad' : ''}`),
  ]);
}
