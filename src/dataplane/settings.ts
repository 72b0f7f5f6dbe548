/** What the dataplane is told once, at start. The defaults are those of the documented parameters. */
export interface DataplaneSettings {
  /** Interfaces whose names begin so belong to workloads (`InterfacePrefix`). */
  readonly interfacePrefixes: readonly string[];
  /** Bits of the packet mark that are ours (`NftablesMarkMask`): at least two. */
  readonly markMask: number;
  /** What becomes of packets from workloads to this host that their egress policy let through (`DefaultEndpointToHostAction`). */
  readonly endpointToHostAction: 'drop' | 'return' | 'accept';
  /** What Deny does (`NftablesFilterDenyAction`). */
  readonly denyAction: 'drop' | 'reject';
  /** Also IPv6 sets, routes and sysctls (`Ipv6Support`). Packets of both families are judged in any case. */
  readonly ipv6: boolean;
  /** Before the text of what a Log rule writes (`LogPrefix`). */
  readonly logPrefix: string;
  readonly allowVxlanFromWorkloads: boolean;
  readonly allowIpipFromWorkloads: boolean;
  readonly vxlanPort: number;
  readonly disableConntrackInvalidCheck: boolean;
  /** Keep our accepts and drops in the tables that iptables owns. */
  readonly manageForeignTables: boolean;
  /** Switch on forwarding for the whole host (`IPForwarding`). */
  readonly ipForwarding: boolean;
  /** Remove routes on workload interfaces whatever their protocol (`RemoveExternalRoutes`); else only protocols 3 and 80. */
  readonly removeExternalRoutes: boolean;
  /** How long an unknown route may stand on a workload interface that has just appeared. */
  readonly unknownRouteGraceMs: number;
}

export const DEFAULT_SETTINGS: DataplaneSettings = {
  interfacePrefixes: ['cali'],
  markMask: 0xffff0000,
  endpointToHostAction: 'drop',
  denyAction: 'drop',
  ipv6: true,
  logPrefix: 'calico-packet',
  allowVxlanFromWorkloads: false,
  allowIpipFromWorkloads: false,
  vxlanPort: 4789,
  disableConntrackInvalidCheck: false,
  manageForeignTables: true,
  ipForwarding: true,
  removeExternalRoutes: true,
  unknownRouteGraceMs: 10_000,
};

/** True for the host side of a workload's interface. */
export function isWorkloadInterface(settings: DataplaneSettings, name: string): boolean {
  return settings.interfacePrefixes.some((prefix) => name.startsWith(prefix));
}
