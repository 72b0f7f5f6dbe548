import type { Clock } from '../base/clock.js';
import { KernelError } from '../base/errors.js';
import type { Nftables, Operation } from '../nftables/nftables.js';
import type { HostPolicy, HostPolicyDelta, NatPlan } from '../plan/host-plan.js';
import { chainEdit, isWorthEditing } from './chain-edit.js';
import { Ruleset } from './ruleset/ruleset.js';
import type { DataplaneSettings } from './settings.js';
import { type ChainEdits, transactionsOf } from './table-change.js';
import { committedAfter, diffTable, noteCommitted, wholeTable } from './table-diff.js';
import { runInTurns } from './turns.js';
import { type CommittedTable, type TableChange, type WantedTable, isUnchanged } from './wanted-table.js';

export interface RulesetWanted {
  readonly policy: HostPolicy;
  readonly nat: NatPlan;
}

export interface RulesetDelta {
  readonly policy?: HostPolicyDelta | undefined;
  readonly nat?: NatPlan | undefined;
}

/**
 * Keeps the tables `inet calico` and `arp calico` as the plan wants them. Knows by digest what it committed, so that a delta is one
 * transaction of what it touches; after any doubt it reads the kernel back and writes the difference.
 */
export class RulesetProgram {
  readonly #nftables: Nftables;
  readonly #settings: DataplaneSettings;
  readonly #clock: Clock;
  #ruleset: Ruleset | undefined;
  /** By table; absent while the kernel's state is not known. */
  #committed: Map<WantedTable, CommittedTable> | undefined;

  constructor(nftables: Nftables, settings: DataplaneSettings, clock: Clock) {
    this.#nftables = nftables;
    this.#settings = settings;
    this.#clock = clock;
  }

  /**
   * Enforces the plan. Without `delta`, or while the kernel's state is not known, everything is rendered anew and compared with what
   * the kernel holds.
   *
   * @returns the operations committed: 0 when nothing differed
   * @throws {KernelError} refused even after a fresh start; the kernel then holds what it held, and the next call begins from there
   */
  async apply(wanted: RulesetWanted, delta?: RulesetDelta): Promise<number> {
    const ruleset = this.#ruleset;
    if (delta === undefined || ruleset === undefined) {
      await this.#render(wanted);
      return this.resync();
    }
    if (delta.policy !== undefined) await runInTurns(this.#clock, ruleset.change(delta.policy, wanted.policy));
    if (delta.nat !== undefined) ruleset.changeNat(delta.nat);
    const committed = this.#committed;
    if (committed === undefined) return this.resync();
    const changes = [...committed].map(([table, known]) => table.takeChange(known));
    try {
      const writes = await this.#commit(changes);
      for (const [i, known] of [...committed.values()].entries()) {
        const change = changes[i];
        if (change !== undefined) noteCommitted(known, change);
      }
      return writes;
    } catch (error) {
      this.#committed = undefined;
      // Somebody changed our table behind our back: what is there now says what is left to do.
      if (error instanceof KernelError) return this.resync();
      throw error;
    }
  }

  /** Reads the kernel back and writes what differs. @returns the operations committed @throws {KernelError} */
  async resync(): Promise<number> {
    const ruleset = this.#ruleset;
    if (ruleset === undefined) return 0;
    this.#committed = undefined;
    const tables = [ruleset.table, ruleset.arpTable];
    let writes: number;
    try {
      const changes: TableChange[] = [];
      for (const table of tables) {
        const seen = await this.#nftables.readTable(table.id);
        changes.push(await runInTurns(this.#clock, diffTable(table, seen)));
      }
      writes = await this.#commit(changes);
    } catch (error) {
      if (!(error instanceof KernelError)) throw error;
      writes = await this.#commit(tables.map((table) => wholeTable(table, 'replace')));
    }
    this.#committed = new Map(tables.map((table) => [table, committedAfter(table)]));
    for (const table of tables) table.forgetChanges();
    return writes;
  }

  async #render({ policy, nat }: RulesetWanted): Promise<void> {
    const none = new Set<string>();
    const everything: HostPolicyDelta = {
      ipSets: { set: policy.ipSets, removed: none },
      members: new Map(),
      policies: { set: policy.policies, removed: none },
      endpoints: { set: policy.endpoints, removed: none },
    };
    const ruleset = new Ruleset(this.#settings);
    await runInTurns(this.#clock, ruleset.change(everything, policy));
    ruleset.changeNat(nat);
    this.#ruleset = ruleset;
    this.#committed = undefined;
  }

  /** Chains of which most stays are changed rule by rule; which rules those are, only the kernel's handles say. */
  async #chainEdits(change: TableChange): Promise<ChainEdits> {
    const edits = new Map<string, readonly Operation[]>();
    for (const changed of change.changedChains) {
      if (!isWorthEditing(changed)) continue;
      edits.set(changed.chain.name, chainEdit(await this.#nftables.readRules(changed.chain), changed.rules));
    }
    return edits;
  }

  /** Both tables in one transaction where each needs only one. */
  async #commit(changes: readonly TableChange[]): Promise<number> {
    const lists: (readonly (readonly Operation[])[])[] = [];
    for (const change of changes) {
      if (!isUnchanged(change)) lists.push(transactionsOf(change, await this.#chainEdits(change)));
    }
    const transactions: (readonly Operation[])[] = lists.every((list) => list.length === 1)
      ? [lists.flat(2)]
      : lists.flat();
    let writes = 0;
    for (const operations of transactions) {
      if (operations.length === 0) continue;
      await this.#nftables.commit(operations);
      writes += operations.length;
      if (transactions.length > 1) await this.#clock.nextTurn();
    }
    return writes;
  }
}
