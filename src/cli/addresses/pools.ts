import type { IPPool } from '../../api/kinds/ip-pool.js';
import { API_VERSION } from '../../api/meta.js';
import { poolName } from '../../api/v1/names.js';
import { CalicoError, UnavailableError } from '../../base/errors.js';
import type { Client } from '../../client/client.js';
import { isDefaultPool } from '../../client/pools.js';
import { compareAddresses, tryParseAddress } from '../../net/address.js';
import { coverRange } from '../../net/address-range.js';
import {
  formatPrefix,
  networkOf,
  parsePrefix,
  type Prefix,
  prefixesOverlap,
  tryParsePrefix,
} from '../../net/prefix.js';
import type { Stored } from '../../datastore/datastore.js';
import { type Call, type Context, flag } from '../command.js';
import { describeFailure, formatFailure } from '../messages.js';
import { type Block, line, type Result } from '../result.js';

/** Longest prefix a pool may have: one block. */
const LONGEST = { 4: 26, 6: 122 } as const;

function refused(message: string): CalicoError {
  return new CalicoError('ERR_CALI_CLI_POOL', `${message}\nNo pools added.`);
}

function parsePool(text: string, wantsIpip: boolean): Prefix {
  const prefix = text.includes('/') ? tryParsePrefix(text) : undefined;
  if (prefix === undefined) throw refused(`Invalid CIDR specified ${text}`);
  const { family } = prefix.address;
  if (prefix.length > LONGEST[family]) {
    throw refused(`An IPv${family} pool must have a prefix length of ${LONGEST[family]} or lower.`);
  }
  if (family === 6 && wantsIpip) throw refused('IP in IP not supported for IPv6 pools');
  return networkOf(prefix);
}

function refuseOverlaps(wanted: readonly Prefix[], existing: readonly Stored<'IPPool'>[]): void {
  for (const [index, pool] of wanted.entries()) {
    const cidr = formatPrefix(pool);
    const other = wanted.find((each, at) => at < index && prefixesOverlap(each, pool));
    if (other !== undefined) {
      throw refused(`Cannot add IP pool ${cidr} - pool overlaps with another new pool ${formatPrefix(other)}`);
    }
    const taken = existing.find(({ value }) => {
      const isSame = value.spec.cidr === cidr;
      return !isSame && !isDefaultPool(value) && prefixesOverlap(parsePrefix(value.spec.cidr), pool);
    });
    if (taken !== undefined) {
      throw refused(`Cannot add IP pool ${cidr} - pool overlaps with an existing pool ${taken.value.spec.cidr}`);
    }
  }
}

/** Creates the pool of a CIDR, or sets the flags of the one there is. */
async function writePool(
  client: Client,
  cidr: string,
  existing: readonly Stored<'IPPool'>[],
  call: Call,
): Promise<void> {
  const flags = { ipipMode: flag(call, 'ipip') ? 'Always' : 'Never', natOutgoing: flag(call, 'natOutgoing') } as const;
  const same = existing.find(({ value }) => value.spec.cidr === cidr && !isDefaultPool(value));
  if (same !== undefined) {
    const { value } = same;
    await client.update({ ...value, metadata: { name: same.key.name }, spec: { ...value.spec, ...flags } });
    return;
  }
  const pool: IPPool = {
    apiVersion: API_VERSION,
    kind: 'IPPool',
    metadata: { name: poolName(cidr) },
    spec: { cidr, ...blockSizeOf(cidr), ...flags },
  };
  await client.create(pool);
}

/** A pool that is smaller than a usual block is one block; only ranges make such. */
function blockSizeOf(cidr: string): Pick<IPPool['spec'], 'blockSize'> {
  const { length, address } = parsePrefix(cidr);
  return length > LONGEST[address.family] ? { blockSize: length } : {};
}

/** Writes pools that were judged; each failure is told. */
async function writePools(
  client: Client,
  wanted: readonly Prefix[],
  existing: readonly Stored<'IPPool'>[],
  call: Call,
): Promise<Result> {
  const errors: string[] = [];
  for (const pool of wanted) {
    const cidr = formatPrefix(pool);
    try {
      await writePool(client, cidr, existing, call);
    } catch (error) {
      if (error instanceof UnavailableError) throw error;
      errors.push(formatFailure(describeFailure(error, { kind: 'IPPool', name: poolName(cidr) })));
    }
  }
  return { errors };
}

