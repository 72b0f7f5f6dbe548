import { ConflictError } from '../base/errors.js';
import { Change } from './fake/apply.js';
import { Refused, kernelErrorOf } from './fake/errors.js';
import { validateGraph } from './fake/graph.js';
import { listElements } from './fake/members.js';
import { parseRuleset } from './fake/parse-text.js';
import { type FakeTable, type Tables, tableKey } from './fake/state.js';
import type { CommitOptions, Nftables, Operation, ReadOptions, RuleRef, SeenTable } from './nftables.js';
import type { ChainId, Table, TableId } from './objects.js';
import { printTable } from './print.js';

/**
 * An nf_tables in memory that keeps the kernel's rules: what the kernel refuses, it refuses with the same errno and the same
 * words (`nftables.contract.ts` runs on both). Handles, generations and order are as the kernel's.
 */
export class FakeNftables implements Nftables {
  #tables: Tables = new Map();
  #generation = 1;
  /** Every commit that was applied, in order: empty after a start that found nothing to do. */
  readonly commits: (readonly Operation[])[] = [];
  /** Makes the next commits fail with it, before anything is applied. */
  failure: Error | undefined;

  /** A ruleset as {@link dump} prints it. @throws {CalicoError} `ERR_CALI_NFT_TEXT` for text it cannot read */
  static load(text: string): FakeNftables {
    const fake = new FakeNftables();
    fake.#tables = fake.#apply(parseRuleset(text), false).tables;
    return fake;
  }

  commit(operations: readonly Operation[], options: CommitOptions = {}): Promise<number> {
    return new Promise((resolve) => {
      resolve(this.#commit(operations, options));
    });
  }

  #commit(operations: readonly Operation[], options: CommitOptions): number {
    options.signal?.throwIfAborted();
    if (this.failure !== undefined) throw this.failure;
    if (options.generation !== undefined && options.generation !== this.#generation) {
      throw new ConflictError('ERR_CALI_NFT_GENERATION', 'the ruleset changed since it was read');
    }
    const change = this.#apply(operations, false);
    // The whole is checked once; only when it is refused does it matter which operation brought it about.
    if (change.touched().some(isRefused)) this.#apply(operations, true);
    this.#tables = change.tables;
    this.#generation += 1;
    this.commits.push([...operations]);
    return this.#generation;
  }

  #apply(operations: readonly Operation[], validateEach: boolean): Change {
    const change = new Change(this.#tables);
    for (const operation of operations) {
      try {
        change.apply(operation);
        if (validateEach) change.touched().forEach(validateGraph);
      } catch (error) {
        throw error instanceof Refused ? kernelErrorOf(error, operation) : error;
      }
    }
    return change;
  }

  readTable(id: TableId, options: ReadOptions = {}): Promise<SeenTable | undefined> {
    const table = this.#tables.get(tableKey(id));
    return Promise.resolve(table === undefined ? undefined : seenTable(table, this.#generation, options));
  }

  readRules({ table, name }: ChainId): Promise<readonly RuleRef[]> {
    const rules = this.#tables.get(tableKey(table))?.chains.get(name)?.rules ?? [];
    return Promise.resolve(rules.map(({ handle, rule: { hash } }) => ({ handle, hash })));
  }

  listTables(): Promise<readonly Table[]> {
    return Promise.resolve([...this.#tables.values()].map(({ table }) => table));
  }

  generation(): Promise<number> {
    return Promise.resolve(this.#generation);
  }

  /** The whole ruleset as `nft --stateless list ruleset` prints it. */
  dump(): string {
    return [...this.#tables.values()].map((table) => printTable(seenTable(table, this.#generation, {}))).join('');
  }
}

function isRefused(table: FakeTable): boolean {
  try {
    validateGraph(table);
    return false;
  } catch (error) {
    if (error instanceof Refused) return true;
    throw error;
  }
}

function seenTable(table: FakeTable, generation: number, options: ReadOptions): SeenTable {
  const chains: SeenTable['chains'] = new Map(
    [...table.chains].map(([name, { chain, rules }]) => {
      const seen = rules.map(({ handle, rule: { comment, hash, expressions } }) => ({
        handle,
        ...(comment === undefined ? {} : { comment }),
        hash,
        expressions,
      }));
      return [name, { chain, rules: seen }];
    }),
  );
  const sets: SeenTable['sets'] = new Map(
    [...table.sets].map(([name, fakeSet]) => {
      const elements = options.withoutElements === true ? [] : listElements(fakeSet);
      return [name, { set: fakeSet.set, elements }];
    }),
  );
  return { table: table.table, generation, chains, sets, counters: new Map(table.counters) };
}
