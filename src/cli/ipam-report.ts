import { CalicoError, NotFoundError } from '../base/errors.js';
import { Ipam } from '../ipam/ipam.js';
import { ORPHANED, type PoolUtilization } from '../ipam/utilization.js';
import { tryParseAddress } from '../net/address.js';
import { type Call, type Context, flag, textOption } from './command.js';
import { type Block, line, type Result } from './result.js';

/** A number in at most five significant digits, as C's %.5g. */
export function fiveDigits(value: number): string {
  if (value === 0) return '0';
  const [digits = '', exponentText = '0'] = value.toExponential(4).split('e');
  const exponent = Number(exponentText);
  if (exponent >= -4 && exponent < 5) return String(Number(value.toPrecision(5)));
  const sign = exponent < 0 ? '-' : '+';
  return `${Number(digits)}e${sign}${String(Math.abs(exponent)).padStart(2, '0')}`;
}

function share(count: number, total: number): string {
  return `${fiveDigits(count)} (${total === 0 ? 0 : Math.round((count / total) * 100)}%)`;
}

function row(grouping: string, cidr: string, capacity: number, used: number): readonly string[] {
  const free = capacity - used;
  return [grouping, cidr, fiveDigits(capacity), share(used, capacity), share(0, capacity), share(free, capacity)];
}

function rowsOf(pool: PoolUtilization, showsBlocks: boolean): readonly (readonly string[])[] {
  const own = pool.name === ORPHANED ? [] : [row('IP Pool', pool.cidr, pool.capacity, pool.used)];
  const blocks = pool.blocks.map(({ cidr, capacity, used }) => row('Block', cidr, capacity, used));
  return showsBlocks ? [...own, ...blocks] : own;
}

async function usage(ipam: Ipam, showsBlocks: boolean): Promise<Block> {
  const rows = (await ipam.utilization()).flatMap((pool) => rowsOf(pool, showsBlocks));
  const headings = ['GROUPING', 'CIDR', 'IPS TOTAL', 'IPS IN USE', 'IPS RESERVED', 'IPS FREE'];
  return { type: 'box', headings, rows, align: 'left' };
}

async function oneAddress(ipam: Ipam, text: string): Promise<readonly Block[]> {
  if (tryParseAddress(text) === undefined)
    throw new CalicoError('ERR_CALI_CLI_USAGE', `"${text}" is not an IP address`);
  try {
    const { handleId, attributes } = await ipam.attributes(text);
    const owner = Object.entries(attributes).toSorted(([a], [b]) => (a < b ? -1 : 1));
    return [
      line(`IP ${text} is in use`),
      line(`Handle ID: ${handleId ?? '<none>'}`),
      ...(owner.length === 0
        ? [line('No Active Owner attributes defined')]
        : [line('Active Owner Attributes:'), ...owner.map(([key, value]) => line(`  ${key}: ${value}`))]),
    ];
  } catch (error) {
    if (error instanceof NotFoundError) return [line(`${text} is not assigned`)];
    throw error;
  }
}

/** ipam show [--show-blocks] [--ip=IP] */
export async function showIpam(call: Call, context: Context): Promise<Result> {
  const { datastore } = await context.connectToRead();
  const ipam = new Ipam(datastore);
  const ip = textOption(call, 'ip');
  if (ip !== undefined) return { output: await oneAddress(ipam, ip) };
  return { output: [await usage(ipam, flag(call, 'showBlocks'))] };
}
