import type { Nftables, Operation, SeenTable } from '../nftables/nftables.js';
import { iifname, markHas, oifname, type Statement } from '../nftables/match.js';
import { type Chain, type Rule, type TableId, baseChain, table } from '../nftables/objects.js';
import { rule } from '../nftables/rule.js';
import { accept, count, drop } from '../nftables/statements.js';
import type { Marks } from './ruleset/marks.js';
import type { DataplaneSettings } from './settings.js';

/** The tables in which iptables-nft keeps its filter chains. */
export const IPTABLES_FILTER_TABLES: readonly TableId[] = [
  { family: 'ip', name: 'filter' },
  { family: 'ip6', name: 'filter' },
];

/**
 * Our few rules in iptables' own tables. An accept in our table does not save a packet that another table drops, so what passed ours is
 * accepted at the head of FORWARD; and what workloads send to their host is dropped in INPUT, where people look for it. What has not
 * passed our table is dropped in FORWARD: while somebody's flush has emptied ours, nothing opens.
 *
 * Written in the form iptables itself would use, or iptables could not list its table any more. Ours are known by the hash that our rules
 * carry; nobody else's rule is read, moved or changed.
 */
export class ForeignTables {
  readonly #nftables: Nftables;
  readonly #settings: DataplaneSettings;
  readonly #marks: Marks;

  constructor(nftables: Nftables, settings: DataplaneSettings, marks: Marks) {
    this.#nftables = nftables;
    this.#settings = settings;
    this.#marks = marks;
  }

  /** Puts back what is missing, removes what is outdated. @returns the operations committed @throws {KernelError} */
  async resync(): Promise<number> {
    let writes = 0;
    for (const id of IPTABLES_FILTER_TABLES) {
      if (id.family === 'ip6' && !this.#settings.ipv6) continue;
      const seen = await this.#nftables.readTable(id, { withoutElements: true });
      const operations = this.#difference(id, seen);
      if (operations.length > 0) await this.#nftables.commit(operations);
      writes += operations.length;
    }
    return writes;
  }

  #difference(id: TableId, seen: SeenTable | undefined): readonly Operation[] {
    const operations: Operation[] = seen === undefined ? [{ verb: 'add', object: table(id.family, id.name) }] : [];
    for (const { chain, rules } of this.#wanted(id)) {
      const seenChain = seen?.chains.get(chain.name);
      if (seenChain === undefined) operations.push({ verb: 'add', object: chain });
      const ours = seenChain?.rules.filter(({ hash }) => hash !== undefined) ?? [];
      if (ours.map(({ hash }) => hash).join() === rules.map(({ hash }) => hash).join()) continue;
      for (const { handle } of ours) operations.push({ verb: 'delete-rule', chain, handle });
      // Each goes to the head of the chain, so the last comes first.
      for (const object of rules.toReversed()) operations.push({ verb: 'insert', object });
    }
    return operations;
  }

  #wanted(id: TableId): readonly { readonly chain: Chain; readonly rules: readonly Rule[] }[] {
    // The chains as iptables-nft makes them: type filter, priority filter, policy accept.
    const base = (name: string, hook: 'forward' | 'input'): Chain =>
      baseChain(id, name, { type: 'filter', hook, priority: 0, policy: 'accept' });
    const forward = base('FORWARD', 'forward');
    const input = base('INPUT', 'input');
    const passed = markHas(this.#marks.accept);
    const toHost = this.#settings.interfacePrefixes.flatMap((prefix): (readonly Statement[])[] => {
      const from = iifname(`${prefix}*`);
      const accepted = [from, passed, count, accept];
      return this.#settings.endpointToHostAction === 'drop' ? [accepted, [from, count, drop]] : [accepted];
    });
    const unjudged = this.#settings.interfacePrefixes.flatMap((prefix) => [
      rule(forward, [iifname(`${prefix}*`), count, drop]),
      rule(forward, [oifname(`${prefix}*`), count, drop]),
    ]);
    const judged = rule(forward, [passed, count, accept], { comment: 'calico: passed policy' });
    return [
      { chain: forward, rules: [judged, ...unjudged] },
      { chain: input, rules: toHost.map((statements) => rule(input, statements)) },
    ];
  }
}
