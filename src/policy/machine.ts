import type { GlobalNetworkPolicy } from '../api/kinds/global-network-policy.js';
import type { NetworkPolicy } from '../api/kinds/network-policy.js';
import type { Profile } from '../api/kinds/profile.js';
import type { Tier } from '../api/kinds/tier.js';
import type { WorkloadEndpoint } from '../api/kinds/workload-endpoint.js';
import type { ResourceKey, ResourceUpdate } from '../api/resource-update.js';
import { CalicoError } from '../base/errors.js';
import type { HostPolicy, HostPolicyDelta } from '../plan/host-plan.js';
import { policySelector, type PolicyScope } from '../selector/translate.js';
import { ActivePolicies } from './active-policies.js';
import { networkSetItem, workloadItem } from './cluster-items.js';
import { IpSets } from './ip-sets.js';
import { LocalEndpoints, profilePolicyId } from './local-endpoints.js';
import { canonicalPrefix } from './set-content.js';
import type { OrderedPolicy } from './tier-order.js';

const DEFAULT_TIER = 'default';

/** Compiling a policy takes about as long as trying a selector on this many endpoints. */
const ITEMS_PER_POLICY = 50;

export interface PolicyMachineOptions {
  /** The name of this host's Node: endpoints with this `spec.node` are local. */
  readonly hostname: string;
}

/**
 * Turns what the datastore holds into what this host must enforce, incrementally.
 *
 * Pure: no clock, no socket, no log. The plan depends only on the resources, not on the order in which they came. Apply updates as they
 * arrive, flush when it suits (not before the datastore is in sync, or the plan is that of half a datastore).
 *
 * Cost: a policy edit, compiling it; a label change, the selectors that ask for that label; both whatever the size of the cluster. At
 * start all the work is done by the first flush, or before it piece by piece by {@link advance}.
 */
export class PolicyMachine {
  /** The plan as of the last flush. A live view: read it, do not keep it. */
  readonly state: HostPolicy;
  readonly #hostname: string;
  readonly #ipSets = new IpSets();
  readonly #policies = new ActivePolicies(this.#ipSets);
  readonly #endpoints = new LocalEndpoints(this.#policies);
  readonly #scopes = new Map<string, PolicyScope>();
  readonly #unreadable = new Map<string, readonly string[]>();
  readonly #neededEverywhere = new Set<string>();

  constructor({ hostname }: PolicyMachineOptions) {
    this.#hostname = hostname;
    this.state = {
      ipSets: this.#ipSets.plans,
      policies: this.#policies.plans,
      endpoints: this.#endpoints.plans,
    };
  }

