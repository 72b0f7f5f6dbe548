import type { Family } from '../../net/address.js';
import { ARP_SENDER_ADDRESS, OUTPUT_INTERFACE } from '../../nftables/fields.js';
import { arpOperation, isIn } from '../../nftables/match.js';
import { baseChain, set, verdictMap } from '../../nftables/objects.js';
import { rule } from '../../nftables/rule.js';
import { drop, reject } from '../../nftables/statements.js';
import { gotoChain } from '../../nftables/verdict.js';
import type { EndpointPlan, HostPolicy, HostPolicyDelta, NatPlan, PolicyPlan } from '../../plan/host-plan.js';
import type { DataplaneSettings } from '../settings.js';
import { WantedTable } from '../wanted-table.js';
import { ElementBook } from './element-book.js';
import { endpointSpec } from './endpoint-chains.js';
import { ALL_POOLS, FIXED_COUNTERS, MASQUERADED_POOLS, renderHooks, renderNat } from './hooks.js';
import { IpSetVariants } from './ip-sets.js';
import { ListSets } from './list-sets.js';
import { type Marks, allocateMarks } from './marks.js';
import {
  ARP_TABLE,
  CALICO_TABLE,
  type Direction,
  FROM_WORKLOAD_MAP,
  TO_WORKLOAD_MAP,
  policyChainName,
} from './names.js';
import { type RenderContext, canPass, renderPolicyChain, setsOf } from './policy-chains.js';
import { coverOf } from './prefix-cover.js';
import { SharedChains } from './shared-chains.js';

const DIRECTIONS = ['ingress', 'egress'] as const satisfies readonly Direction[];

/** Own addresses of workloads by interface: nobody may claim them towards the workload. */
const OWN_ADDRESSES = 'own-addresses';

interface PlacedEndpoint {
  readonly plan: EndpointPlan;
  /** Names of the chains it uses. */
  readonly ingress: string;
  readonly egress: string;
}

/**
 * The plan as nf_tables objects. Pure: plans go in, the two tables say what should be in the kernel and what has changed.
 *
 * A change costs what it touches: a policy its own two chains, and the sets of lists that come or go with it; an endpoint two map
 * elements, and chains only when nobody else has the same tiers and profiles; a member its set.
 */
export class Ruleset {
  readonly table = new WantedTable(CALICO_TABLE);
  readonly arpTable = new WantedTable(ARP_TABLE);
  readonly marks: Marks;
  readonly #families: readonly Family[];
  readonly #context: RenderContext;
  readonly #lists = new ListSets(this.table);
  readonly #shared: SharedChains;
  readonly #fromWorkload: ElementBook;
  readonly #toWorkload: ElementBook;
  readonly #ownAddresses: ElementBook;
  readonly #pools = new Map<string, ElementBook>();
  readonly #ipSets = new Map<string, IpSetVariants>();
  readonly #policies = new Map<string, PolicyPlan>();
  readonly #policiesBySet = new Map<string, Set<string>>();
  readonly #endpoints = new Map<string, PlacedEndpoint>();
  readonly #dirtyPolicies = new Set<string>();

