import { endpointInterfaceName } from '../src/net/interface-name.js';
import { hashHex } from '../src/base/hash.js';
import { attachWorkload } from '../src/workload/attach.js';
import type { LabHost } from './host.js';

/** Ethernet's: the underlay has no tunnels. */
const mtu = 1500;

/** What a workload of the lab is called in the cluster: a long hexadecimal id, as container engines give. */
export function containerId(host: string, workload: string): string {
  return hashHex('sha256', `${host}.${workload}`);
}

/** The host's end of a workload's cable: `cali` and eleven characters of its id. */
export function hostInterfaceName(host: string, workload: string): string {
  return endpointInterfaceName(containerId(host, workload));
}

/** Cables a namespace to its host. `pid`: a process in the workload's namespace. */
export async function attach(
  host: LabHost,
  pid: number,
  hostInterface: string,
  addresses: readonly string[],
): Promise<void> {
  await attachWorkload({ netns: `/proc/${pid}/ns/net`, hostNetns: host.netns, hostInterface, addresses, mtu });
}
