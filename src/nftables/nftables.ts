import type { Expression } from './expressions/expression.js';
import type { AnySet, Chain, ChainId, Counter, Elements, NftMap, NftSet, Rule, Table, TableId } from './objects.js';
import type { Verdict } from './verdict.js';

/** What a transaction is made of. Handles are the kernel's, from {@link SeenRule}. */
export type Operation =
  | { readonly verb: 'add' | 'create'; readonly object: Table | Chain | NftSet | NftMap | Elements | Counter }
  | { readonly verb: 'add' | 'insert'; readonly object: Rule; readonly beside?: number }
  | { readonly verb: 'replace'; readonly object: Rule; readonly handle: number }
  | { readonly verb: 'delete'; readonly object: TableRef | ChainRef | SetRef | Elements | CounterRef }
  | { readonly verb: 'delete-rule'; readonly chain: ChainId; readonly handle: number }
  | { readonly verb: 'flush'; readonly object: TableRef | ChainRef | SetRef };

/** Enough of an object to delete or flush it; the object itself will do. */
export type TableRef = TableId & { readonly kind: 'table' };
export type ChainRef = ChainId & { readonly kind: 'chain' };
export type SetRef = { readonly kind: 'set' | 'map'; readonly table: TableId; readonly name: string };
export type CounterRef = { readonly kind: 'counter'; readonly table: TableId; readonly name: string };

export interface CommitOptions {
  /** Commit only if the ruleset is still of this generation; else {@link ConflictError}. */
  readonly generation?: number;
  readonly signal?: AbortSignal | undefined;
}

/** One member as it stands in a set; `key` and `data` in one canonical text, see {@link canonicalKey}. */
export interface SeenElement {
  readonly key: string;
  readonly verdict?: Verdict;
  readonly data?: string;
  readonly timeoutMs?: number;
  readonly comment?: string;
}

export interface SeenRule {
  /** The kernel's handle: good until the rule is deleted or replaced by delete and add. */
  readonly handle: number;
  readonly comment?: string;
  /** Present when the rule is ours: see {@link Rule}. */
  readonly hash?: string;
  /** Decoded when first asked for. */
  readonly expressions: readonly Expression[];
}

/** As much of a rule as it takes to change it. */
export type RuleRef = Pick<SeenRule, 'handle' | 'hash'>;

export interface SeenChain {
  readonly chain: Chain;
  readonly rules: readonly SeenRule[];
}

export interface SeenSet {
  readonly set: AnySet;
  /** Decoded when first asked for. In the kernel's order; intervals ascending. */
  readonly elements: readonly SeenElement[];
}

/** One table as it was at one generation; anonymous sets are folded into the rules that own them. */
export interface SeenTable {
  readonly table: Table;
  readonly generation: number;
  readonly chains: ReadonlyMap<string, SeenChain>;
  readonly sets: ReadonlyMap<string, SeenSet>;
  readonly counters: ReadonlyMap<string, Counter>;
}

export interface ReadOptions {
  /** Leave the members of sets out: faster where only rules matter. */
  readonly withoutElements?: boolean;
  readonly signal?: AbortSignal | undefined;
}

/** A ruleset that can be changed and read: the kernel's (`kernel.ts`), or a fake with the kernel's rules (`kernel.fake.ts`). */
export interface Nftables {
  /**
   * Applies all operations or none, in order.
   *
   * @returns the ruleset's generation after the commit
   * @throws {KernelError} names the first object refused, printed as nft would, with errno and the kernel's text
   * @throws {ConflictError} the ruleset changed since `generation`
   * @throws {UnsupportedError} an expression this kernel lacks
   */
  commit(operations: readonly Operation[], options?: CommitOptions): Promise<number>;

  /** The table whole, at one generation; undefined when there is no such table. */
  readTable(id: TableId, options?: ReadOptions): Promise<SeenTable | undefined>;

  /** The rules of one chain, in order; none when there is no such chain. Cheap: 0.1 ms. */
  readRules(chain: ChainId): Promise<readonly RuleRef[]>;

  /** All tables of the network namespace, anybody's. */
  listTables(): Promise<readonly Table[]>;

  /** Grows with each commit by anybody. */
  generation(): Promise<number>;
}
