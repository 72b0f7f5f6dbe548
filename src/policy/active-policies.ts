import type { Rule } from '../api/rule.js';
import type { MapDelta, PolicyPlan } from '../plan/host-plan.js';
import { sameValue } from '../plan/same-value.js';
import type { IpSets, SetRequest } from './ip-sets.js';
import { compileRules } from './rule-compile.js';

/** The rules of a policy or profile, as stored. */
export interface RuleSource {
  /** Undefined for global policies and profiles. */
  readonly namespace: string | undefined;
  readonly ingress: readonly Rule[];
  readonly egress: readonly Rule[];
}

/**
 * The policies and profiles that somebody on this host needs, compiled.
 *
 * Hears: rules by policy id, and who begins and ceases to need an id. Emits at a flush: plans that changed. Keeps: the stored rules of
 * all, plans and acquired sets only of the active ones. Cost: compiling what changed and is needed; nothing for the rest.
 */
export class ActivePolicies {
  readonly plans = new Map<string, PolicyPlan>();
  /** By policy id: what could not be read in it and was closed instead. */
  readonly problems = new Map<string, readonly string[]>();
  readonly #ipSets: IpSets;
  readonly #sources = new Map<string, RuleSource>();
  readonly #users = new Map<string, number>();
  readonly #setsHeld = new Map<string, ReadonlyMap<string, SetRequest>>();
  readonly #dirty = new Set<string>();
  /** Compiled since the last flush. */
  readonly #changed = new Map<string, PolicyPlan>();
  readonly #removed = new Set<string>();

  constructor(ipSets: IpSets) {
    this.#ipSets = ipSets;
  }

  put(id: string, source: RuleSource): void {
    this.#sources.set(id, source);
    if (this.#users.has(id)) this.#dirty.add(id);
  }

  delete(id: string): void {
    if (this.#sources.delete(id) && this.#users.has(id)) this.#dirty.add(id);
  }

  /** Somebody here needs it, whether it exists or not; every call wants a {@link release} in the end. */
  retain(id: string): void {
    const users = this.#users.get(id) ?? 0;
    this.#users.set(id, users + 1);
    if (users === 0) this.#dirty.add(id);
  }

  release(id: string): void {
    const users = (this.#users.get(id) ?? 0) - 1;
    if (users > 0) this.#users.set(id, users);
    else if (this.#users.delete(id)) this.#dirty.add(id);
  }

  /** Compiles what changed, at most `limit` policies; returns how many it compiled. */
  advance(limit: number): number {
    let compiled = 0;
    for (const id of this.#dirty) {
      if (compiled >= limit) break;
      this.#dirty.delete(id);
      if (this.#users.has(id)) this.#compile(id);
      else this.#drop(id);
      compiled += 1;
    }
    return compiled;
  }

  flush(): MapDelta<PolicyPlan> {
    this.advance(Infinity);
    const delta = { set: new Map<string, PolicyPlan>(), removed: new Set<string>() };
    for (const [id, plan] of this.#changed) {
      if (sameValue(this.plans.get(id), plan)) continue;
      this.plans.set(id, plan);
      delta.set.set(id, plan);
    }
    for (const id of this.#removed) if (this.plans.delete(id)) delta.removed.add(id);
    this.#changed.clear();
    this.#removed.clear();
    return delta;
  }

  /** What is referred to and does not exist allows nothing: its lists are empty. */
  #compile(id: string): void {
    const source = this.#sources.get(id);
    const ingress = compileRules(source?.ingress ?? [], source?.namespace);
    const egress = compileRules(source?.egress ?? [], source?.namespace);
    this.#hold(id, new Map([...ingress.sets, ...egress.sets]));
    const problems = [
      ...ingress.problems.map((problem) => `ingress ${problem}`),
      ...egress.problems.map((problem) => `egress ${problem}`),
    ];
    if (problems.length > 0) this.problems.set(id, problems);
    else this.problems.delete(id);
    this.#removed.delete(id);
    this.#changed.set(id, { id, ingress: ingress.rules, egress: egress.rules });
  }

  #drop(id: string): void {
    this.#hold(id, new Map());
    this.problems.delete(id);
    this.#changed.delete(id);
    this.#removed.add(id);
  }

  #hold(id: string, sets: ReadonlyMap<string, SetRequest>): void {
    const before = this.#setsHeld.get(id);
    for (const request of sets.values()) this.#ipSets.acquire(request);
    for (const setId of before?.keys() ?? []) this.#ipSets.release(setId);
    if (sets.size > 0) this.#setsHeld.set(id, sets);
    else this.#setsHeld.delete(id);
  }
}
