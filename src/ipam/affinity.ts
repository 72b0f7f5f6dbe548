import type { IPAMBlock } from '../api/kinds/ipam-block.js';
import { type BlockAffinity, formatBlockAffinityName } from '../api/kinds/block-affinity.js';
import type { ResourceKey } from '../api/resource-update.js';
import { collectGarbage, createBlock, isEmpty, usedCount, withoutAffinity, written } from './block.js';
import { belongsToAnother, isInUse } from './errors.js';
import type { IpamTransaction } from './transaction.js';

/** Who may own blocks: hosts, and virtual owners such as the load balancer. */
export interface Owner {
  readonly type: 'host' | 'virtual';
  readonly name: string;
}

export function ownerOf(hostname: string, isVirtual = false): Owner {
  return { type: isVirtual ? 'virtual' : 'host', name: hostname };
}

/** As a block names its owner: `host:calico-01`. */
export function affinityText(owner: Owner): string {
  return `${owner.type}:${owner.name}`;
}

export function blockKey(cidr: string): ResourceKey<'IPAMBlock'> {
  return { kind: 'IPAMBlock', name: cidr };
}

export function affinityKey(owner: Owner, cidr: string): ResourceKey<'BlockAffinity'> {
  return { kind: 'BlockAffinity', name: formatBlockAffinityName({ type: owner.type, owner: owner.name, cidr }) };
}

export function isConfirmed(affinity: BlockAffinity): boolean {
  return affinity.state === undefined || affinity.state === '' || affinity.state === 'confirmed';
}

/** What an operation on blocks needs to know besides them. */
export interface BlockTime {
  readonly nowMs: number;
  readonly cooldownSeconds: number;
}

/** The block with what has cooled down freed. */
export async function readBlock(
  transaction: IpamTransaction,
  cidr: string,
  time: BlockTime,
): Promise<IPAMBlock | undefined> {
  const block = await transaction.get(blockKey(cidr));
  return block === undefined || block.deleted === true
    ? undefined
    : collectGarbage(block, time.nowMs, time.cooldownSeconds);
}

/**
 * Writes the affinity and returns the block it stands for, made anew where it does not exist: the caller writes that. Where commits are
 * atomic both appear together; where not, the affinity is written first.
 *
 * @throws {ConflictError} `ERR_CALI_IPAM_OTHER_AFFINITY`: somebody else has the block
 */
export async function claimBlock(
  transaction: IpamTransaction,
  owner: Owner,
  cidr: string,
  time: BlockTime,
): Promise<IPAMBlock> {
  const affinity = affinityText(owner);
  const existing = await readBlock(transaction, cidr, time);
  if (existing !== undefined && existing.affinity !== affinity) throw belongsToAnother(cidr, existing.affinity);
  await confirmAffinity(transaction, owner, cidr);
  return existing ?? createBlock({ cidr, affinity, nowMs: time.nowMs });
}

/** Sets the affinity to confirmed, unless it is. */
export async function confirmAffinity(transaction: IpamTransaction, owner: Owner, cidr: string): Promise<void> {
  const key = affinityKey(owner, cidr);
  const stored = await transaction.getLikelyNew(key);
  if (stored !== undefined && isConfirmed(stored) && stored.deleted !== true) return;
  transaction.set(key, { state: 'confirmed', deleted: false });
}

/** Takes away an affinity whose block belongs to somebody else. */
export async function dropStaleAffinity(transaction: IpamTransaction, owner: Owner, cidr: string): Promise<void> {
  const key = affinityKey(owner, cidr);
  if ((await transaction.get(key)) !== undefined) transaction.set(key, undefined);
}

export interface DropOptions {
  /** Refuse when addresses are held. Otherwise the block stays, without owner. */
  readonly mustBeEmpty: boolean;
  /** Refuse when the block was written since it had this sequence number. */
  readonly sequence?: bigint | undefined;
}

/**
 * Gives a block up: an empty one is deleted, one in use belongs to nobody from then on. Does nothing when the owner has no such block.
 *
 * @throws {ConflictError} `ERR_CALI_IPAM_BLOCK_IN_USE`
 */
export async function releaseAffinity(
  transaction: IpamTransaction,
  owner: Owner,
  cidr: string,
  time: BlockTime & DropOptions,
): Promise<void> {
  const block = await readBlock(transaction, cidr, time);
  if (block?.affinity === affinityText(owner)) {
    const isUntouched = time.sequence === undefined || block.sequenceNumber === time.sequence;
    if (time.mustBeEmpty && !(isEmpty(block) && isUntouched)) throw isInUse(cidr, usedCount(block));
    transaction.set(blockKey(cidr), isEmpty(block) ? undefined : written(withoutAffinity(block)));
  }
  await dropStaleAffinity(transaction, owner, cidr);
}
