import type { IPAMBlock } from '../api/kinds/ipam-block.js';
import { type Address, formatAddress } from '../net/address.js';
import { affinityKey, blockKey, type BlockTime, type Owner, readBlock } from './affinity.js';
import {
  addressAt,
  collectGarbage,
  isEmpty,
  type OrdinalRelease,
  ordinalOf,
  ordinalsOf,
  release,
  written,
} from './block.js';
import { hasNoSuchHandle } from './errors.js';
import type { Facts } from './facts.js';
import { decrementHandle, handleKey } from './handle.js';
import type { IpamTransaction } from './transaction.js';

/** One address to give back. */
export interface AddressRelease {
  readonly address: Address;
  /** Must be who holds it. */
  readonly handleId?: string | undefined;
  /** Must be that of the assignment: then an address assigned anew is safe. */
  readonly sequence?: bigint | undefined;
}

export interface ReleaseResult {
  readonly released: readonly string[];
  /** Addresses that were not assigned. */
  readonly unallocated: readonly string[];
}

/** Gives addresses back. Block first, then handles: a crash in between leaves a count too high, never too low. */
export class Release {
  readonly #transaction: IpamTransaction;
  readonly #facts: Facts;
  readonly #released: string[] = [];
  readonly #unallocated: string[] = [];

  constructor(transaction: IpamTransaction, facts: Facts) {
    this.#transaction = transaction;
    this.#facts = facts;
  }

  /** @throws {ConflictError} a handle or sequence number is not that of the address: nothing is released */
  async addresses(requests: readonly AddressRelease[]): Promise<ReleaseResult> {
    const time = await this.#facts.time();
    const byBlock = new Map<string, AddressRelease[]>();
    for (const request of requests) {
      const cidr = await this.#facts.blockOf(request.address);
      if (cidr === undefined) this.#unallocated.push(formatAddress(request.address));
      else byBlock.set(cidr, [...(byBlock.get(cidr) ?? []), request]);
    }
    for (const [cidr, group] of byBlock) {
      let block = await readBlock(this.#transaction, cidr, time);
      if (
        block === undefined ||
        withOrdinals(block, group).some(({ ordinal }) => block?.allocations[ordinal] === null)
      ) {
        block = await this.#readAnew(cidr, time);
      }
      if (block === undefined) this.#unallocated.push(...group.map(({ address }) => formatAddress(address)));
      else await this.#fromBlock(block, withOrdinals(block, group), time);
    }
    return { released: this.#released, unallocated: this.#unallocated };
  }

  /** Everything a handle holds. @throws {NotFoundError} `ERR_CALI_IPAM_NO_HANDLE` */
  async handle(handleId: string): Promise<ReleaseResult> {
    const handle = await this.#transaction.get(handleKey(handleId));
    if (handle === undefined) throw hasNoSuchHandle(handleId);
    const time = await this.#facts.time();
    for (const cidr of Object.keys(handle.block)) {
      let block = await readBlock(this.#transaction, cidr, time);
      if (block === undefined || ordinalsOf(block, handleId).length === 0) block = await this.#readAnew(cidr, time);
      const ordinals = block === undefined ? [] : ordinalsOf(block, handleId);
      if (block !== undefined && ordinals.length > 0) {
        const requests = ordinals.map((ordinal) => ({ ordinal, handleId }));
        await this.#fromBlock(block, requests, time);
      }
    }
    // Counts may be too high after a crash: nothing is held any more.
    if ((await this.#transaction.get(handleKey(handleId))) !== undefined) {
      this.#transaction.set(handleKey(handleId), undefined);
    }
    return { released: this.#released, unallocated: this.#unallocated };
  }

  /**
   * The block as the store has it. That there is nothing to release leads to no write of the block, so no compare-and-swap would
   * notice that what is remembered of it is old.
   */
  async #readAnew(cidr: string, time: BlockTime): Promise<IPAMBlock | undefined> {
    await this.#facts.refresh(cidr);
    return readBlock(this.#transaction, cidr, time);
  }

  async #fromBlock(block: IPAMBlock, requests: readonly OrdinalRelease[], time: BlockTime): Promise<void> {
    const text = (ordinal: number): string => formatAddress(addressAt(block, ordinal));
    const { block: cooling, released, unallocated } = release(block, requests, time.nowMs);
    this.#unallocated.push(...unallocated.map(text));
    if (released.length === 0) return;
    this.#released.push(...released.map(({ ordinal }) => text(ordinal)));
    const after = collectGarbage(cooling, time.nowMs, time.cooldownSeconds);
    await this.#store(after);
    const counts = new Map<string, number>();
    for (const { handleId } of released) {
      if (handleId !== undefined) counts.set(handleId, (counts.get(handleId) ?? 0) + 1);
    }
    for (const [handleId, by] of counts) {
      const change = { by, remaining: ordinalsOf(after, handleId).length };
      await decrementHandle(this.#transaction, handleId, block.cidr, change);
    }
  }

  /** An empty block goes when nobody owns it, or when its owner may not use its pool any more. */
  async #store(block: IPAMBlock): Promise<void> {
    const { cidr } = block;
    const key = blockKey(cidr);
    const hostname = /^host:(.+)$/.exec(block.affinity ?? '')?.[1];
    if (!isEmpty(block)) {
      this.#transaction.set(key, written(block));
    } else if (block.affinity === undefined) {
      this.#transaction.set(key, undefined);
    } else if (hostname !== undefined && (await this.#facts.isMisplaced(cidr, hostname))) {
      const owner: Owner = { type: 'host', name: hostname };
      this.#transaction.set(key, undefined);
      const affinity = affinityKey(owner, cidr);
      if ((await this.#transaction.get(affinity)) !== undefined) this.#transaction.set(affinity, undefined);
    } else {
      this.#transaction.set(key, written(block));
    }
  }
}

function withOrdinals(block: IPAMBlock, requests: readonly AddressRelease[]): OrdinalRelease[] {
  return requests.map(({ address, handleId, sequence }) => ({
    ordinal: ordinalOf(block, address) ?? 0,
    handleId,
    sequence,
  }));
}
