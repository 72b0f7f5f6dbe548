import type { IPAMBlock } from '../api/kinds/ipam-block.js';
import type { Random } from '../base/retry.js';
import { formatAddress, type Address, type Family } from '../net/address.js';
import { parsePrefix } from '../net/prefix.js';
import {
  affinityKey,
  affinityText,
  blockKey,
  type BlockTime,
  claimBlock,
  confirmAffinity,
  dropStaleAffinity,
  type Owner,
  readBlock,
} from './affinity.js';
import {
  addressWithMask,
  assign,
  autoAssign,
  coolingCount,
  createBlock,
  type Holder,
  isEmpty,
  isFull,
  ordinalOf,
  usedCount,
  written,
} from './block.js';
import { findFreeBlock, fnv1 } from './block-search.js';
import { belongsToAnother, isInNoPool, requestIsBad } from './errors.js';
import type { Facts } from './facts.js';
import { handleKey, incrementHandle } from './handle.js';
import { choosePools, type IntendedUse, type IpamSettings, type Pool, poolOfAddress, poolOfBlock } from './pools.js';
import type { IpamTransaction } from './transaction.js';

/** When neither configuration nor request limit the blocks of a host. */
const DEFAULT_MAX_BLOCKS = 20;
/** Younger empty blocks of other hosts are left to them: they may be about to use them. */
const RECLAIM_AGE_MS = 60_000;

/** Addresses of one family for one owner. */
export interface FamilyRequest {
  readonly family: Family;
  readonly count: number;
  readonly owner: Owner;
  readonly holder: Holder;
  readonly use: IntendedUse;
  /** Names or CIDRs of pools. */
  readonly pools?: readonly string[] | undefined;
  readonly namespaceLabels?: Readonly<Record<string, string>> | undefined;
  readonly maxBlocksPerHost?: number | undefined;
  /** Most addresses of the family that the handle may hold, those from earlier included. */
  readonly maxPerHandle?: number | undefined;
}

export interface FamilyResult {
  readonly family: Family;
  readonly requested: number;
  /** With the mask of their block: `192.168.0.1/26`. */
  readonly addresses: readonly string[];
  /** Why there are fewer than requested. */
  readonly messages: readonly string[];
}

/** One family's assignment within a transaction. */
export class Assignment {
  readonly #transaction: IpamTransaction;
  readonly #facts: Facts;
  readonly #request: FamilyRequest;
  readonly #random: Random;
  readonly #addresses: string[] = [];
  readonly #messages: string[] = [];
  #wanted: number;

  constructor(transaction: IpamTransaction, facts: Facts, request: FamilyRequest, random: Random) {
    this.#transaction = transaction;
    this.#facts = facts;
    this.#request = request;
    this.#random = random;
    this.#wanted = request.count;
  }

  /** Own blocks first, then a new one, then an empty one of another host, then single addresses of others' blocks. */
  async run(): Promise<FamilyResult> {
    const { family, count, owner, use, namespaceLabels, pools: requested } = this.#request;
    const isHost = owner.type === 'host';
    const [allPools, settings, nodeLabels] = await Promise.all([
      this.#facts.pools(),
      this.#facts.settings(),
      isHost ? this.#facts.nodeLabels(owner.name) : {},
      this.#facts.owned(owner),
      this.#facts.reservations(),
      this.#facts.refuseWhileLocked(),
    ]);
    const choice = { family, use, nodeName: owner.name, nodeLabels, namespaceLabels, requested };
    const pools = choosePools(allPools, choice);
    const time = await this.#facts.time();
    await this.#heedHandleLimit();
    await this.#fromOwned(pools, time);
    if (this.#missing > 0) await this.#fromElsewhere(pools, settings, time);
    return { family, requested: count, addresses: this.#addresses, messages: this.#messages };
  }

  get #missing(): number {
    return this.#wanted - this.#addresses.length;
  }

  /** The handle is written in the same commit as the addresses: of two that ask at once one sees what the other got. */
  async #heedHandleLimit(): Promise<void> {
    const { maxPerHandle, family, holder } = this.#request;
    if (maxPerHandle === undefined || holder.handleId === undefined) return;
    const handle = await this.#transaction.getLikelyNew(handleKey(holder.handleId));
    const ofFamily = Object.entries(handle?.block ?? {}).filter(([cidr]) => cidr.includes(':') === (family === 6));
    const held = ofFamily.reduce((sum, [, count]) => sum + count, 0);
    const left = Math.max(0, maxPerHandle - held);
    if (left >= this.#wanted) return;
    this.#wanted = left;
    this.#messages.push(
      `handle "${holder.handleId}" holds ${held} IPv${family} addresses, and may hold ${maxPerHandle}`,
    );
  }

