import { describeKey, formatKeyPath } from '../api/keys.js';
import type { ResourceKey } from '../api/resource-update.js';
import type { EndpointPlan, HostPolicy } from '../plan/host-plan.js';
import { policySelector } from '../selector/translate.js';
import { type Advice, someOf } from './advice.js';
import { type Cluster, type Endpoint, type Fact, isPolicy, type PolicyFact, scopeOf } from './cluster.js';
import { EndpointPlans, planId } from './endpoint-plans.js';
import { asksForAddress, canReach, type Effort, type Reach, rulesOn, type Way } from './reach.js';

const DNS: Way = { direction: 'egress', protocols: [17, 6], port: 53 };
/** Packets to judge on each side of the change; about a tenth of a second. */
const EFFORT = 10_000;

/** Before types were there, a policy without them was for both directions. */
export function isFor(direction: 'Ingress' | 'Egress', { value }: PolicyFact): boolean {
  const types = value?.spec.types ?? [];
  return value !== undefined && (types.length === 0 || types.includes(direction));
}

/** A policy that changes, as it was and as it will be, where it was and will be. */
export function versionsOf(change: PolicyFact, before: Cluster): readonly PolicyFact[] {
  const old = { ...change, value: before.valueOf(change.key) } as PolicyFact;
  return [old, change].filter((version) => version.value !== undefined);
}

/** The endpoints that policies apply to, as they are and as they will be. */
export function endpointsTouched(changes: readonly PolicyFact[], before: Cluster, after: Cluster): readonly Endpoint[] {
  const touched = new Map<string, Endpoint>();
  for (const change of changes) {
    for (const version of versionsOf(change, before)) {
      const selector = policySelector(scopeOf(version));
      const selected = [...before.endpointsSelectedBy(selector), ...after.endpointsSelectedBy(selector)];
      for (const endpoint of selected) touched.set(formatKeyPath(endpoint.key), endpoint);
    }
  }
  return [...touched.values()];
}

/** Endpoints to which the same rules apply fare alike, unless a rule looks at their own address. */
function groupOf(policy: HostPolicy, plan: EndpointPlan): string {
  const hangsOnAddress = rulesOn(policy, plan, DNS).some(({ source }) => asksForAddress(source));
  const tiers = plan.tiers.map(({ name, egress, defaultAction }) => [name, egress, defaultAction]);
  const families = [4, 6].map((family) => plan.addresses.some((each) => each.includes(':') === (family === 6)));
  return JSON.stringify([tiers, plan.profiles, families, hangsOnAddress ? plan.id : '']);
}

function reachOfAll(policy: HostPolicy, ids: readonly string[]): ReadonlyMap<string, Reach> {
  const effort: Effort = { left: EFFORT };
  const byGroup = new Map<string, Reach>();
  const reaches = new Map<string, Reach>();
  for (const id of ids) {
    const plan = policy.endpoints.get(id);
    const group = plan === undefined ? '' : groupOf(policy, plan);
    const reach = byGroup.get(group) ?? canReach(policy, id, DNS, effort);
    byGroup.set(group, reach);
    reaches.set(id, reach);
  }
  return reaches;
}

/** Workloads that could reach some DNS server before the change and none after it. */
export function dnsAdvice(before: Cluster, changes: readonly Fact[], after: Cluster): readonly Advice[] {
  const policies = changes
    .filter(isPolicy)
    .filter((change) => versionsOf(change, before).some((version) => isFor('Egress', version)));
  if (policies.length === 0) return [];
  const touched = endpointsTouched(policies, before, after)
    .map(({ key }) => key)
    .filter((key) => key.kind === 'WorkloadEndpoint' && before.valueOf(key) !== undefined);
  if (touched.length === 0) return [];
  const plans = new EndpointPlans(before.facts, touched);
  const ids = touched.map(planId);
  const could = reachOfAll(plans.policy, ids);
  plans.change(changes);
  const can = reachOfAll(plans.policy, ids);
  const lost = ids.filter((id) => could.get(id) === 'yes' && can.get(id) === 'no');
  return lost.length === 0 ? [] : [lostDns(lost, policies)];
}

function lostDns(lost: readonly string[], policies: readonly PolicyFact[]): Advice {
  const [only] = policies;
  const key: ResourceKey | undefined = policies.length === 1 ? only?.key : undefined;
  const workloads = `${lost.length} ${lost.length === 1 ? 'workload' : 'workloads'}`;
  return {
    type: 'dns',
    subject: key === undefined ? undefined : describeKey(key),
    message: `it leaves ${workloads} without DNS: nothing lets them reach port 53 any more (${someOf(lost)})`,
    hint: 'add an egress rule for it: {action: Allow, protocol: UDP, destination: {ports: [53]}}',
  };
}