  constructor(settings: DataplaneSettings) {
    this.#families = settings.ipv6 ? [4, 6] : [4];
    this.marks = allocateMarks(settings.markMask);
    const deny = settings.denyAction === 'reject' ? reject : drop;
    this.#context = {
      marks: this.marks,
      deny,
      logPrefix: settings.logPrefix,
      sets: {
        families: this.#families,
        hasPrefixes: (id, family) => this.#ipSets.get(id)?.hasPrefixes(family) ?? false,
      },
    };
    this.#shared = new SharedChains(this.table, {
      settings,
      marks: this.marks,
      deny,
      hasPolicy: (id) => this.#policies.has(id),
      canPass: (id, direction) => canPass(this.#policies.get(id), direction),
    });
    this.#fromWorkload = new ElementBook(this.table, verdictMap(CALICO_TABLE, FROM_WORKLOAD_MAP, 'ifname'));
    this.#toWorkload = new ElementBook(this.table, verdictMap(CALICO_TABLE, TO_WORKLOAD_MAP, 'ifname'));
    this.#ownAddresses = new ElementBook(this.arpTable, set(ARP_TABLE, OWN_ADDRESSES, ['ifname', 'ipv4_addr']));
    for (const family of this.#families) {
      const address = family === 4 ? 'ipv4_addr' : 'ipv6_addr';
      for (const name of [`${MASQUERADED_POOLS}-v${family}`, `${ALL_POOLS}-v${family}`]) {
        this.#pools.set(name, new ElementBook(this.table, set(CALICO_TABLE, name, address, { interval: true })));
      }
    }
    for (const name of FIXED_COUNTERS) this.table.putCounter(name);
    for (const { chain, rules } of renderHooks(settings, this.marks)) this.table.putChain(chain, rules);
    this.#renderArpGuard();
  }

  /** Where endpoints are, by id. */
  get endpoints(): ReadonlyMap<string, { readonly plan: EndpointPlan }> {
    return this.#endpoints;
  }

  /**
   * Takes the changes in. `policy` is the plan as it is after them; yields now and then, so that the caller may let others run.
   */
  *change(delta: HostPolicyDelta, policy: HostPolicy): Generator<void, void> {
    yield* this.#changeSets(delta, policy);
    for (const id of delta.policies.removed) this.#dropPolicy(id);
    for (const plan of delta.policies.set.values()) this.#putPolicy(plan);
    for (const id of delta.endpoints.removed) this.#dropEndpoint(id);
    for (const [id, plan] of delta.endpoints.set) {
      this.#putEndpoint(id, plan);
      yield;
    }
    yield* this.#renderPolicies();
    yield* this.#shared.flush();
    for (const id of delta.ipSets.removed) this.#dropSet(id);
    for (const book of [this.#fromWorkload, this.#toWorkload, this.#ownAddresses]) book.flush();
  }

  /** Which pools are masqueraded; the NAT hook is there only while one is. */
  changeNat(nat: NatPlan): void {
    for (const family of this.#families) {
      const ofFamily = (list: readonly string[]): readonly string[] =>
        coverOf(list.filter((prefix) => prefix.includes(':') === (family === 6)));
      this.#pools.get(`${MASQUERADED_POOLS}-v${family}`)?.replaceAll(ofFamily(nat.masqueradedPools));
      this.#pools.get(`${ALL_POOLS}-v${family}`)?.replaceAll(ofFamily(nat.allPools));
    }
    for (const book of this.#pools.values()) book.flush();
    const { chain, rules } = renderNat(this.#families);
    if (nat.masqueradedPools.length > 0) this.table.putChain(chain, rules);
    else this.table.dropChain(chain.name);
  }

  *#changeSets(delta: HostPolicyDelta, policy: HostPolicy): Generator<void, void> {
    for (const [id, plan] of delta.ipSets.set) {
      const known = this.#ipSets.get(id);
      known?.drop();
      const variants = new IpSetVariants(this.table, plan, this.#families);
      this.#ipSets.set(id, variants);
      if (this.#families.some((family) => variants.hasPrefixes(family) !== (known?.hasPrefixes(family) ?? false))) {
        this.#setChangedForm(id);
      }
      yield;
    }
    for (const [id, members] of delta.members) {
      const plan = policy.ipSets.get(id);
      if (plan === undefined) continue;
      if (this.#ipSets.get(id)?.change(plan, members) === true) this.#setChangedForm(id);
      yield;
    }
  }

  /** Rules look into the sets of hosts and of prefixes separately: those that use the set are other rules now. */
  #setChangedForm(setId: string): void {
    for (const policyId of this.#policiesBySet.get(setId) ?? []) this.#dirtyPolicies.add(policyId);
  }

  #dropSet(id: string): void {
    this.#ipSets.get(id)?.drop();
    this.#ipSets.delete(id);
  }

  #putPolicy(plan: PolicyPlan): void {
    const before = this.#policies.get(plan.id);
    if (before !== undefined) this.#unindexSets(before);
    this.#policies.set(plan.id, plan);
    for (const setId of setsOf(plan)) {
      const users = this.#policiesBySet.get(setId) ?? new Set();
      this.#policiesBySet.set(setId, users.add(plan.id));
    }
    this.#dirtyPolicies.add(plan.id);
    for (const direction of DIRECTIONS) {
      if (before === undefined || canPass(before, direction) !== canPass(plan, direction)) {
        this.#shared.policyChanged(plan.id, direction);
      }
    }
  }

  #dropPolicy(id: string): void {
    const plan = this.#policies.get(id);
    if (plan === undefined) return;
    this.#unindexSets(plan);
    this.#policies.delete(id);
    this.#dirtyPolicies.add(id);
    for (const direction of DIRECTIONS) this.#shared.policyChanged(id, direction);
  }

  #unindexSets(plan: PolicyPlan): void {
    for (const setId of setsOf(plan)) {
      const users = this.#policiesBySet.get(setId);
      users?.delete(plan.id);
      if (users?.size === 0) this.#policiesBySet.delete(setId);
    }
  }

  #putEndpoint(id: string, plan: EndpointPlan): void {
    const ingress = endpointSpec(plan, 'ingress');
    const egress = endpointSpec(plan, 'egress');
    // The new chains are held before the old ones are let go, or what both use would go and come.
    this.#shared.retain(ingress);
    this.#shared.retain(egress);
    this.#dropEndpoint(id);
    this.#endpoints.set(id, { plan, ingress: ingress.name, egress: egress.name });
    const name = plan.interfaceName;
    this.#fromWorkload.put(name, { key: name, verdict: gotoChain(egress.name) });
    this.#toWorkload.put(name, { key: name, verdict: gotoChain(ingress.name) });
    for (const key of ownAddressKeys(plan)) this.#ownAddresses.put(key, key);
  }

  #dropEndpoint(id: string): void {
    const known = this.#endpoints.get(id);
    if (known === undefined) return;
    this.#endpoints.delete(id);
    this.#shared.release(known.ingress);
    this.#shared.release(known.egress);
    this.#fromWorkload.drop(known.plan.interfaceName);
    this.#toWorkload.drop(known.plan.interfaceName);
    for (const key of ownAddressKeys(known.plan)) this.#ownAddresses.drop(key);
  }

  *#renderPolicies(): Generator<void, void> {
    const touched = this.#shared.takeTouched();
    const dirty = [...this.#dirtyPolicies].flatMap((policyId) =>
      DIRECTIONS.map((direction) => ({ policyId, direction })),
    );
    this.#dirtyPolicies.clear();
    const done = new Set<string>();
    for (const { policyId, direction } of [...touched, ...dirty]) {
      const name = policyChainName(direction, policyId);
      if (done.has(name)) continue;
      done.add(name);
      const plan = this.#policies.get(policyId);
      if (plan === undefined || !this.#shared.isUsed(policyId, direction)) {
        this.table.dropChain(name);
        this.#lists.chainUses(name, new Map());
        continue;
      }
      const { chain, rules, lists } = renderPolicyChain(plan, direction, this.#context);
      this.table.putChain(chain, rules);
      this.#lists.chainUses(name, lists);
      yield;
    }
    this.#lists.flush();
  }

  /**
   * The host answers every ARP request of a workload, also the probe for its own address (RFC 5227): the answer would tell it that
   * somebody else has the address.
   */
  #renderArpGuard(): void {
    const of = baseChain(ARP_TABLE, 'output', { type: 'filter', hook: 'output', priority: 0 });
    const claims = isIn([OUTPUT_INTERFACE, ARP_SENDER_ADDRESS], OWN_ADDRESSES);
    this.arpTable.putChain(of, [rule(of, [arpOperation('reply'), claims, drop])]);
  }
}

function ownAddressKeys({ interfaceName, addresses }: EndpointPlan): readonly string[] {
  return addresses
    .filter((address) => !address.includes(':'))
    .map((address) => `${interfaceName} . ${address.slice(0, address.indexOf('/'))}`);
}
