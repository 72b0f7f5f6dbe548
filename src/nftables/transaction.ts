import type { AnySet, Chain, Counter, Elements, NftMap, NftSet, Rule, Table } from './objects.js';
import type { ChainRef, CommitOptions, CounterRef, Nftables, Operation, SetRef, TableRef } from './nftables.js';
import { printOperation } from './print-operation.js';
import { validateOperation } from './validate.js';

/** Where a rule goes when not to the end (`add`) or the beginning (`insert`) of its chain. */
export interface Beside {
  /** Handle of the rule it stands next to: after it for `add`, before it for `insert`. */
  readonly handle: number;
}

/**
 * Collects changes and sends them as one. Each verb validates the object at once and changes nothing until {@link commit}.
 *
 * @example await new Transaction(kernel).add(blocked).add(elements(blocked, ['192.0.2.7'])).commit();
 */
export class Transaction {
  readonly #nftables: Nftables;
  readonly #operations: Operation[] = [];

  constructor(nftables: Nftables) {
    this.#nftables = nftables;
  }

  get operations(): readonly Operation[] {
    return this.#operations;
  }

  /** True when there is nothing to commit. */
  get isEmpty(): boolean {
    return this.#operations.length === 0;
  }

  #push(operation: Operation): this {
    validateOperation(operation);
    this.#operations.push(operation);
    return this;
  }

  /** Makes the object, or leaves it when it is there as it should be; appends a rule. */
  add(object: Table | Chain | AnySet | Elements | Counter | Rule, beside?: Beside): this {
    if (object.kind !== 'rule') return this.#push({ verb: 'add', object });
    return this.#push(beside === undefined ? { verb: 'add', object } : { verb: 'add', object, beside: beside.handle });
  }

  /** Makes the object; the commit fails with `EEXIST` when it is there. */
  create(object: Table | Chain | NftSet | NftMap | Elements | Counter): this {
    return this.#push({ verb: 'create', object });
  }

  /** Puts a rule at the beginning of its chain, or before another. */
  insert(object: Rule, beside?: Beside): this {
    return this.#push(
      beside === undefined ? { verb: 'insert', object } : { verb: 'insert', object, beside: beside.handle },
    );
  }

  /** Puts the rule in the place of the one with the handle. */
  replace(object: Rule, handle: number): this {
    return this.#push({ verb: 'replace', object, handle });
  }

  /** Takes the object away; a chain goes with its rules, a set with its members, a table with everything. */
  delete(object: TableRef | ChainRef | SetRef | Elements | CounterRef): this {
    return this.#push({ verb: 'delete', object });
  }

  deleteRule(chain: Chain | ChainRef, handle: number): this {
    return this.#push({ verb: 'delete-rule', chain, handle });
  }

  /** Takes all rules of a chain or table, or all members of a set. */
  flush(object: TableRef | ChainRef | SetRef): this {
    return this.#push({ verb: 'flush', object });
  }

  /** As input for `nft -f`. */
  print(): string {
    return this.#operations.map((operation) => `${printOperation(operation)}\n`).join('');
  }

  /**
   * Commits the transaction: the kernel applies all of it or nothing.
   *
   * One netlink batch, so no packet is judged by half a change. About 2 ms per 1,000 set elements. An empty one does nothing
   * and returns the present generation.
   *
   * @param options `signal` is honoured before the batch is sent; a batch that has left is always awaited. With `generation`,
   *   commits only if nobody changed the ruleset since.
   * @returns the ruleset generation after the commit
   * @throws {KernelError} names the first object refused, printed as nft would, with errno and the kernel's text
   * @throws {ConflictError} the ruleset changed since it was read back: read back, plan again
   * @throws {UnsupportedError} an expression this kernel lacks; carries the feature's name
   * @see include/uapi/linux/netfilter/nf_tables.h (NFT_MSG_*), net/netfilter/nfnetlink.c (batches)
   */
  async commit(options: CommitOptions = {}): Promise<number> {
    options.signal?.throwIfAborted();
    if (this.isEmpty) return this.#nftables.generation();
    return this.#nftables.commit(this.#operations, options);
  }
}
