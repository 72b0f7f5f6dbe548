import type { Datastore } from '../datastore/datastore.js';
import { tryParsePrefix } from '../net/prefix.js';
import { usedCount } from './block.js';
import { capacityOf, type Pool, poolOfBlock, readPools } from './pools.js';

export interface BlockUtilization {
  readonly cidr: string;
  readonly affinity: string | undefined;
  readonly capacity: number;
  /** Assigned or cooling down. */
  readonly used: number;
}

export interface PoolUtilization {
  readonly name: string;
  readonly cidr: string;
  /** Exact up to 2^53. */
  readonly capacity: number;
  readonly used: number;
  /** Sorted by CIDR text. */
  readonly blocks: readonly BlockUtilization[];
}

/** Name of the entry for blocks that lie in no pool. */
export const ORPHANED = 'orphaned allocation blocks';

/** How full each pool is, in the order of their names; blocks outside all pools come last, under `0.0.0.0/0`. */
export async function readUtilization(datastore: Datastore): Promise<readonly PoolUtilization[]> {
  const [pools, { items }] = await Promise.all([readPools(datastore), datastore.list('IPAMBlock')]);
  const blocks = new Map<Pool | undefined, BlockUtilization[]>(pools.map((pool) => [pool, []]));
  for (const { key, value } of items) {
    const pool = tryParsePrefix(key.name) === undefined ? undefined : poolOfBlock(pools, key.name);
    const list = blocks.get(pool) ?? [];
    list.push({
      cidr: key.name,
      affinity: value.affinity,
      capacity: value.allocations.length,
      used: usedCount(value),
    });
    blocks.set(pool, list);
  }
  return [...blocks].map(([pool, list]) => ({
    name: pool?.name ?? ORPHANED,
    cidr: pool?.cidr ?? '0.0.0.0/0',
    capacity: pool === undefined ? 0 : capacityOf(pool.prefix),
    used: list.reduce((sum, block) => sum + block.used, 0),
    blocks: list,
  }));
}
