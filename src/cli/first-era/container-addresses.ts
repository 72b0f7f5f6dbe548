import { AlreadyExistsError, ifFound, NotFoundError } from '../../base/errors.js';
import type { Client } from '../../client/client.js';
import { Ipam } from '../../ipam/ipam.js';
import { type Family, formatAddress, tryParseAddress } from '../../net/address.js';
import { addressInPrefix, formatPrefix, networkOf, parsePrefix, tryParsePrefix } from '../../net/prefix.js';

/** Who gets an address. */
export interface Holder {
  readonly node: string;
  readonly workload: string;
  /** What releases it later. */
  readonly handleId: string;
}

/** An address, or why there is none. */
export type Assigned = { readonly address: string } | { readonly refusal: string };

async function enabledPools(client: Client): Promise<readonly string[]> {
  return (await client.list('IPPool'))
    .filter(({ value }) => value.spec.disabled !== true)
    .map(({ value }) => value.spec.cidr);
}

function requestOf({ node, workload, handleId }: Holder) {
  return { hostname: node, handleId, use: 'Workload' as const, attributes: { node, namespace: 'default', workload } };
}

async function assignGiven(client: Client, address: string, holder: Holder): Promise<Assigned> {
  const parsed = tryParseAddress(address);
  const pool = (await enabledPools(client)).find(
    (cidr) => parsed !== undefined && addressInPrefix(parsed, parsePrefix(cidr)),
  );
  if (pool === undefined) return { refusal: `${address} is not in any configured pools` };
  try {
    await new Ipam(client.datastore).assignIp({ address, ...requestOf(holder) });
    return { address };
  } catch (error) {
    if (error instanceof AlreadyExistsError) return { refusal: `IP address is already assigned in pool ${pool}` };
    if (error instanceof NotFoundError) return { refusal: `${address} is not in any configured pools` };
    throw error;
  }
}

async function assignAny(client: Client, family: Family, pool: string | undefined, holder: Holder): Promise<Assigned> {
  const wanted =
    family === 4
      ? { ipv4: 1, ...(pool === undefined ? {} : { ipv4Pools: [pool] }) }
      : { ipv6: 1, ...(pool === undefined ? {} : { ipv6Pools: [pool] }) };
  const { ipv4, ipv6 } = await new Ipam(client.datastore).autoAssign({ ...wanted, ...requestOf(holder) });
  const [network] = [...ipv4.addresses, ...ipv6.addresses];
  if (network !== undefined) return { address: network.replace(/\/\d+$/, '') };
  const counts = family === 4 ? '1 IPv4s and 0 IPv6s' : '0 IPv4s and 1 IPv6s';
  return { refusal: `Failed to allocate any IPs (requested ${counts}). Pools are likely exhausted.` };
}

/** Assigns what was typed: an address, `ipv4` or `ipv6` for any, or the CIDR of a pool for one of it. */
export async function assignAddress(client: Client, typed: string, holder: Holder): Promise<Assigned> {
  if (typed === 'ipv4' || typed === 'ipv6') return assignAny(client, typed === 'ipv4' ? 4 : 6, undefined, holder);
  const address = tryParseAddress(typed);
  if (address !== undefined) return assignGiven(client, formatAddress(address), holder);
  const prefix = tryParsePrefix(typed);
  if (prefix === undefined) {
    return {
      refusal: `Invalid IP address specified: ${typed}\n  hint: write an address, ipv4, ipv6, or the CIDR of a pool`,
    };
  }
  const cidr = formatPrefix(networkOf(prefix));
  if (!(await enabledPools(client)).includes(cidr)) {
    return { refusal: `Invalid CIDR specified for desired pool. No pool found for ${typed}.` };
  }
  return assignAny(client, prefix.address.family, cidr, holder);
}

/** Whether a handle holds an address. */
export async function isHeldBy(client: Client, address: string, handleId: string): Promise<boolean> {
  try {
    return (await new Ipam(client.datastore).attributes(address)).handleId === handleId;
  } catch (error) {
    if (error instanceof NotFoundError) return false;
    throw error;
  }
}

/** Releases all that a handle holds; fine when that is nothing. */
export async function releaseAll(client: Client, handleId: string): Promise<void> {
  await ifFound(new Ipam(client.datastore).releaseByHandle(handleId));
}
