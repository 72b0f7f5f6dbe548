import type { AnySet, Chain, Element, Member, Rule, TableId } from '../nftables/objects.js';
import { printVerdict } from '../nftables/verdict.js';

/** A chain as it should be. */
export interface WantedChain {
  readonly chain: Chain;
  readonly rules: readonly Rule[];
  /** Equal for chains with the same rules in the same order. */
  readonly digest: string;
}

/** A chain whose rules become others. */
export interface ChangedChain extends WantedChain {
  /** Digest of the rules that the kernel holds. */
  readonly before: string;
}

/** A set or map as it should be. */
export interface WantedSet {
  readonly set: AnySet;
  /** How many {@link members} gives. */
  readonly size: number;
  /** Anew at each call; each key once. */
  members(): Iterable<Member>;
}

/** Changes to the members of one set. A key whose value changed is in both. */
export interface MemberChange {
  readonly set: AnySet;
  readonly added: readonly Member[];
  readonly removed: readonly Member[];
}

/** What the kernel is known to hold of one table: names and digests, not contents. */
export interface CommittedTable {
  readonly chains: Map<string, string>;
  readonly sets: Set<string>;
  readonly counters: Set<string>;
}

/** What separates a table in the kernel from the wanted one. */
export interface TableChange {
  readonly table: TableId;
  /** `create`: there is none. `replace`: something in it cannot be changed in place; it goes and is made anew in one transaction. */
  readonly how: 'keep' | 'create' | 'replace';
  readonly newCounters: readonly string[];
  readonly goneCounters: readonly string[];
  readonly newSets: readonly WantedSet[];
  readonly goneSets: readonly AnySet[];
  readonly members: readonly MemberChange[];
  /** Sets to empty before their members are added: their old members are not known. */
  readonly refilledSets: readonly WantedSet[];
  readonly newChains: readonly WantedChain[];
  readonly changedChains: readonly ChangedChain[];
  readonly goneChains: readonly string[];
}

export function isUnchanged(change: TableChange): boolean {
  if (change.how !== 'keep') return false;
  return Object.values(change).every((value) => !Array.isArray(value) || value.length === 0);
}

export function memberKey(member: Member): string {
  const key = typeof member === 'string' || member instanceof Uint8Array ? member : member.key;
  return typeof key === 'string' ? key : Buffer.from(key).toString('hex');
}

/** The verdict or value that a map holds for the member's key; empty for members of sets. */
export function memberValue(member: Member): string {
  if (typeof member === 'string' || member instanceof Uint8Array) return '';
  return valueOfElement(member);
}

export function valueOfElement(element: Pick<Element, 'verdict'>): string {
  return element.verdict === undefined ? '' : printVerdict(element.verdict);
}

function digestOf(chain: Chain, rules: readonly Rule[]): string {
  return chainDigest(
    chain,
    rules.map((rule) => rule.hash),
  );
}

/** Equal for chains with the same rules in the same order, by the hash that each rule carries. */
export function chainDigest(chain: Pick<Chain, 'base'>, ruleHashes: readonly string[]): string {
  return `${baseText(chain)}:${ruleHashes.join(' ')}`;
}

/** The hashes that went into a digest. */
export function ruleHashesOf(digest: string): readonly string[] {
  const hashes = digest.slice(digest.indexOf(':') + 1);
  return hashes === '' ? [] : hashes.split(' ');
}

/** What makes a base chain: it cannot be changed in place. Empty for regular chains. */
export function baseText({ base }: Pick<Chain, 'base'>): string {
  return base === undefined ? '' : `${base.type} ${base.hook} ${base.priority} ${base.policy ?? 'accept'}`;
}

/** What makes a set: it cannot be changed in place. */
export function shapeText(set: AnySet): string {
  const data = set.kind === 'map' ? String(set.data) : '';
  return [set.kind, set.key.join('.'), set.interval === true ? 'interval' : '', data].join('|');
}

/**
 * One table as it should be, and what was changed in it since the last {@link takeChange}. Putting what is there already is no
 * change: chains are compared by digest when the change is taken.
 */
