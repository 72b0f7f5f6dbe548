import type { AnySet, Member } from '../../nftables/objects.js';
import { type WantedSet, type WantedTable, memberValue } from '../wanted-table.js';

/**
 * The members of a small set or map, kept here: dispatch maps, pools, the ARP guard. What is put and taken between two flushes is
 * reduced to its net effect.
 */
export class ElementBook implements WantedSet {
  readonly set: AnySet;
  readonly #table: WantedTable;
  readonly #members = new Map<string, Member>();
  /** The member under each key touched since the last flush, as it was then. */
  readonly #before = new Map<string, Member | undefined>();

  constructor(table: WantedTable, set: AnySet) {
    this.#table = table;
    this.set = set;
    table.putSet(this);
  }

  get size(): number {
    return this.#members.size;
  }

  members(): Iterable<Member> {
    return this.#members.values();
  }

  put(key: string, member: Member): void {
    this.#touch(key);
    this.#members.set(key, member);
  }

  drop(key: string): void {
    this.#touch(key);
    this.#members.delete(key);
  }

  /** The members become exactly these keys. */
  replaceAll(keys: Iterable<string>): void {
    const wanted = new Set(keys);
    for (const key of this.#members.keys()) if (!wanted.has(key)) this.drop(key);
    for (const key of wanted) if (!this.#members.has(key)) this.put(key, key);
  }

  /** Tells the table what changed. */
  flush(): void {
    const added: Member[] = [];
    const removed: Member[] = [];
    for (const [key, before] of this.#before) {
      const now = this.#members.get(key);
      if (same(before, now)) continue;
      if (before !== undefined) removed.push(before);
      if (now !== undefined) added.push(now);
    }
    this.#before.clear();
    this.#table.changeMembers(this.set.name, added, removed);
  }

  #touch(key: string): void {
    if (!this.#before.has(key)) this.#before.set(key, this.#members.get(key));
  }
}

function same(a: Member | undefined, b: Member | undefined): boolean {
  return a === undefined || b === undefined ? a === b : memberValue(a) === memberValue(b);
}
