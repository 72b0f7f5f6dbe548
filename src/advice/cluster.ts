import { formatKeyPath } from '../api/keys.js';
import type { ResourceByKind } from '../api/registry.js';
import type { ResourceKey, ResourceUpdate } from '../api/resource-update.js';
import { networkSetItem, workloadItem } from '../policy/cluster-items.js';
import { LabelIndex, type LabelRecord } from '../policy/label-index.js';
import type { Selector } from '../selector/ast.js';
import type { PolicyScope } from '../selector/translate.js';

/** The kinds that advice looks at. */
export const ADVICE_KINDS = [
  'Tier',
  'Profile',
  'NetworkPolicy',
  'GlobalNetworkPolicy',
  'WorkloadEndpoint',
  'HostEndpoint',
  'NetworkSet',
  'GlobalNetworkSet',
  'FelixConfiguration',
] as const;

export type AdviceKind = (typeof ADVICE_KINDS)[number];

/** One object as it is or is to be; without value: deleted. */
export type Fact<K extends AdviceKind = AdviceKind> = ResourceUpdate<K>;

export type PolicyKind = 'NetworkPolicy' | 'GlobalNetworkPolicy';
export type PolicyFact = Fact<PolicyKind>;
export type EndpointKind = 'WorkloadEndpoint' | 'HostEndpoint';

/** Something that policies apply to. */
export interface Endpoint {
  readonly key: ResourceKey<EndpointKind>;
  readonly labels: LabelRecord;
  readonly profiles: readonly string[];
}

export function isPolicy(fact: Fact): fact is PolicyFact {
  return fact.kind === 'NetworkPolicy' || fact.kind === 'GlobalNetworkPolicy';
}

/** To whom a policy applies. */
export function scopeOf({ key, value }: PolicyFact): PolicyScope {
  const spec = value?.spec;
  return {
    namespace: key.namespace,
    selector: spec?.selector,
    namespaceSelector: spec !== undefined && 'namespaceSelector' in spec ? spec.namespaceSelector : undefined,
    serviceAccountSelector: spec?.serviceAccountSelector,
  };
}

/** What decides which endpoints a selector matches. */
const LABELLED: readonly AdviceKind[] = ['WorkloadEndpoint', 'HostEndpoint', 'Profile'];

/** What is stored, or would be. */
export class Cluster {
  readonly #facts: ReadonlyMap<string, Fact>;
  readonly #endpoints: { index?: LabelIndex<Endpoint[], Endpoint> };

  /** @param like one with the same endpoints, whose index will do */
  constructor(facts: Iterable<Fact>, like?: Cluster) {
    this.#facts = new Map([...facts].map((fact) => [formatKeyPath(fact.key), fact]));
    this.#endpoints = like === undefined ? {} : like.#endpoints;
  }

  /** The same after a change. */
  with(changes: readonly Fact[]): Cluster {
    const facts = new Map(this.#facts);
    for (const fact of changes) {
      const path = formatKeyPath(fact.key);
      if (fact.value === undefined) facts.delete(path);
      else facts.set(path, fact);
    }
    // Endpoints are put in order once where policies alone change.
    const isSame = !changes.some(({ kind }) => LABELLED.includes(kind));
    return isSame ? new Cluster(facts.values(), this) : new Cluster(facts.values());
  }

  get facts(): Iterable<Fact> {
    return this.#facts.values();
  }

  valueOf<K extends AdviceKind>(key: ResourceKey<K>): ResourceByKind[K] | undefined {
    // The key says which kind lies there, which the compiler cannot follow.
    return this.#facts.get(formatKeyPath(key))?.value as ResourceByKind[K] | undefined;
  }

  /** Every endpoint that the selector matches, its own labels and those of its profiles counted. */
  endpointsSelectedBy(selector: Selector): readonly Endpoint[] {
    const index = (this.#endpoints.index ??= this.#indexed());
    const found: Endpoint[] = [];
    index.addSelector('asked', selector, found);
    index.advance(Infinity);
    index.removeSelector('asked');
    return found;
  }

  /** The values of every label that something which selectors can match has. */
  labels(): ReadonlyMap<string, ReadonlySet<string>> {
    const values = new Map<string, Set<string>>();
    const add = (labels: LabelRecord): void => {
      for (const [label, value] of Object.entries(labels)) {
        const known = values.get(label);
        if (known === undefined) values.set(label, new Set([value]));
        else known.add(value);
      }
    };
    for (const fact of this.facts) {
      if (fact.kind === 'Profile') add(fact.value?.spec.labelsToApply ?? {});
      else add(endpointOf(fact)?.labels ?? setLabels(fact));
    }
    return values;
  }

  #indexed(): LabelIndex<Endpoint[], Endpoint> {
    const index = new LabelIndex<Endpoint[], Endpoint>({
      started: (found, endpoint) => found.push(endpoint),
      stopped: () => undefined,
      changed: () => undefined,
    });
    for (const [path, fact] of this.#facts) {
      if (fact.kind === 'Profile') index.setParent(fact.key.name, fact.value?.spec.labelsToApply ?? {});
      const endpoint = endpointOf(fact);
      if (endpoint !== undefined) index.setItem(path, endpoint.labels, endpoint.profiles, endpoint);
    }
    return index;
  }
}

/** The endpoint that a fact is of, with the labels that policy gives it. */
export function endpointOf(fact: Fact): Endpoint | undefined {
  if (fact.kind === 'WorkloadEndpoint' && fact.value !== undefined) {
    const { labels, parents } = workloadItem(fact.key, fact.value);
    return { key: fact.key, labels, profiles: parents };
  }
  if (fact.kind === 'HostEndpoint' && fact.value !== undefined) {
    const { metadata, spec } = fact.value;
    return { key: fact.key, labels: metadata.labels ?? {}, profiles: spec.profiles ?? [] };
  }
  return undefined;
}

function setLabels(fact: Fact): LabelRecord {
  const isSet = fact.kind === 'NetworkSet' || fact.kind === 'GlobalNetworkSet';
  return isSet && fact.value !== undefined ? networkSetItem(fact.key, fact.value).labels : {};
}
