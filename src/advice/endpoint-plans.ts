import type { ResourceKey, ResourceUpdate } from '../api/resource-update.js';
import type { HostPolicy } from '../plan/host-plan.js';
import { PolicyMachine } from '../policy/machine.js';
import type { EndpointKind, Fact } from './cluster.js';

const HERE = 'here';
const ELSEWHERE = 'elsewhere';

/** As {@link EndpointPlans} names an endpoint. */
export function planId({ kind, namespace, name }: ResourceKey<EndpointKind>): string {
  return kind === 'HostEndpoint' ? `HostEndpoint ${name}` : `${namespace ?? ''}/${name}`;
}

/**
 * What applies to some endpoints, wherever they are: a policy machine that takes them all for its own host's.
 *
 * Host endpoints stand in it as workloads without namespace, so global policies alone select them; of those, the ones of the normal stage
 * (neither untracked nor pre-DNAT).
 */
export class EndpointPlans {
  readonly #machine = new PolicyMachine({ hostname: HERE });
  /** By plan id, an interface of its own. */
  readonly #interfaces: ReadonlyMap<string, string>;

  /** @param chosen of whom there are plans; of the others only addresses and labels count */
  constructor(facts: Iterable<Fact>, chosen: Iterable<ResourceKey<EndpointKind>>) {
    const ids = new Set([...chosen].map(planId));
    this.#interfaces = new Map([...ids].map((id, number) => [id, `i${number}`]));
    this.change(facts);
  }

  /** Brings the plans up to date with what changed. */
  change(facts: Iterable<Fact>): void {
    this.#machine.apply([...facts].map((fact) => this.#updateOf(fact)));
    this.#machine.flush();
  }

  /** A live view: it changes with {@link change}. Endpoints by {@link planId}. */
  get policy(): HostPolicy {
    return this.#machine.state;
  }

  #updateOf(fact: Fact): ResourceUpdate {
    if (fact.kind === 'HostEndpoint') return this.#hostUpdate(fact);
    if (fact.kind !== 'WorkloadEndpoint' || fact.value === undefined) return fact;
    const { allowSpoofedSourcePrefixes: _, ...spec } = fact.value.spec;
    return { ...fact, value: { ...fact.value, spec: { ...spec, ...this.#placeOf(fact.key) } } };
  }

  #hostUpdate({ key, value, revision }: Fact<'HostEndpoint'>): ResourceUpdate {
    const standIn = { kind: 'WorkloadEndpoint', name: planId(key) } as const;
    const common = { kind: 'WorkloadEndpoint', key: standIn, revision } as const;
    if (value === undefined) return { ...common, value };
    const { expectedIPs = [], profiles = [] } = value.spec;
    const spec = { orchestrator: '', ipNetworks: expectedIPs, profiles, ...this.#placeOf(key) };
    return { ...common, value: { ...value, kind: 'WorkloadEndpoint', spec } };
  }

  #placeOf(key: ResourceKey<EndpointKind>): { readonly node: string; readonly interfaceName: string } {
    const interfaceName = this.#interfaces.get(planId(key));
    return interfaceName === undefined ? { node: ELSEWHERE, interfaceName: 'i' } : { node: HERE, interfaceName };
  }
}
