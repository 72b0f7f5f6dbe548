import type { IPAMBlock } from '../api/kinds/ipam-block.js';
import { CalicoError } from '../base/errors.js';
import { addressBytes, parseAddress, tryParseAddress } from '../net/address.js';
import { addressInPrefix, parsePrefix, prefixContains, type Prefix } from '../net/prefix.js';
import type { Client } from '../client/client.js';
import { type Call, type Context, flag, textOption } from './command.js';
import { type Block, line, type Result } from './result.js';

interface Usage {
  readonly grouping: string;
  readonly cidr: string;
  readonly total: number;
  readonly inUse: number;
}

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

function sizeOf(prefix: Prefix): number {
  return 2 ** ((prefix.address.family === 4 ? 32 : 128) - prefix.length);
}

function usedIn(block: IPAMBlock): number {
  return block.allocations.filter((slot) => slot !== null).length;
}

function row({ grouping, cidr, total, inUse }: Usage): readonly string[] {
  return [grouping, cidr, fiveDigits(total), share(inUse, total), share(0, total), share(total - inUse, total)];
}

async function usage(client: Client, showsBlocks: boolean): Promise<Block> {
  const cidrs = (await client.list('IPPool')).map(({ value }) => value.spec.cidr);
  const pools = cidrs.map(parsePrefix);
  const { items } = await client.datastore.list('IPAMBlock');
  const blocks = items.map(({ key, value }) => ({
    cidr: key.name,
    prefix: parsePrefix(key.name),
    inUse: usedIn(value),
  }));
  const rows: Usage[] = [];
  const asRow = ({ cidr, prefix, inUse }: (typeof blocks)[number]) => ({
    grouping: 'Block',
    cidr,
    total: sizeOf(prefix),
    inUse,
  });
  for (const [index, pool] of pools.entries()) {
    const inside = blocks.filter(({ prefix }) => prefixContains(pool, prefix));
    const inUse = inside.reduce((sum, block) => sum + block.inUse, 0);
    rows.push({ grouping: 'IP Pool', cidr: cidrs[index] ?? '', total: sizeOf(pool), inUse });
    if (showsBlocks) rows.push(...inside.map(asRow));
  }
  const orphans = blocks.filter(({ prefix }) => !pools.some((pool) => prefixContains(pool, prefix)));
  if (showsBlocks) rows.push(...orphans.map(asRow));
  const headings = ['GROUPING', 'CIDR', 'IPS TOTAL', 'IPS IN USE', 'IPS RESERVED', 'IPS FREE'];
  return { type: 'box', headings, rows: rows.map(row), align: 'left' };
}

function ordinalOf(text: string, block: Prefix): number {
  const bytes = [addressBytes(parseAddress(text)), addressBytes(block.address)].map((address) =>
    address.slice(-4).reduce((sum, byte) => sum * 256 + byte, 0),
  );
  return ((bytes[0] ?? 0) - (bytes[1] ?? 0)) >>> 0;
}

async function oneAddress(client: Client, text: string): Promise<readonly Block[]> {
  const address = tryParseAddress(text);
  if (address === undefined) throw new CalicoError('ERR_CALI_CLI_USAGE', `"${text}" is not an IP address`);
  const { items } = await client.datastore.list('IPAMBlock');
  const block = items.find(({ key }) => addressInPrefix(address, parsePrefix(key.name)));
  const slot = block?.value.allocations[ordinalOf(text, parsePrefix(block.key.name))] ?? null;
  const attributes = slot === null ? undefined : block?.value.attributes[slot];
  if (attributes === undefined) return [line(`${text} is not assigned`)];
  const owner = Object.entries(attributes.secondary ?? {}).toSorted(([a], [b]) => (a < b ? -1 : 1));
  return [
    line(`IP ${text} is in use`),
    line(`Handle ID: ${attributes.handle_id ?? '<none>'}`),
    ...(owner.length === 0
      ? [line('No Active Owner attributes defined')]
      : [line('Active Owner Attributes:'), ...owner.map(([key, value]) => line(`  ${key}: ${value}`))]),
  ];
}

/** ipam show [--show-blocks] [--ip=IP] */
export async function showIpam(call: Call, context: Context): Promise<Result> {
  const client = await context.connectToRead();
  const ip = textOption(call, 'ip');
  if (ip !== undefined) return { output: await oneAddress(client, ip) };
  return { output: [await usage(client, flag(call, 'showBlocks'))] };
}
