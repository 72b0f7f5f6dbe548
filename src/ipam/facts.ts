import { parseBlockAffinityName } from '../api/kinds/block-affinity.js';
import type { IPAMBlock } from '../api/kinds/ipam-block.js';
import { ifFound } from '../base/errors.js';
import type { Datastore } from '../datastore/datastore.js';
import type { Address } from '../net/address.js';
import { addressInPrefix, parsePrefix } from '../net/prefix.js';
import { affinityKey, affinityText, blockKey, type BlockTime, type Owner } from './affinity.js';
import { blockCidrOf } from './block.js';
import { isLocked } from './errors.js';
import {
  type IpamSettings,
  type Pool,
  poolOfAddress,
  poolOfBlock,
  readPools,
  readSettings,
  selectsNode,
} from './pools.js';
import { readReservations, type Reservations } from './reservations.js';
import type { IpamTransaction } from './transaction.js';

type Labels = Readonly<Record<string, string>>;

/**
 * What the operations of one transaction read besides blocks and handles: pools, settings, nodes, who owns what. Read once, however
 * many operations are committed together, and never remembered longer than that.
 */
export class Facts {
  readonly #datastore: Datastore;
  readonly #transaction: IpamTransaction;
  readonly nowMs: number;
  #pools: Promise<readonly Pool[]> | undefined;
  #settings: Promise<IpamSettings> | undefined;
  #lock: Promise<void> | undefined;
  #reservations: Promise<Reservations> | undefined;
  #blockNames: Promise<Set<string>> | undefined;
  #blocks: Promise<readonly string[]> | undefined;
  readonly #nodeLabels = new Map<string, Promise<Labels>>();
  readonly #owned = new Map<string, Promise<Set<string>>>();
  readonly #refreshed = new Set<string>();

  constructor(datastore: Datastore, transaction: IpamTransaction, nowMs: number) {
    this.#datastore = datastore;
    this.#transaction = transaction;
    this.nowMs = nowMs;
  }

  /** Sorted by name. */
  pools(): Promise<readonly Pool[]> {
    return (this.#pools ??= readPools(this.#datastore));
  }

  settings(): Promise<IpamSettings> {
    return (this.#settings ??= readSettings(this.#datastore));
  }

  reservations(): Promise<Reservations> {
    return (this.#reservations ??= readReservations(this.#datastore));
  }

  /**
   * While somebody migrates, splits or repairs, nobody is given an address: it would be missing from what is taken along.
   *
   * @throws {UnavailableError} `ERR_CALI_IPAM_LOCKED`
   */
  refuseWhileLocked(): Promise<void> {
    return (this.#lock ??= this.#checkLock());
  }

  async #checkLock(): Promise<void> {
    const cluster = await ifFound(this.#datastore.get({ kind: 'ClusterInformation', name: 'default' }));
    // A store that nobody initialised is not locked either.
    if (cluster?.value.spec.datastoreReady === false) throw isLocked();
  }

  async time(): Promise<BlockTime> {
    return { nowMs: this.nowMs, cooldownSeconds: (await this.settings()).cooldownSeconds };
  }

  /** A node nobody has written yet has no labels. */
  nodeLabels(name: string): Promise<Labels> {
    let labels = this.#nodeLabels.get(name);
    if (labels === undefined) this.#nodeLabels.set(name, (labels = this.#readLabels(name)));
    return labels;
  }

  async #readLabels(name: string): Promise<Labels> {
    return (await ifFound(this.#datastore.get({ kind: 'Node', name })))?.value.metadata.labels ?? {};
  }

  /** CIDRs of the blocks that an owner has affinities for; may be added to. */
  owned(owner: Owner): Promise<Set<string>> {
    const text = affinityText(owner);
    let owned = this.#owned.get(text);
    if (owned === undefined) this.#owned.set(text, (owned = this.#readOwned(owner)));
    return owned;
  }

  async #readOwned(owner: Owner): Promise<Set<string>> {
    const { items } = await this.#datastore.list('BlockAffinity', { namePrefix: `${affinityText(owner)}/` });
    const owned = new Set<string>();
    for (const { key, value, revision } of items) {
      const cidr = parseBlockAffinityName(key.name)?.cidr;
      if (cidr === undefined || value.deleted === true) continue;
      this.#transaction.note(affinityKey(owner, cidr), value, revision);
      owned.add(cidr);
    }
    return owned;
  }

  /** CIDRs of all blocks that exist; may be added to. */
  blockNames(): Promise<Set<string>> {
    return (this.#blockNames ??= this.#readBlockNames());
  }

  async #readBlockNames(): Promise<Set<string>> {
    const { entries } = await this.#datastore.listRevisions('IPAMBlock');
    return new Set(entries.map(({ key }) => key.name));
  }

  /** All blocks within the pools, read whole: for the rare case that no block is free. */
  async blocksWithin(pools: readonly Pool[]): Promise<readonly IPAMBlock[]> {
    const names = await (this.#blocks ??= this.#readBlocks());
    const blocks: IPAMBlock[] = [];
    for (const name of names) {
      const block = poolOfBlock(pools, name) && (await this.#transaction.get(blockKey(name)));
      if (block !== undefined) blocks.push(block);
    }
    return blocks;
  }

  async #readBlocks(): Promise<readonly string[]> {
    const { items } = await this.#datastore.list('IPAMBlock');
    for (const { key, value, revision } of items) this.#transaction.note(key, value, revision);
    return items.map(({ key }) => key.name);
  }

  /** Reads a block from the store, once a transaction: what is remembered of a full one may be old. */
  async refresh(cidr: string): Promise<void> {
    if (this.#transaction.isFresh || this.#refreshed.has(cidr)) return;
    this.#refreshed.add(cidr);
    await this.#transaction.refresh(blockKey(cidr));
  }

  /** CIDR of the block that holds the address or would; undefined outside all pools and blocks. */
  async blockOf(address: Address): Promise<string | undefined> {
    const pool = poolOfAddress(await this.pools(), address);
    if (pool !== undefined) return blockCidrOf(address, pool.blockSize);
    // A pool that is gone may have left blocks.
    for (const name of await this.blockNames()) if (addressInPrefix(address, parsePrefix(name))) return name;
    return undefined;
  }

  /** True when no enabled pool lets the block's host use it any more. */
  async isMisplaced(cidr: string, hostname: string): Promise<boolean> {
    const pool = poolOfBlock(await this.pools(), cidr);
    return pool === undefined || !pool.isEnabled || !selectsNode(pool, await this.nodeLabels(hostname));
  }
}