/** pool add CIDR… [--ipip] [--nat-outgoing]: all are judged before any is written. The same CIDR again sets its flags. */
export async function addPools(call: Call, context: Context): Promise<Result> {
  const wanted = call.arguments.map((text) => parsePool(text, flag(call, 'ipip')));
  const client = await context.connect();
  const existing = await client.list('IPPool');
  refuseOverlaps(wanted, existing);
  return writePools(client, wanted, existing, call);
}

/** pool range add START END [--ipip] [--nat-outgoing]: the fewest pools that hold these addresses and no others. */
export async function addPoolRange(call: Call, context: Context): Promise<Result> {
  const [first, last] = call.arguments.map((text) => {
    const address = tryParseAddress(text);
    if (address === undefined) throw refused(`Invalid IP address specified: ${text}`);
    return address;
  });
  if (first === undefined || last === undefined) throw refused('START_IP and END_IP must be given');
  if (first.family !== last.family) throw refused('START_IP and END_IP must be the same ip version');
  if (compareAddresses(first, last) >= 0) throw refused('START_IP must be a smaller ip address than END_IP');
  if (first.family === 6 && flag(call, 'ipip')) throw refused('IP in IP not supported for IPv6 pools');
  const wanted = coverRange(first, last);
  const client = await context.connect();
  const existing = await client.list('IPPool');
  const taken = existing.find(({ value }) => {
    const other = parsePrefix(value.spec.cidr);
    return !isDefaultPool(value) && wanted.some((pool) => prefixesOverlap(other, pool));
  });
  if (taken !== undefined) throw refused(`Cannot add range - range conflicts with pool ${taken.value.spec.cidr}`);
  return writePools(client, wanted, existing, call);
}

function optionsOf({ spec }: IPPool): string {
  const options = [
    ...(spec.ipipMode !== undefined && spec.ipipMode !== 'Never' ? ['ipip'] : []),
    ...(spec.natOutgoing === true ? ['nat-outgoing'] : []),
  ];
  return options.join(',');
}

/** pool show [--ipv4|--ipv6] */
export async function showPools(call: Call, context: Context): Promise<Result> {
  if (flag(call, 'ipv4') && flag(call, 'ipv6')) {
    throw new CalicoError('ERR_CALI_CLI_USAGE', '--ipv4 and --ipv6 exclude each other', {
      hint: 'give neither to see all',
    });
  }
  const client = await context.connectToRead();
  const pools = (await client.list('IPPool')).map(({ value }) => value);
  const output: Block[] = [];
  for (const family of [4, 6] as const) {
    if ((family === 4 && flag(call, 'ipv6')) || (family === 6 && flag(call, 'ipv4'))) continue;
    const rows = pools
      .filter(({ spec }) => parsePrefix(spec.cidr).address.family === family)
      .map((pool) => [pool.spec.cidr, optionsOf(pool)])
      .toSorted(([a = ''], [b = '']) => (a < b ? -1 : 1));
    output.push({ type: 'box', headings: [`IPv${family} CIDR`, 'Options'], rows, align: 'centre' });
  }
  return { output };
}

/** pool remove CIDR… */
export async function removePools(call: Call, context: Context): Promise<Result> {
  const client = await context.connect();
  const pools = await client.list('IPPool');
  const chosen = call.arguments.map((text) => {
    const prefix = tryParsePrefix(text);
    const cidr = prefix === undefined ? text : formatPrefix(networkOf(prefix));
    return { text, pool: pools.find(({ value }) => value.spec.cidr === cidr) };
  });
  const unknown = chosen.filter(({ pool }) => pool === undefined);
  if (unknown.length > 0) return { errors: unknown.map(({ text }) => `${text} is not a configured pool.`) };
  const isReal = !flag(call, 'dryRun');
  for (const { pool } of chosen) {
    if (pool === undefined) continue;
    if (isReal) context.print(line('Disabling IP Pool'));
    await client.delete(pool.key);
    if (!isReal) continue;
    context.print(line('Removing IPAM configuration for pool'));
    context.print(line('Deleted IP Pool'));
  }
  return {};
}
