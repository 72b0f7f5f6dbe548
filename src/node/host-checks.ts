import type { Conditions } from '../base/conditions.js';
import { CalicoError } from '../base/errors.js';
import { findDefaultRoute } from '../features/host-conditions.js';
import { kernelFeatures } from '../features/kernel-features.js';
import { FeatureProbe, type FeatureReport } from '../features/probe.js';
import { NetlinkSocket } from '../netlink/socket.js';
import { NETLINK_ROUTE } from '../sys/constants.js';
import { NO_DEFAULT_ROUTE } from './conditions.js';

/** @throws {CalicoError} `ERR_CALI_NODE_NOT_ROOT` */
export function requireRoot(): void {
  if (process.geteuid?.() === 0) return;
  throw new CalicoError('ERR_CALI_NODE_NOT_ROOT', 'calico-node programs the kernel and must run as root', {
    hint: 'run it with sudo, or as a service of the system',
  });
}

/** @throws {UnsupportedError} `ERR_CALI_FEATURE_NF_TABLES` this kernel has no nf_tables: nothing could be enforced */
export async function requireNfTables(): Promise<void> {
  await new FeatureProbe().require(kernelFeatures.nfTables);
}

/** Tries everything a kernel may lack, one after the other; about a millisecond each. */
export async function probeFeatures(): Promise<readonly FeatureReport[]> {
  const probe = new FeatureProbe();
  const reports: FeatureReport[] = [];
  for (const feature of Object.values(kernelFeatures)) reports.push(await probe.check(feature));
  return reports;
}

/** Raises what is wrong with this host's own network. */
export async function checkDefaultRoute(conditions: Conditions): Promise<void> {
  using socket = NetlinkSocket.open(NETLINK_ROUTE);
  if ((await findDefaultRoute(socket, 4)) === undefined) conditions.raise(NO_DEFAULT_ROUTE, undefined);
  else conditions.clear(NO_DEFAULT_ROUTE);
}
