import { CalicoError } from '../base/errors.js';
import type { HostKernel } from './host-kernel.js';
import type { DataplaneSettings } from './settings.js';

interface Setting {
  readonly name: string;
  readonly value: string;
  /** Its failure is no failure of the interface. */
  readonly isOptional?: boolean;
}

export interface SysctlOutcome {
  /** Settings that had another value. */
  readonly writes: number;
  readonly failures: readonly CalicoError[];
}

/**
 * What makes a workload's interface a routed one: the host answers for every address (proxy ARP and NDP), forwards, and drops packets
 * whose source is not routed back to it. Idempotent.
 */
export function configureWorkloadInterface(
  kernel: HostKernel,
  settings: DataplaneSettings,
  name: string,
): SysctlOutcome {
  const v4 = `net/ipv4/conf/${name}`;
  const v6 = `net/ipv6/conf/${name}`;
  const list: Setting[] = [
    { name: `${v4}/route_localnet`, value: '1' },
    // Zero: the first packet of a workload must not wait for a delayed answer. Not every kernel has it per interface.
    { name: `net/ipv4/neigh/${name}/proxy_delay`, value: '0', isOptional: true },
    { name: `${v4}/proxy_arp`, value: '1' },
    { name: `${v4}/forwarding`, value: '1' },
    { name: `${v4}/rp_filter`, value: defaultReversePathFilter(kernel) },
    // The host must not take a default route from a workload; tried even where IPv6 is not ours.
    { name: `${v6}/accept_ra`, value: '0', isOptional: true },
  ];
  if (settings.ipv6) {
    list.push({ name: `${v6}/proxy_ndp`, value: '1' }, { name: `${v6}/forwarding`, value: '1' });
  }
  return writeAll(kernel, list);
}

/** Forwarding for the host as a whole; packet counts in conntrack where the kernel has them. */
export function configureHost(kernel: HostKernel, settings: DataplaneSettings): SysctlOutcome {
  const list: Setting[] = [{ name: 'net/netfilter/nf_conntrack_acct', value: '1', isOptional: true }];
  if (settings.ipForwarding) {
    list.push({ name: 'net/ipv4/ip_forward', value: '1' });
    if (settings.ipv6) list.push({ name: 'net/ipv6/conf/all/forwarding', value: '1' });
  }
  return writeAll(kernel, list);
}

/** The host's own choice for new interfaces; strict when it cannot be read. */
function defaultReversePathFilter(kernel: HostKernel): string {
  try {
    return kernel.readSysctl('net/ipv4/conf/default/rp_filter');
  } catch (error) {
    if (error instanceof CalicoError) return '1';
    throw error;
  }
}

function writeAll(kernel: HostKernel, list: readonly Setting[]): SysctlOutcome {
  const failures: CalicoError[] = [];
  let writes = 0;
  for (const { name, value, isOptional } of list) {
    try {
      if (kernel.writeSysctl(name, value)) writes += 1;
    } catch (error) {
      if (!(error instanceof CalicoError)) throw error;
      if (isOptional !== true) failures.push(error);
    }
  }
  return { writes, failures };
}
