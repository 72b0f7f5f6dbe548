import { randomBytes } from 'node:crypto';
import { NETLINK_NETFILTER } from '../sys/constants.js';
import type { NamespaceRef } from '../sys/namespace.js';
import { NetlinkSocket } from '../netlink/socket.js';
import { Batch } from './batch.js';
import type { CommitOptions, Nftables, Operation, ReadOptions, RuleRef, SeenTable } from './nftables.js';
import type { ChainId, Table, TableId } from './objects.js';
import { readChainRules, readGeneration, readTableSteady, readTables } from './read-back.js';
import { errorOfRefusal } from './refusal.js';

/** The nf_tables of a network namespace of this machine's kernel. */
export class KernelNftables implements Nftables {
  readonly #socket: NetlinkSocket;
  /** Beginning of the names of our anonymous sets. */
  readonly #namePrefix = `__set-${randomBytes(6).toString('hex')}-`;
  #named = 0;
  #lastTurn: Promise<void> | undefined;

  constructor(socket: NetlinkSocket) {
    this.#socket = socket;
  }

  /**
   * @param options `namespace`: whose rules; ours when left out. Only needed while opening.
   * @throws {KernelError} the namespace is gone, or the kernel has no netfilter netlink
   * @example using kernel = KernelNftables.open();
   */
  static open(options: { readonly namespace?: NamespaceRef } = {}): KernelNftables {
    return new KernelNftables(NetlinkSocket.open(NETLINK_NETFILTER, options));
  }

  async commit(operations: readonly Operation[], options: CommitOptions = {}): Promise<number> {
    options.signal?.throwIfAborted();
    const { promise, done } = this.#takeTurn();
    if (promise !== undefined) await promise;
    try {
      options.signal?.throwIfAborted();
      const batch = await Batch.inSlices(operations, options.generation, () => this.#nextName());
      const { refusals } = await this.#socket.batch(batch.requests);
      const [first] = refusals;
      if (first !== undefined) throw errorOfRefusal(batch, first);
      return await this.generation();
    } finally {
      done();
    }
  }

  /**
   * Left to number a set, the kernel first reads the numbers of all sets of the table: a third of the time that making 9,000 of them
   * takes (the rest is looking names up, in a list).
   */
  #nextName(): string {
    this.#named += 1;
    return `${this.#namePrefix}${this.#named}`;
  }

  /** Commits are sent in the order they were asked for, also while a big one is being written in slices. */
  #takeTurn(): { readonly promise: Promise<void> | undefined; readonly done: () => void } {
    const promise = this.#lastTurn;
    let finish = (): void => undefined;
    const turn = new Promise<void>((resolve) => {
      finish = resolve;
    });
    this.#lastTurn = turn;
    const done = (): void => {
      if (this.#lastTurn === turn) this.#lastTurn = undefined;
      finish();
    };
    return { promise, done };
  }

  async readTable(id: TableId, options: ReadOptions = {}): Promise<SeenTable | undefined> {
    return readTableSteady(this.#socket, id, options);
  }

  async readRules(chain: ChainId): Promise<readonly RuleRef[]> {
    return readChainRules(this.#socket, chain);
  }

  async listTables(): Promise<readonly Table[]> {
    return readTables(this.#socket);
  }

  async generation(): Promise<number> {
    return readGeneration(this.#socket);
  }

  /** The number under which the kernel announces our commits to listeners (`NftEvent.portId`). */
  portId(): number {
    return this.#socket.portId;
  }

  close(): void {
    this.#socket.close();
  }

  [Symbol.dispose](): void {
    this.close();
  }
}
