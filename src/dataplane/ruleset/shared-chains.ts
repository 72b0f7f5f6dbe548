import type { WantedTable } from '../wanted-table.js';
import {
  type EndpointContext,
  type EndpointSpec,
  type TierSpec,
  renderEndpoint,
  renderTier,
} from './endpoint-chains.js';
import { type Direction, endOfTierCounter, policyChainName } from './names.js';

interface Used<T> {
  readonly spec: T;
  users: number;
}

/** A policy's chain as others see it: who jumps there. */
interface PolicyUse {
  readonly tiers: Set<string>;
  readonly endpoints: Set<string>;
}

export interface PolicyDirection {
  readonly policyId: string;
  readonly direction: Direction;
}

/**
 * The chains of endpoints and tiers, each as long as something uses it. Knows which of them name a policy, so that a policy that comes,
 * goes or begins to Pass changes exactly those.
 */
export class SharedChains {
  readonly #table: WantedTable;
  readonly #context: EndpointContext;
  readonly #endpoints = new Map<string, Used<EndpointSpec>>();
  readonly #tiers = new Map<string, Used<TierSpec>>();
  readonly #tierCounters = new Map<string, number>();
  /** By the name of the policy's chain. */
  readonly #uses = new Map<string, PolicyUse>();
  /** Chains to render at the next flush. */
  readonly #dirtyEndpoints = new Set<string>();
  readonly #dirtyTiers = new Set<string>();
  /** Policies whose first user came or whose last one went, since {@link takeTouched}. */
  readonly #touched = new Map<string, PolicyDirection>();

  constructor(table: WantedTable, context: EndpointContext) {
    this.#table = table;
    this.#context = context;
  }

  /** One more user of the chain; it is there after the next {@link flush}. */
  retain(spec: EndpointSpec): void {
    const known = this.#endpoints.get(spec.name);
    if (known !== undefined) {
      known.users += 1;
      return;
    }
    this.#endpoints.set(spec.name, { spec, users: 1 });
    this.#dirtyEndpoints.add(spec.name);
    for (const tier of spec.tiers) this.#retainTier(tier);
    for (const id of spec.profiles) this.#usesOf(id, spec.direction).endpoints.add(spec.name);
  }

  /** One user less; with the last one the chain goes, and the tiers only it used. */
  release(name: string): void {
    const known = this.#endpoints.get(name);
    if (known === undefined) return;
    known.users -= 1;
    if (known.users > 0) return;
    this.#endpoints.delete(name);
    this.#table.dropChain(name);
    for (const tier of known.spec.tiers) this.#releaseTier(tier.name);
    for (const id of known.spec.profiles)
      this.#forgetUse(id, known.spec.direction, ({ endpoints }) => endpoints.delete(name));
  }

  /** True while a chain jumps to the policy's chain. */
  isUsed(policyId: string, direction: Direction): boolean {
    return this.#uses.has(policyChainName(direction, policyId));
  }

  /** The policies that came into use or went out of it since the last call. */
  takeTouched(): readonly PolicyDirection[] {
    const touched = [...this.#touched.values()];
    this.#touched.clear();
    return touched;
  }

  /** The policy came, went, or changed whether it can Pass. */
  policyChanged(policyId: string, direction: Direction): void {
    const uses = this.#uses.get(policyChainName(direction, policyId));
    for (const name of uses?.tiers ?? []) this.#dirtyTiers.add(name);
    for (const name of uses?.endpoints ?? []) this.#dirtyEndpoints.add(name);
  }

  /** Renders what changed into the table. */
  *flush(): Generator<void, void> {
    for (const name of this.#dirtyTiers) {
      const used = this.#tiers.get(name);
      if (used === undefined) continue;
      const { chain, rules } = renderTier(used.spec, this.#context);
      this.#table.putChain(chain, rules);
      yield;
    }
    for (const name of this.#dirtyEndpoints) {
      const used = this.#endpoints.get(name);
      if (used === undefined) continue;
      const { chain, rules } = renderEndpoint(used.spec, this.#context);
      this.#table.putChain(chain, rules);
      yield;
    }
    this.#dirtyTiers.clear();
    this.#dirtyEndpoints.clear();
  }

  #retainTier(spec: TierSpec): void {
    const known = this.#tiers.get(spec.name);
    if (known !== undefined) {
      known.users += 1;
      return;
    }
    this.#tiers.set(spec.name, { spec, users: 1 });
    this.#dirtyTiers.add(spec.name);
    for (const id of spec.policies) this.#usesOf(id, spec.direction).tiers.add(spec.name);
    if (spec.defaultAction === 'deny') this.#countTier(endOfTierCounter(spec.direction, spec.tier), 1);
  }

  #releaseTier(name: string): void {
    const known = this.#tiers.get(name);
    if (known === undefined) return;
    known.users -= 1;
    if (known.users > 0) return;
    const { spec } = known;
    this.#tiers.delete(name);
    this.#table.dropChain(name);
    for (const id of spec.policies) this.#forgetUse(id, spec.direction, ({ tiers }) => tiers.delete(name));
    if (spec.defaultAction === 'deny') this.#countTier(endOfTierCounter(spec.direction, spec.tier), -1);
  }

  /** The counter of a tier outlives each of its chains, and goes with the last. */
  #countTier(counter: string, by: 1 | -1): void {
    const users = (this.#tierCounters.get(counter) ?? 0) + by;
    if (users > 0) {
      this.#tierCounters.set(counter, users);
      this.#table.putCounter(counter);
    } else {
      this.#tierCounters.delete(counter);
      this.#table.dropCounter(counter);
    }
  }

  #usesOf(policyId: string, direction: Direction): PolicyUse {
    const name = policyChainName(direction, policyId);
    const known = this.#uses.get(name);
    if (known !== undefined) return known;
    const uses: PolicyUse = { tiers: new Set(), endpoints: new Set() };
    this.#uses.set(name, uses);
    this.#touched.set(name, { policyId, direction });
    return uses;
  }

  #forgetUse(policyId: string, direction: Direction, forget: (uses: PolicyUse) => void): void {
    const name = policyChainName(direction, policyId);
    const uses = this.#uses.get(name);
    if (uses === undefined) return;
    forget(uses);
    if (uses.tiers.size + uses.endpoints.size > 0) return;
    this.#uses.delete(name);
    this.#touched.set(name, { policyId, direction });
  }
}