  async #ownedIn(pools: readonly Pool[]): Promise<string[]> {
    const owned = await this.#facts.owned(this.#request.owner);
    return [...owned].filter((cidr) => poolOfBlock(pools, cidr) !== undefined);
  }

  async #fromOwned(pools: readonly Pool[], time: BlockTime): Promise<void> {
    const full: string[] = [];
    for (const cidr of await this.#ownedIn(pools)) {
      if (this.#missing === 0) return;
      const block = await readBlock(this.#transaction, cidr, time);
      if (block !== undefined && isFull(block)) full.push(cidr);
      else await this.#useOwned(cidr, block, time);
    }
    for (const cidr of full) {
      if (this.#missing === 0) return;
      await this.#facts.refresh(cidr);
      await this.#useOwned(cidr, await readBlock(this.#transaction, cidr, time), time);
    }
  }

  async #useOwned(cidr: string, found: IPAMBlock | undefined, time: BlockTime): Promise<void> {
    const { owner } = this.#request;
    if (found !== undefined && found.affinity !== affinityText(owner)) {
      await dropStaleAffinity(this.#transaction, owner, cidr);
      (await this.#facts.owned(owner)).delete(cidr);
      return;
    }
    const block = found ?? createBlock({ cidr, affinity: affinityText(owner), nowMs: time.nowMs });
    if (isFull(block)) return;
    await confirmAffinity(this.#transaction, owner, cidr);
    await this.#take(block);
  }

  /** Handle first, then block: see the order of writes in `transaction.ts`. */
  async #take(block: IPAMBlock): Promise<void> {
    const { holder } = this.#request;
    const { block: taken, ordinals } = autoAssign(block, this.#missing, holder, await this.#facts.reservations());
    if (ordinals.length === 0) return;
    if (holder.handleId !== undefined) {
      await incrementHandle(this.#transaction, holder.handleId, block.cidr, ordinals.length);
    }
    this.#transaction.set(blockKey(block.cidr), written(taken));
    this.#addresses.push(...ordinals.map((ordinal) => addressWithMask(block, ordinal)));
  }

  async #fromElsewhere(pools: readonly Pool[], settings: IpamSettings, time: BlockTime): Promise<void> {
    const limit = blockLimit(settings.maxBlocksPerHost, this.#request.maxBlocksPerHost ?? 0);
    if (settings.mayClaim) {
      while (this.#missing > 0) {
        if ((await this.#ownedIn(pools)).length >= limit) {
          this.#messages.push('cannot allocate new block due to per host block limit');
          return;
        }
        if (!((await this.#claimFree(pools, time)) || (await this.#reclaim(pools, time)))) break;
      }
    } else this.#messages.push('failed to find or claim a block: autoAllocateBlocks is false');
    if (this.#missing > 0 && !settings.isStrict) await this.#borrow(pools, time);
    if (this.#missing > 0) this.#messages.push(await this.#exhaustion(pools, time));
  }

  async #claimFree(pools: readonly Pool[], time: BlockTime): Promise<boolean> {
    const { owner } = this.#request;
    const taken = await this.#facts.blockNames();
    const reservations = await this.#facts.reservations();
    for (const pool of pools) {
      const bits = pool.prefix.address.family === 4 ? 32 : 128;
      const seed = pool.blockSize === bits ? Math.floor(this.#random() * 2 ** 32) : fnv1(owner.name);
      for (;;) {
        const cidr = findFreeBlock(pool, { taken, reservations }, seed);
        if (cidr === undefined) break;
        taken.add(cidr);
        if (reservations.takeAllOf(parsePrefix(cidr))) continue;
        const existing = await readBlock(this.#transaction, cidr, time);
        // Somebody claimed it since the blocks were listed.
        if (existing !== undefined && existing.affinity !== affinityText(owner)) continue;
        const block = await claimBlock(this.#transaction, owner, cidr, time);
        (await this.#facts.owned(owner)).add(cidr);
        await this.#take(block);
        return true;
      }
    }
    return false;
  }

  /** Another host's block that stands empty changes hands, affinities and all. */
  async #reclaim(pools: readonly Pool[], time: BlockTime): Promise<boolean> {
    const { owner } = this.#request;
    const mine = affinityText(owner);
    const reservations = await this.#facts.reservations();
    for (const block of await this.#facts.blocksWithin(pools)) {
      const { affinity, cidr, affinity_claim_time: claimed } = block;
      const [, type, name] = /^(host|virtual):(.+)$/.exec(affinity ?? '') ?? [];
      if (name === undefined || affinity === mine || !isEmpty(block)) continue;
      if (reservations.takeAllOf(parsePrefix(cidr))) continue;
      if (claimed !== undefined && Date.parse(claimed) > time.nowMs - RECLAIM_AGE_MS) continue;
      const loser: Owner = { type: type === 'virtual' ? 'virtual' : 'host', name };
      const loserKey = affinityKey(loser, cidr);
      if ((await this.#transaction.get(loserKey)) !== undefined) this.#transaction.set(loserKey, undefined);
      await confirmAffinity(this.#transaction, owner, cidr);
      (await this.#facts.owned(owner)).add(cidr);
      await this.#take(createBlock({ cidr, affinity: mine, nowMs: time.nowMs }));
      return true;
    }
    return false;
  }

  async #borrow(pools: readonly Pool[], time: BlockTime): Promise<void> {
    const blocks = [...(await this.#facts.blocksWithin(pools))];
    while (this.#missing > 0 && blocks.length > 0) {
      const [{ cidr } = { cidr: '' }] = blocks.splice(Math.floor(this.#random() * blocks.length), 1);
      const block = await readBlock(this.#transaction, cidr, time);
      if (block !== undefined && !isFull(block)) await this.#take(block);
    }
  }

  /** `pool "office": no address left for host "h3": 64 of 64 used in 192.0.2.0/26 and no free block in the pool` */
  async #exhaustion(pools: readonly Pool[], time: BlockTime): Promise<string> {
    const owned = await this.#ownedIn(pools);
    let used = 0;
    let cooling = 0;
    let size = 0;
    for (const cidr of owned) {
      const block = await readBlock(this.#transaction, cidr, time);
      if (block === undefined) continue;
      used += usedCount(block);
      cooling += coolingCount(block);
      size += block.allocations.length;
    }
    const where = owned.length === 1 ? (owned[0] ?? '') : `${owned.length} blocks`;
    const names = pools.map((pool) => `"${pool.name}"`).join(', ');
    const waiting = cooling === 0 ? '' : ` (${cooling} of them cool down)`;
    const count = owned.length === 0 ? 'it has no block' : `${used} of ${size} used${waiting} in ${where}`;
    return (
      `${pools.length === 1 ? 'pool' : 'pools'} ${names}: no address left for host "${this.#request.owner.name}": ` +
      `${count} and no free block in the pool`
    );
  }
}

function blockLimit(configured: number, requested: number): number {
  if (configured > 0 && requested > 0) return Math.min(configured, requested);
  return configured || requested || DEFAULT_MAX_BLOCKS;
}

export interface GivenAddressRequest {
  readonly address: Address;
  readonly owner: Owner;
  readonly holder: Holder;
  /** Checked against the pool only when given. */
  readonly use?: IntendedUse | undefined;
}

/**
 * Assigns one given address. Selectors, limits and assignment mode do not matter; a block that does not exist is claimed.
 *
 * @throws {NotFoundError} in no enabled pool; {AlreadyExistsError} assigned; {ConflictError} strict affinity and another's block
 */
export async function assignGiven(
  transaction: IpamTransaction,
  facts: Facts,
  request: GivenAddressRequest,
): Promise<void> {
  const { address, owner, holder, use } = request;
  await facts.refuseWhileLocked();
  const enabled = (await facts.pools()).filter((pool) => pool.isEnabled);
  const pool = poolOfAddress(enabled, address);
  if (pool === undefined) throw isInNoPool(formatAddress(address));
  if (use !== undefined && !(pool.spec.allowedUses ?? ['Workload', 'Tunnel']).includes(use)) {
    throw requestIsBad(`pool "${pool.name}" does not allow use ${use}`, `add ${use} to its allowedUses`);
  }
  const cidr = (await facts.blockOf(address)) ?? '';
  const time = await facts.time();
  const found = await readBlock(transaction, cidr, time);
  const { isStrict } = await facts.settings();
  if (found !== undefined && isStrict && found.affinity !== affinityText(owner)) {
    throw belongsToAnother(cidr, found.affinity);
  }
  const block = found ?? (await claimBlock(transaction, owner, cidr, time));
  const ordinal = ordinalOf(block, address) ?? 0;
  const assigned = assign(block, ordinal, holder);
  if (holder.handleId !== undefined) await incrementHandle(transaction, holder.handleId, cidr, 1);
  transaction.set(blockKey(cidr), written(assigned));
}
