import type { AnySet, Chain, Counter, Rule, Table, TableId } from '../objects.js';
import type { KeyRange } from '../elements.js';
import type { SeenElement } from '../nftables.js';

/** A member as it is kept: its key as bytes (undefined for the catch-all) beside what a reader sees. */
export interface FakeElement {
  readonly range: KeyRange | undefined;
  readonly seen: SeenElement;
}

export interface FakeRule {
  readonly handle: number;
  readonly rule: Rule;
}

export interface FakeChain {
  readonly chain: Chain;
  readonly rules: readonly FakeRule[];
}

export interface FakeSet {
  readonly set: AnySet;
  /** By the canonical text of the key. */
  readonly elements: ReadonlyMap<string, FakeElement>;
}

/** A table; the maps are this state's own, what they hold is never changed in place. */
export interface FakeTable {
  readonly table: Table;
  readonly chains: Map<string, FakeChain>;
  readonly sets: Map<string, FakeSet>;
  readonly counters: Map<string, Counter>;
  nextHandle: number;
}

export type Tables = Map<string, FakeTable>;

export function tableKey(id: TableId): string {
  return `${id.family} ${id.name}`;
}

/** A table of its own for a transaction to change: what it does not touch is shared. */
export function copyTable(table: FakeTable): FakeTable {
  return {
    ...table,
    chains: new Map(table.chains),
    sets: new Map(table.sets),
    counters: new Map(table.counters),
  };
}