export class WantedTable {
  readonly id: TableId;
  readonly chains = new Map<string, WantedChain>();
  readonly sets = new Map<string, WantedSet>();
  readonly counters = new Set<string>();
  readonly #touchedChains = new Set<string>();
  readonly #touchedSets = new Map<string, AnySet>();
  readonly #touchedCounters = new Set<string>();
  readonly #members = new Map<string, { set: AnySet; added: Member[]; removed: Member[] }>();

  constructor(id: TableId) {
    this.id = id;
  }

  putChain(chain: Chain, rules: readonly Rule[]): void {
    this.chains.set(chain.name, { chain, rules, digest: digestOf(chain, rules) });
    this.#touchedChains.add(chain.name);
  }

  dropChain(name: string): void {
    if (this.chains.delete(name)) this.#touchedChains.add(name);
  }

  putCounter(name: string): void {
    this.counters.add(name);
    this.#touchedCounters.add(name);
  }

  dropCounter(name: string): void {
    if (this.counters.delete(name)) this.#touchedCounters.add(name);
  }

  /** A set that was there before gets all its members anew. */
  putSet(wanted: WantedSet): void {
    const { name } = wanted.set;
    this.sets.set(name, wanted);
    this.#touchedSets.set(name, wanted.set);
  }

  dropSet(name: string): void {
    const wanted = this.sets.get(name);
    if (wanted === undefined) return;
    this.sets.delete(name);
    this.#touchedSets.set(name, wanted.set);
  }

  /** The members of a set that {@link putSet} announced have changed: `members()` already gives the new ones. */
  changeMembers(name: string, added: readonly Member[], removed: readonly Member[]): void {
    const wanted = this.sets.get(name);
    if (wanted === undefined || (added.length === 0 && removed.length === 0)) return;
    const change = this.#members.get(name) ?? { set: wanted.set, added: [], removed: [] };
    for (const member of added) change.added.push(member);
    for (const member of removed) change.removed.push(member);
    this.#members.set(name, change);
  }

  /** What changed since the last call, measured against what the kernel holds. */
  takeChange(committed: CommittedTable): TableChange {
    const chains = this.#chainChange(committed);
    const change: TableChange = {
      table: this.id,
      how: 'keep',
      newCounters: [...this.#touchedCounters].filter((n) => this.counters.has(n) && !committed.counters.has(n)),
      goneCounters: [...this.#touchedCounters].filter((n) => !this.counters.has(n) && committed.counters.has(n)),
      ...this.#setChange(committed),
      ...chains,
    };
    this.forgetChanges();
    return change;
  }

  /** Drops the record of changes: the next ones are measured against the table as it is now. */
  forgetChanges(): void {
    this.#touchedChains.clear();
    this.#touchedSets.clear();
    this.#touchedCounters.clear();
    this.#members.clear();
  }

  #chainChange(committed: CommittedTable): Pick<TableChange, 'newChains' | 'changedChains' | 'goneChains'> {
    const newChains: WantedChain[] = [];
    const changedChains: ChangedChain[] = [];
    const goneChains: string[] = [];
    for (const name of this.#touchedChains) {
      const wanted = this.chains.get(name);
      const digest = committed.chains.get(name);
      if (wanted === undefined) {
        if (digest !== undefined) goneChains.push(name);
      } else if (digest === undefined) newChains.push(wanted);
      else if (digest !== wanted.digest) changedChains.push({ ...wanted, before: digest });
    }
    return { newChains, changedChains, goneChains };
  }

  #setChange(committed: CommittedTable): Pick<TableChange, 'newSets' | 'goneSets' | 'members' | 'refilledSets'> {
    const newSets: WantedSet[] = [];
    const goneSets: AnySet[] = [];
    const refilledSets: WantedSet[] = [];
    for (const [name, set] of this.#touchedSets) {
      const wanted = this.sets.get(name);
      if (wanted === undefined) {
        if (committed.sets.has(name)) goneSets.push(set);
      } else if (!committed.sets.has(name)) newSets.push(wanted);
      else refilledSets.push(wanted);
    }
    const whole = new Set([...newSets, ...refilledSets].map(({ set }) => set.name));
    const members = [...this.#members].filter(([name]) => this.sets.has(name) && !whole.has(name));
    return { newSets, goneSets, refilledSets, members: members.map(([, change]) => change) };
  }
}
