import { CalicoError, NotFoundError } from '../../base/errors.js';
import { type BorrowedAddress, readBorrowed } from '../../ipam/borrowed.js';
import { Ipam } from '../../ipam/ipam.js';
import { readSettings } from '../../ipam/pools.js';
import { type BlockUtilization, ORPHANED, type PoolUtilization } from '../../ipam/utilization.js';
import { tryParseAddress } from '../../net/address.js';
import { type Call, type Context, flag, textOption } from '../command.js';
import { type Block, line, type Result } from '../result.js';

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

function row(grouping: string, { cidr, capacity, used, reserved }: Omit<BlockUtilization, 'affinity'>): string[] {
  const free = capacity - used - reserved;
  return [grouping, cidr, fiveDigits(capacity), ...[used, reserved, free].map((count) => share(count, capacity))];
}

function rowsOf(pool: PoolUtilization, showsBlocks: boolean): readonly (readonly string[])[] {
  const own = pool.name === ORPHANED ? [] : [row('IP Pool', pool)];
  return showsBlocks ? [...own, ...pool.blocks.map((block) => row('Block', block))] : own;
}

async function usage(ipam: Ipam, showsBlocks: boolean): Promise<Block> {
  const rows = (await ipam.utilization()).flatMap((pool) => rowsOf(pool, showsBlocks));
  const headings = ['GROUPING', 'CIDR', 'IPS TOTAL', 'IPS IN USE', 'IPS RESERVED', 'IPS FREE'];
  return { type: 'box', headings, rows, align: 'left' };
}

function attributeLines(what: string, attributes: Readonly<Record<string, string>>): readonly Block[] {
  const sorted = Object.entries(attributes).toSorted(([a], [b]) => (a < b ? -1 : 1));
  if (sorted.length === 0) return [];
  return [line(`${what} Attributes:`), ...sorted.map(([key, value]) => line(`  ${key}: ${value}`))];
}

async function oneAddress(ipam: Ipam, text: string): Promise<readonly Block[]> {
  if (tryParseAddress(text) === undefined)
    throw new CalicoError('ERR_CALI_CLI_USAGE', `"${text}" is not an IP address`);
  try {
    const { handleId, attributes, alternateAttributes } = await ipam.attributes(text);
    const active = attributeLines('Active Owner', attributes);
    return [
      line(`IP ${text} is in use`),
      line(`Handle ID: ${handleId ?? '<none>'}`),
      ...(active.length === 0 ? [line('No Active Owner attributes defined')] : active),
      ...attributeLines('Alternate Owner', alternateAttributes),
    ];
  } catch (error) {
    if (error instanceof NotFoundError) return [line(error.message)];
    throw error;
  }
}

function borrowedTable(addresses: readonly BorrowedAddress[]): Block {
  return {
    type: 'box',
    headings: ['IP', 'BORROWING-NODE', 'BLOCK', 'BLOCK OWNER', 'TYPE', 'ALLOCATED-TO'],
    rows: addresses.map(({ address, borrower, block, owner, type, holder }) => [
      address,
      borrower,
      block,
      owner,
      type,
      holder,
    ]),
    align: 'left',
  };
}

async function configuration(context: Context): Promise<Block> {
  const { datastore } = await context.connectToRead();
  const { isStrict, mayClaim, maxBlocksPerHost, kubeVirtPersistence, cooldownSeconds } = await readSettings(datastore);
  const rows = [
    ['StrictAffinity', String(isStrict)],
    ['AutoAllocateBlocks', String(mayClaim)],
    ['MaxBlocksPerHost', String(maxBlocksPerHost)],
    ['KubeVirtVMAddressPersistence', kubeVirtPersistence],
    ['IPCooldownSeconds', String(cooldownSeconds)],
  ];
  return { type: 'box', headings: ['PROPERTY', 'VALUE'], rows, align: 'left' };
}

/** ipam show [--ip=IP | --show-blocks | --show-borrowed | --show-configuration] */
export async function showIpam(call: Call, context: Context): Promise<Result> {
  const { datastore } = await context.connectToRead();
  const ipam = new Ipam(datastore);
  const ip = textOption(call, 'ip');
  if (ip !== undefined) return { output: await oneAddress(ipam, ip) };
  if (flag(call, 'showBorrowed')) return { output: [borrowedTable(await readBorrowed(datastore))] };
  if (flag(call, 'showConfiguration')) return { output: [await configuration(context)] };
  return { output: [await usage(ipam, flag(call, 'showBlocks'))] };
}
