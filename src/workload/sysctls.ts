import { existsSync } from 'node:fs';
import { KernelError } from '../base/errors.js';
import type { Family } from '../net/address.js';
import { writeSysctl } from '../sys/sysctl.js';

type Setting = readonly [name: string, value: string];

/** False on a kernel booted with `ipv6.disable=1` or built without it. */
export function kernelHasIpv6(): boolean {
  return existsSync('/proc/sys/net/ipv6');
}

function write(settings: readonly Setting[]): void {
  for (const [name, value] of settings) writeSysctl(name, value);
}

/** Absent on some kernels, read-only in some containers, and of no consequence when it stays as it is. */
function tryWrite(name: string, value: string): void {
  try {
    writeSysctl(name, value);
  } catch (error) {
    if (!(error instanceof KernelError)) throw error;
  }
}

/** Settings of the host's end; call inside the host's namespace, before the interface is up. @throws {KernelError} */
export function writeHostSysctls(interfaceName: string, family: Family): void {
  if (family === 4) {
    const conf = `net/ipv4/conf/${interfaceName}`;
    write([
      // Packets of 127/8 that DNAT sends to a workload may leave by this interface.
      [`${conf}/route_localnet`, '1'],
      // Answer for 169.254.1.1, whoever asks for it.
      [`${conf}/proxy_arp`, '1'],
      [`${conf}/forwarding`, '1'],
    ]);
    // Answer at once: the delay is against storms of proxies, and here is one.
    tryWrite(`net/ipv4/neigh/${interfaceName}/proxy_delay`, '0');
    return;
  }
  const conf = `net/ipv6/conf/${interfaceName}`;
  write([
    [`${conf}/disable_ipv6`, '0'],
    [`${conf}/accept_dad`, '0'],
    [`${conf}/proxy_ndp`, '1'],
    [`${conf}/forwarding`, '1'],
  ]);
  tryWrite(`${conf}/accept_ra`, '0');
}

/** So that the host's link-local address is usable at once, should the workload get an IPv6 address later. Before the link is up. */
export function skipDuplicateDetection(interfaceName: string): void {
  tryWrite(`net/ipv6/conf/${interfaceName}/accept_dad`, '0');
}

/** Whether a workload routes for others, in every family: also in one whose first address comes later. @throws {KernelError} */
export function writeForwarding(mayForward: boolean): void {
  const forwarding = mayForward ? '1' : '0';
  writeSysctl('net/ipv4/ip_forward', forwarding);
  if (kernelHasIpv6()) writeSysctl('net/ipv6/conf/all/forwarding', forwarding);
}

/** Settings inside the workload's namespace; call there, before the interface is up where that can be. @throws {KernelError} */
export function writeWorkloadSysctls(interfaceName: string, family: Family): void {
  if (family === 4) return;
  write([
    // Container runtimes switch IPv6 off for all of a new namespace; `default` and `lo` follow `all` only when they are made later.
    ['net/ipv6/conf/all/disable_ipv6', '0'],
    ['net/ipv6/conf/default/disable_ipv6', '0'],
    ['net/ipv6/conf/lo/disable_ipv6', '0'],
    [`net/ipv6/conf/${interfaceName}/disable_ipv6`, '0'],
    // IPAM has made the addresses unique; waiting a second for nobody's objection would delay the start of every workload.
    [`net/ipv6/conf/${interfaceName}/accept_dad`, '0'],
  ]);
}
