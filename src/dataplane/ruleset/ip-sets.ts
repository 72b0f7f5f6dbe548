import type { Family } from '../../net/address.js';
import { type AnySet, type Member, set } from '../../nftables/objects.js';
import type { IpSetMemberDelta, IpSetPlan } from '../../plan/host-plan.js';
import type { WantedSet, WantedTable } from '../wanted-table.js';
import { CALICO_TABLE, type SetVariant, setVariantName } from './names.js';
import { PrefixCover } from './prefix-cover.js';

/** nft prints comments of at most this many bytes. */
const COMMENT_BYTES = 128;

/** What the selector says, as a comment can hold it. */
function commentFrom(description: string): { readonly comment?: string } {
  // A quote or control character would make the listing unreadable for nft itself.
  const clean = description.replaceAll('"', "'").replaceAll(/[^\x20-\x7e]/g, '?');
  if (clean === '') return {};
  return { comment: clean.length <= COMMENT_BYTES ? clean : `${clean.slice(0, COMMENT_BYTES - 3)}...` };
}

function familyOf(member: string): Family {
  return member.includes(':') ? 6 : 4;
}

/** Family of a named-port member, `192.0.2.7,tcp:80`. */
function familyOfPort(member: string): Family {
  return familyOf(member.slice(0, member.indexOf(',')));
}

/** The address of a /32 or /128, else undefined. */
function hostOf(member: string): string | undefined {
  const slash = member.indexOf('/');
  if (slash < 0) return member;
  const length = member.slice(slash + 1);
  return length === (familyOf(member) === 4 ? '32' : '128') ? member.slice(0, slash) : undefined;
}

/** `192.0.2.7,tcp:80` as a concatenation. */
function portKey(member: string): string {
  const comma = member.indexOf(',');
  const colon = member.lastIndexOf(':');
  return `${member.slice(0, comma)} . ${member.slice(comma + 1, colon)} . ${member.slice(colon + 1)}`;
}

interface Keys {
  readonly added: string[];
  readonly removed: string[];
}

/**
 * One set of the plan as the sets of the kernel that hold it: hosts and prefixes of each family apart. The host sets are always
 * there; a prefix set only while it has a member, because every rule that looks into it costs packets.
 */
export class IpSetVariants {
  #plan: IpSetPlan;
  readonly #table: WantedTable;
  readonly #families: readonly Family[];
  readonly #covers = new Map<Family, PrefixCover>();
  readonly #hostCounts = new Map<Family, number>();

  /** Puts the sets into the table with all their members. */
  constructor(table: WantedTable, plan: IpSetPlan, families: readonly Family[]) {
    this.#plan = plan;
    this.#table = table;
    this.#families = families;
    const prefixesOf: Record<Family, string[]> = { 4: [], 6: [] };
    for (const member of plan.members) {
      const family = plan.type === 'port' ? familyOfPort(member) : familyOf(member);
      if (!families.includes(family)) continue;
      if (plan.type === 'port' || hostOf(member) !== undefined) {
        this.#hostCounts.set(family, (this.#hostCounts.get(family) ?? 0) + 1);
      } else prefixesOf[family].push(member);
    }
    for (const family of families) {
      const form = plan.type === 'port' ? 'ports' : 'hosts';
      this.#put(
        { family, form },
        () => this.#hosts(family),
        () => this.#hostCounts.get(family) ?? 0,
      );
      const members = prefixesOf[family];
      if (members.length > 0) this.#changePrefixes(family, { added: members, removed: [] });
    }
  }

  /** True while members of the family are prefixes: rules then look into a second set. */
  hasPrefixes(family: Family): boolean {
    return this.#covers.has(family);
  }

  /** Members have come and gone; `plan` already holds the new ones. @returns true when a prefix set came or went */
  change(plan: IpSetPlan, delta: IpSetMemberDelta): boolean {
    this.#plan = plan;
    const before = this.#families.map((family) => this.hasPrefixes(family)).join(' ');
    for (const family of this.#families) {
      if (this.#plan.type === 'port') this.#changePorts(family, delta);
      else this.#changeNets(family, delta);
    }
    return before !== this.#families.map((family) => this.hasPrefixes(family)).join(' ');
  }

  /** Takes the sets out of the table. */
  drop(): void {
    for (const family of this.#families) {
      for (const form of ['hosts', 'prefixes', 'ports'] as const) this.#table.dropSet(this.#name({ family, form }));
    }
  }

  *#hosts(family: Family): Iterable<Member> {
    for (const member of this.#plan.members) {
      if (this.#plan.type === 'port') {
        if (familyOfPort(member) === family) yield portKey(member);
      } else if (familyOf(member) === family) {
        const host = hostOf(member);
        if (host !== undefined) yield host;
      }
    }
  }

  #changePorts(family: Family, delta: IpSetMemberDelta): void {
    const ofFamily = (list: readonly string[]): string[] =>
      list.filter((member) => familyOfPort(member) === family).map(portKey);
    this.#changeHosts({ family, form: 'ports' }, { added: ofFamily(delta.added), removed: ofFamily(delta.removed) });
  }

  #changeNets(family: Family, delta: IpSetMemberDelta): void {
    const hosts: Keys = { added: [], removed: [] };
    const prefixes: Keys = { added: [], removed: [] };
    for (const side of ['added', 'removed'] as const) {
      for (const member of delta[side]) {
        if (familyOf(member) !== family) continue;
        const host = hostOf(member);
        if (host === undefined) prefixes[side].push(member);
        else hosts[side].push(host);
      }
    }
    this.#changeHosts({ family, form: 'hosts' }, hosts);
    if (prefixes.added.length + prefixes.removed.length > 0) this.#changePrefixes(family, prefixes);
  }

  #changeHosts(variant: SetVariant, keys: Keys): void {
    const before = this.#hostCounts.get(variant.family) ?? 0;
    this.#hostCounts.set(variant.family, before + keys.added.length - keys.removed.length);
    this.#table.changeMembers(this.#name(variant), keys.added, keys.removed);
  }

  #changePrefixes(family: Family, keys: Keys): void {
    const variant: SetVariant = { family, form: 'prefixes' };
    const known = this.#covers.get(family);
    const cover = known ?? new PrefixCover();
    const delta = cover.change(keys.added, keys.removed);
    if (cover.size === 0) {
      this.#covers.delete(family);
      this.#table.dropSet(this.#name(variant));
    } else if (known === undefined) {
      this.#covers.set(family, cover);
      this.#put(
        variant,
        () => cover.elements(),
        () => cover.elements().length,
      );
    } else this.#table.changeMembers(this.#name(variant), delta.added, delta.removed);
  }

  #name(variant: SetVariant): string {
    return setVariantName(this.#plan.id, variant);
  }

  #put(variant: SetVariant, members: () => Iterable<Member>, size: () => number): void {
    const address = variant.family === 4 ? 'ipv4_addr' : 'ipv6_addr';
    const options = commentFrom(this.#plan.description);
    const name = this.#name(variant);
    const shape: AnySet =
      variant.form === 'ports'
        ? set(CALICO_TABLE, name, [address, 'inet_proto', 'inet_service'], options)
        : set(CALICO_TABLE, name, address, variant.form === 'prefixes' ? { ...options, interval: true } : options);
    const wanted: WantedSet = {
      set: shape,
      members,
      get size() {
        return size();
      },
    };
    this.#table.putSet(wanted);
  }
}