  /** By policy id, what could not be read: rules that let nothing through, selectors because of which a policy counts as absent. */
  get problems(): ReadonlyMap<string, readonly string[]> {
    return new Map([...this.#policies.problems, ...this.#unreadable]);
  }

  /** Takes updates in; kinds that say nothing about policy are ignored. */
  apply(updates: readonly ResourceUpdate[]): void {
    for (const update of updates) this.#applyOne(update);
  }

  /**
   * Does part of what {@link flush} would have to do, so that no turn of an event loop gets long.
   *
   * @param limit how many items to look at; compiling a policy counts as many. About 2,000 keep a turn under 5 ms
   * @returns true when nothing is left and a flush is quick
   */
  advance(limit: number): boolean {
    const policies = Math.max(1, Math.floor(limit / ITEMS_PER_POLICY));
    const compiled = this.#policies.advance(policies);
    return compiled < policies && this.#ipSets.advance(limit) < limit;
  }

  /** What changed since the last flush; only the last state counts, whatever lay between. */
  flush(): HostPolicyDelta {
    const policies = this.#policies.flush();
    const { sets, members } = this.#ipSets.flush();
    return { ipSets: sets, members, policies, endpoints: this.#endpoints.flush() };
  }

  /** HostEndpoints will be one more case here, with lists of their own in the plan. */
  #applyOne(update: ResourceUpdate): void {
    switch (update.kind) {
      case 'WorkloadEndpoint':
        return this.#setWorkload(update.key, update.value);
      case 'NetworkSet':
      case 'GlobalNetworkSet': {
        const id = `${update.kind} ${qualifiedName(update.key)}`;
        if (update.value === undefined) return this.#ipSets.removeItem(id);
        return this.#ipSets.setItem(id, networkSetItem(update.key, update.value));
      }
      case 'Profile':
        return this.#setProfile(update.key.name, update.value);
      case 'NetworkPolicy':
        return this.#setPolicy(`np ${qualifiedName(update.key)}`, update.key, update.value);
      case 'GlobalNetworkPolicy':
        return this.#setPolicy(`gnp ${update.key.name}`, update.key, update.value);
      case 'Tier':
        return this.#setTier(update.key.name, update.value);
      default:
        return undefined;
    }
  }

  #setWorkload(key: ResourceKey, resource: WorkloadEndpoint | undefined): void {
    const id = qualifiedName(key);
    const itemId = `WorkloadEndpoint ${id}`;
    // An endpoint that may forge its source is refused as long as the host does not allow that: it is as if it were not there.
    const isLocal =
      resource?.spec.node === this.#hostname && (resource.spec.allowSpoofedSourcePrefixes ?? []).length === 0;
    if (!isLocal) this.#endpoints.removeEndpoint(id);
    if (resource === undefined) return this.#ipSets.removeItem(itemId);
    const item = workloadItem(key, resource);
    this.#ipSets.setItem(itemId, item);
    if (!isLocal) return undefined;
    const { spec } = resource;
    return this.#endpoints.setEndpoint({
      id,
      interfaceName: spec.interfaceName,
      mac: spec.mac,
      addresses: (spec.ipNetworks ?? []).map(canonicalPrefix).filter((prefix) => prefix !== undefined),
      labels: item.labels,
      profiles: item.parents,
    });
  }

  #setProfile(name: string, resource: Profile | undefined): void {
    const id = profilePolicyId(name);
    const labels = resource === undefined ? undefined : (resource.spec.labelsToApply ?? {});
    this.#ipSets.setParent(name, labels);
    this.#endpoints.setProfileLabels(name, labels);
    if (resource === undefined) return this.#policies.delete(id);
    const { ingress = [], egress = [] } = resource.spec;
    return this.#policies.put(id, { namespace: undefined, ingress, egress });
  }

  #setTier(name: string, resource: Tier | undefined): void {
    if (resource === undefined) return this.#endpoints.setTier(name, undefined);
    const { order = Infinity, defaultAction } = resource.spec;
    return this.#endpoints.setTier(name, { order, defaultAction: defaultAction === 'Pass' ? 'pass' : 'deny' });
  }

  #setPolicy(id: string, key: ResourceKey, resource: NetworkPolicy | GlobalNetworkPolicy | undefined): void {
    if (resource === undefined || isForHostsOnly(resource)) return this.#removePolicy(id);
    const { spec } = resource;
    const types = spec.types ?? [];
    // The model of before `types` existed: a policy that names none applies in both directions.
    const ingress = types.length === 0 || types.includes('Ingress');
    const egress = types.length === 0 || types.includes('Egress');
    const { tier = DEFAULT_TIER, order = Infinity } = spec;
    const facts = { id, tier, order, tieBreak: tieBreakOf(key), ingress, egress };
    if (!this.#scopePolicy(facts, scopeOf(key, resource))) return undefined;
    this.#policies.put(id, {
      namespace: key.namespace,
      ingress: ingress ? (spec.ingress ?? []) : [],
      egress: egress ? (spec.egress ?? []) : [],
    });
    return this.#pin(id, (spec.performanceHints ?? []).includes('AssumeNeededOnEveryNode'));
  }

  /** @returns false for a selector that cannot be read: whom it means nobody knows, so the policy counts as absent */
  #scopePolicy(facts: OrderedPolicy, scope: PolicyScope): boolean {
    const { id } = facts;
    const before = this.#scopes.get(id);
    if (before !== undefined && sameScope(before, scope)) {
      this.#endpoints.setPolicy(facts, undefined);
      return true;
    }
    try {
      this.#endpoints.setPolicy(facts, policySelector(scope));
    } catch (error) {
      if (!(error instanceof CalicoError)) throw error;
      this.#removePolicy(id);
      this.#unreadable.set(id, [error.message]);
      return false;
    }
    this.#scopes.set(id, scope);
    this.#unreadable.delete(id);
    return true;
  }

  #removePolicy(id: string): void {
    this.#endpoints.removePolicy(id);
    this.#policies.delete(id);
    this.#scopes.delete(id);
    this.#unreadable.delete(id);
    this.#pin(id, false);
  }

  #pin(id: string, isNeeded: boolean): void {
    if (this.#neededEverywhere.has(id) === isNeeded) return;
    if (isNeeded) {
      this.#neededEverywhere.add(id);
      this.#policies.retain(id);
    } else {
      this.#neededEverywhere.delete(id);
      this.#policies.release(id);
    }
  }
}

/** `shop/web`, or the name alone for kinds without namespace. */
function qualifiedName(key: ResourceKey): string {
  return key.namespace === undefined ? key.name : `${key.namespace}/${key.name}`;
}

function tieBreakOf(key: ResourceKey): string {
  return `${key.name}/${key.namespace ?? ''}/${key.kind}`;
}

/** Untracked and pre-DNAT policies have lists of their own, which only host endpoints have. */
function isForHostsOnly({ spec }: NetworkPolicy | GlobalNetworkPolicy): boolean {
  return ('doNotTrack' in spec && spec.doNotTrack === true) || ('preDNAT' in spec && spec.preDNAT === true);
}

function scopeOf(key: ResourceKey, { spec }: NetworkPolicy | GlobalNetworkPolicy): PolicyScope {
  return {
    namespace: key.namespace,
    selector: spec.selector,
    namespaceSelector: 'namespaceSelector' in spec ? spec.namespaceSelector : undefined,
    serviceAccountSelector: spec.serviceAccountSelector,
  };
}

function sameScope(a: PolicyScope, b: PolicyScope): boolean {
  return (
    a.selector === b.selector &&
    a.namespaceSelector === b.namespaceSelector &&
    a.serviceAccountSelector === b.serviceAccountSelector
  );
}
