import { type NftSet, set } from '../../nftables/objects.js';
import type { WantedTable } from '../wanted-table.js';
import { CALICO_TABLE, listSetName } from './names.js';

/** What lists of a rule are made of. */
export type ListDatatype = 'inet_service' | 'ipv4_addr' | 'ipv6_addr';

/** A list of ports or prefixes as a set of the kernel's. Lists with the same members in the same order have the same name. */
export interface ListSet {
  readonly set: NftSet;
  readonly members: readonly string[];
}

const PREFIXES = { inet_service: 'ports', ipv4_addr: 'nets4', ipv6_addr: 'nets6' } as const;

/** The set for a list of two members or more, no value in two of them. */
export function listSet(datatype: ListDatatype, members: readonly string[]): ListSet {
  const name = listSetName(PREFIXES[datatype], members);
  return { set: set(CALICO_TABLE, name, datatype, { interval: true }), members };
}

interface UsedList {
  readonly list: ListSet;
  /** Chains that look into it. */
  users: number;
}

/**
 * The sets of lists that rules look into, shared by all of them: each is in the table exactly while a chain uses it. Many policies
 * name the same ports; a set for each rule would have to be made and destroyed with it, and every set makes each name that the
 * kernel looks up a little slower to find.
 */
export class ListSets {
  readonly #table: WantedTable;
  readonly #used = new Map<string, UsedList>();
  /** Names of the sets that a chain uses, by the name of the chain. */
  readonly #byChain = new Map<string, readonly string[]>();
  /** What came into use or went out of it since the last {@link flush}. */
  readonly #touched = new Set<string>();

  constructor(table: WantedTable) {
    this.#table = table;
  }

  /** The chain now uses exactly these lists; none when it goes. The table has them after the next {@link flush}. */
  chainUses(chain: string, lists: ReadonlyMap<string, ListSet>): void {
    const before = this.#byChain.get(chain) ?? [];
    for (const [name, list] of lists) this.#retain(name, list);
    for (const name of before) this.#release(name);
    if (lists.size === 0) this.#byChain.delete(chain);
    else this.#byChain.set(chain, [...lists.keys()]);
  }

  /** Puts into the table what is used, takes out what no longer is; what came and went in between stays as it is. */
  flush(): void {
    for (const name of this.#touched) {
      const used = this.#used.get(name);
      if (used === undefined) this.#table.dropSet(name);
      else if (!this.#table.sets.has(name)) {
        const { set: shape, members } = used.list;
        this.#table.putSet({ set: shape, size: members.length, members: () => members });
      }
    }
    this.#touched.clear();
  }

  #retain(name: string, list: ListSet): void {
    const used = this.#used.get(name);
    if (used === undefined) {
      this.#used.set(name, { list, users: 1 });
      this.#touched.add(name);
    } else used.users += 1;
  }

  #release(name: string): void {
    const used = this.#used.get(name);
    if (used === undefined) return;
    used.users -= 1;
    if (used.users > 0) return;
    this.#used.delete(name);
    this.#touched.add(name);
  }
}
