import type { IPAMBlock } from '../api/kinds/ipam-block.js';
import type { Datastore } from '../datastore/datastore.js';
import { parsePrefix, tryParsePrefix } from '../net/prefix.js';
import { addressAt, usedCount } from './block.js';
import { capacityOf, type Pool, poolOfBlock, readPools } from './pools.js';
import { readReservations, type Reservations } from './reservations.js';

/** What becomes of the addresses of a pool or block: `capacity` less `used` less `reserved` are free. */
interface Usage {
  readonly cidr: string;
  /** Exact up to 2^53. */
  readonly capacity: number;
  /** Assigned or cooling down. */
  readonly used: number;
  /** Reserved, and held by nobody: not assigned but to those who ask for them. */
  readonly reserved: number;
}

export interface BlockUtilization extends Usage {
  readonly affinity: string | undefined;
}

export interface PoolUtilization extends Usage {
  readonly name: string;
  /** Sorted by CIDR text. */
  readonly blocks: readonly BlockUtilization[];
}

/** Name of the entry for blocks that lie in no pool. */
export const ORPHANED = 'orphaned allocation blocks';

interface CountedBlock extends BlockUtilization {
  /** Addresses both used and reserved: somebody asked for them. */
  readonly both: number;
}

function countBlock(name: string, block: IPAMBlock, reservations: Reservations): CountedBlock {
  const prefix = parsePrefix(name);
  const isReserved = reservations.countWithin(prefix);
  const free = isReserved === 0 ? [] : block.unallocated;
  const reserved = free.filter((ordinal) => reservations.has(addressAt(block, ordinal))).length;
  const { affinity, allocations } = block;
  const used = usedCount(block);
  return { cidr: name, affinity, capacity: allocations.length, used, reserved, both: isReserved - reserved };
}

function sum<T>(items: readonly T[], count: (item: T) => number): number {
  return items.reduce((total, item) => total + count(item), 0);
}

/**
 * How full each pool is, in the order of their names; blocks outside all pools come last, under `0.0.0.0/0`. Blocks whose names are no
 * CIDR are left out: `ipam check` finds them.
 */
export async function readUtilization(datastore: Datastore): Promise<readonly PoolUtilization[]> {
  const [pools, { items }, reservations] = await Promise.all([
    readPools(datastore),
    datastore.list('IPAMBlock'),
    readReservations(datastore),
  ]);
  const blocks = new Map<Pool | undefined, CountedBlock[]>(pools.map((pool) => [pool, []]));
  for (const { key, value } of items) {
    if (tryParsePrefix(key.name) === undefined) continue;
    const pool = poolOfBlock(pools, key.name);
    const list = blocks.get(pool) ?? [];
    list.push(countBlock(key.name, value, reservations));
    blocks.set(pool, list);
  }
  return [...blocks].map(([pool, list]) => ({
    name: pool?.name ?? ORPHANED,
    cidr: pool?.cidr ?? '0.0.0.0/0',
    capacity: pool === undefined ? 0 : capacityOf(pool.prefix),
    used: sum(list, ({ used }) => used),
    reserved: pool === undefined ? 0 : reservations.countWithin(pool.prefix) - sum(list, ({ both }) => both),
    blocks: list.map(({ both: _both, ...block }) => block),
  }));
}
