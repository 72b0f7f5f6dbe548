import { describeKey } from '../api/keys.js';
import { parseBlockAffinityName } from '../api/kinds/block-affinity.js';
import { DEFAULT_POOL_ANNOTATION, type IPPool } from '../api/kinds/ip-pool.js';
import { ruleIssue } from '../api/issues.js';
import type { Ipam } from '../ipam/ipam.js';
import { parsePrefix, prefixContains, prefixesOverlap, tryParsePrefix } from '../net/prefix.js';
import type { Datastore, Stored } from '../datastore/datastore.js';
import { refused } from './errors.js';

export function isDefaultPool(pool: IPPool): boolean {
  return pool.metadata.annotations?.[DEFAULT_POOL_ANNOTATION] === 'true';
}

function overlaps(a: string, b: string): boolean {
  return prefixesOverlap(parsePrefix(a), parsePrefix(b));
}

/** CIDRs of the blocks that lie in a pool. */
export async function blocksWithin(datastore: Datastore, cidr: string): Promise<readonly string[]> {
  const pool = parsePrefix(cidr);
  const { items } = await datastore.list('IPAMBlock');
  return items
    .map(({ key }) => key.name)
    .filter((name) => {
      const block = tryParsePrefix(name);
      return block !== undefined && prefixContains(pool, block);
    });
}

/** What to do about the pools that are there already, before a new one is written. */
export interface PoolAdmission {
  /** Default pools that give way: delete them in the commit that creates the new pool. */
  readonly replaced: readonly Stored<'IPPool'>[];
  /** One line for people for each of them. */
  readonly notices: readonly string[];
}

function replacement(old: Stored<'IPPool'>, pool: IPPool): string {
  const name = `default pool "${old.key.name}" (${old.value.spec.cidr})`;
  return old.value.spec.cidr === pool.spec.cidr
    ? `${name} is now pool "${pool.metadata.name}"`
    : `${name} gave way to pool "${pool.metadata.name}" (${pool.spec.cidr}): nobody used it yet`;
}

/** Somebody who gives the same CIDR a name of its own mostly wants to change the pool that has it. */
function overlapHint({ key, value }: Stored<'IPPool'>, pool: IPPool): string {
  return value.spec.cidr === pool.spec.cidr
    ? `to change the pool that is there, call it by its name: ${key.name}`
    : 'see the pools with: calicoctl get ippool -o wide';
}

/**
 * Judges a new pool against the others.
 *
 * @throws {ValidationError} it overlaps with a pool that stays, or with blocks of another size
 */
export async function admitPool(datastore: Datastore, pool: IPPool): Promise<PoolAdmission> {
  const { cidr, blockSize } = pool.spec;
  const resource = describeKey({ kind: 'IPPool', name: pool.metadata.name });
  const { items } = await datastore.list('IPPool');
  const replaced: Stored<'IPPool'>[] = [];
  for (const other of items) {
    if (other.key.name === pool.metadata.name || !overlaps(other.value.spec.cidr, cidr)) continue;
    const isSame = other.value.spec.cidr === cidr && other.value.spec.blockSize === blockSize;
    const givesWay =
      isDefaultPool(other.value) && (isSame || (await blocksWithin(datastore, other.value.spec.cidr)).length === 0);
    if (!givesWay) {
      const inUse = isDefaultPool(other.value) ? ', which is in use' : '';
      const message = `"${cidr}" overlaps with pool "${other.key.name}" (${other.value.spec.cidr})${inUse}`;
      throw refused(resource, ruleIssue('spec.cidr', message, overlapHint(other, pool)));
    }
    replaced.push(other);
  }
  await refuseForeignBlocks(datastore, pool);
  return { replaced, notices: replaced.map((old) => replacement(old, pool)) };
}

async function refuseForeignBlocks(datastore: Datastore, pool: IPPool): Promise<void> {
  const resource = describeKey({ kind: 'IPPool', name: pool.metadata.name });
  for (const block of await blocksWithin(datastore, pool.spec.cidr)) {
    if (parsePrefix(block).length === pool.spec.blockSize) continue;
    const message = `${pool.spec.blockSize} differs from block ${block}, which an earlier pool left`;
    throw refused(resource, ruleIssue('spec.blockSize', message));
  }
}

/**
 * Judges a change of a pool: CIDR and block size stay, unless it is a default pool that nobody uses yet.
 *
 * @returns the annotations that stay: a default pool that somebody wrote is theirs from now on
 */
export async function admitPoolChange(datastore: Datastore, old: IPPool, pool: IPPool): Promise<IPPool> {
  const resource = describeKey({ kind: 'IPPool', name: pool.metadata.name });
  for (const field of ['cidr', 'blockSize'] as const) {
    if (old.spec[field] === pool.spec[field]) continue;
    if (isDefaultPool(old) && (await blocksWithin(datastore, old.spec.cidr)).length === 0) continue;
    const message = `it cannot change (from ${old.spec[field]} to ${pool.spec[field]})`;
    throw refused(
      resource,
      ruleIssue(`spec.${field}`, message, 'add another pool, disable this one, move over, delete it'),
    );
  }
  if (isLoadBalancerOnly(old) !== isLoadBalancerOnly(pool)) {
    throw refused(resource, ruleIssue('spec.allowedUses', 'LoadBalancer can be neither added nor taken away'));
  }
  if (!isDefaultPool(pool)) return pool;
  const annotations = { ...pool.metadata.annotations };
  delete annotations[DEFAULT_POOL_ANNOTATION];
  return { ...pool, metadata: { ...pool.metadata, annotations } };
}

function isLoadBalancerOnly(pool: IPPool): boolean {
  return pool.spec.allowedUses?.includes('LoadBalancer') === true;
}

/** Gives up every block of the pool: an empty one goes, one in use stays and belongs to nobody. */
export async function releasePoolAffinities(datastore: Datastore, ipam: Ipam, cidr: string): Promise<void> {
  const pool = parsePrefix(cidr);
  const { items } = await datastore.list('BlockAffinity');
  for (const { key } of items) {
    const name = parseBlockAffinityName(key.name);
    if (name === undefined || !prefixContains(pool, parsePrefix(name.cidr))) continue;
    await ipam.releaseAffinity(name.cidr, name.owner, { mustBeEmpty: false, isVirtual: name.type === 'virtual' });
  }
}
