import type { IpSetMemberDelta, IpSetPlan, IpSetType, MapDelta } from '../plan/host-plan.js';
import type { Selector } from '../selector/ast.js';
import { LabelIndex, type LabelRecord } from './label-index.js';
import type { PortProtocol, SetContent } from './set-content.js';

/** A set that a rule needs. Two rules that need the same say so with the same id. */
export interface SetRequest {
  readonly id: string;
  readonly type: IpSetType;
  readonly description: string;
  readonly selector: Selector;
  /** Only for `port` sets; without a protocol, any that has ports. */
  readonly port?: { readonly name: string; readonly protocol: PortProtocol | undefined };
}

interface Labelled {
  readonly labels: LabelRecord;
  readonly parents: readonly string[];
  readonly content: SetContent;
}

export interface IpSetsDelta {
  readonly sets: MapDelta<IpSetPlan>;
  readonly members: ReadonlyMap<string, IpSetMemberDelta>;
}

/**
 * One set while somebody needs it. Several endpoints may bring the same member: it stays until the last of them is gone. Once published,
 * changes are held back until the next flush, so that the plan shows one moment.
 */
class LiveSet {
  readonly request: SetRequest;
  readonly plan: IpSetPlan;
  readonly #members = new Set<string>();
  /** How many bring a member beyond the first; only members that several bring are here. */
  readonly #extra = new Map<string, number>();
  /** Members whose presence will differ from the published one. */
  readonly #pending = new Map<string, boolean>();
  users = 0;
  isPublished = false;

  constructor(request: SetRequest) {
    this.request = request;
    this.plan = { id: request.id, type: request.type, description: request.description, members: this.#members };
  }

  get hasPending(): boolean {
    return this.#pending.size > 0;
  }

  membersOf(content: SetContent): readonly string[] {
    const { port } = this.request;
    return port === undefined ? content.prefixes : content.portMembers(port.name, port.protocol);
  }

  add(member: string): void {
    if (this.#pending.get(member) ?? this.#members.has(member)) {
      this.#extra.set(member, (this.#extra.get(member) ?? 0) + 1);
    } else this.#setPresence(member, true);
  }

  remove(member: string): void {
    const extra = this.#extra.get(member);
    if (extra === undefined) this.#setPresence(member, false);
    else if (extra === 1) this.#extra.delete(member);
    else this.#extra.set(member, extra - 1);
  }

  /** Makes the published members the present ones. */
  publishPending(): IpSetMemberDelta {
    const added: string[] = [];
    const removed: string[] = [];
    for (const [member, isPresent] of this.#pending) {
      if (isPresent) added.push(member);
      else removed.push(member);
      this.#publish(member, isPresent);
    }
    this.#pending.clear();
    return { added, removed };
  }

  #setPresence(member: string, isPresent: boolean): void {
    if (!this.isPublished) this.#publish(member, isPresent);
    else if (this.#members.has(member) === isPresent) this.#pending.delete(member);
    else this.#pending.set(member, isPresent);
  }

  #publish(member: string, isPresent: boolean): void {
    if (isPresent) this.#members.add(member);
    else this.#members.delete(member);
  }
}

/**
 * The sets that active rules need, and who is in them.
 *
 * Hears: everything in the cluster that has labels and addresses; rules that begin and cease to need a set. Emits at a flush: sets that
 * are new (whole), gone, or changed. Keeps: the label index over everything, and one member list per needed set.
 * Cost: that of the label index, plus one map operation per member that changes.
 */
export class IpSets {
  readonly plans = new Map<string, IpSetPlan>();
  readonly #live = new Map<string, LiveSet>();
  readonly #unpublished = new Set<LiveSet>();
  readonly #unused = new Set<LiveSet>();
  readonly #changed = new Set<LiveSet>();
  readonly #index = new LabelIndex<LiveSet, SetContent>({
    started: (set, content) => this.#add(set, set.membersOf(content)),
    stopped: (set, content) => this.#remove(set, set.membersOf(content)),
    changed: (set, before, after) => this.#replace(set, before, after),
  });

  setItem(id: string, { labels, parents, content }: Labelled): void {
    const before = this.#index.payloadOf(id);
    this.#index.setItem(id, labels, parents, before?.equals(content) === true ? before : content);
  }

  removeItem(id: string): void {
    this.#index.removeItem(id);
  }

  setParent(id: string, labels: LabelRecord | undefined): void {
    this.#index.setParent(id, labels);
  }

  /** Somebody needs the set; every call wants a {@link release} in the end. */
  acquire(request: SetRequest): void {
    let set = this.#live.get(request.id);
    if (set === undefined) {
      set = new LiveSet(request);
      this.#live.set(request.id, set);
      this.#unpublished.add(set);
      this.#index.addSelector(request.id, request.selector, set);
    }
    set.users += 1;
    this.#unused.delete(set);
  }

  /** The set stays until the next flush, in case somebody else wants it meanwhile. */
  release(id: string): void {
    const set = this.#live.get(id);
    if (set === undefined) return;
    set.users -= 1;
    if (set.users === 0) this.#unused.add(set);
  }

  /** Looks for members of new sets, at most `limit` items; returns how many it looked at. */
  advance(limit: number): number {
    return this.#index.advance(limit);
  }

  flush(): IpSetsDelta {
    const removed = this.#dropUnused();
    this.#index.advance(Infinity);
    const members = new Map<string, IpSetMemberDelta>();
    for (const set of this.#changed) {
      if (set.hasPending) members.set(set.plan.id, set.publishPending());
    }
    this.#changed.clear();
    const added = new Map<string, IpSetPlan>();
    for (const set of this.#unpublished) {
      set.isPublished = true;
      this.plans.set(set.plan.id, set.plan);
      added.set(set.plan.id, set.plan);
    }
    this.#unpublished.clear();
    return { sets: { set: added, removed }, members };
  }

  #dropUnused(): Set<string> {
    const removed = new Set<string>();
    for (const set of this.#unused) {
      const { id } = set.plan;
      this.#index.removeSelector(id);
      this.#live.delete(id);
      this.#unpublished.delete(set);
      this.#changed.delete(set);
      if (this.plans.delete(id)) removed.add(id);
    }
    this.#unused.clear();
    return removed;
  }

  #add(set: LiveSet, members: readonly string[]): void {
    for (const member of members) set.add(member);
    this.#changed.add(set);
  }

  #remove(set: LiveSet, members: readonly string[]): void {
    for (const member of members) set.remove(member);
    this.#changed.add(set);
  }

  #replace(set: LiveSet, before: SetContent, after: SetContent): void {
    // Adding first keeps a member that both bring without touching its presence.
    this.#add(set, set.membersOf(after));
    this.#remove(set, set.membersOf(before));
  }
}
