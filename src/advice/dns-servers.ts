import { describeKey } from '../api/keys.js';
import type { ResourceKey } from '../api/resource-update.js';
import { type Advice, someOf } from './advice.js';
import { type Cluster, type Fact, isPolicy } from './cluster.js';
import { endpointsTouched, isFor, versionsOf } from './dns.js';
import { EndpointPlans, planId } from './endpoint-plans.js';
import { canReach, type Effort, type Way } from './reach.js';

type WorkloadKey = ResourceKey<'WorkloadEndpoint'>;

const DNS_PORT = 53;
const ASKED: Way = { direction: 'ingress', protocols: [17, 6], port: DNS_PORT };
/** Packets to judge on each side of the change. */
const EFFORT = 10_000;

/** Workloads that say they serve DNS. */
function serversOf(cluster: Cluster): ReadonlyMap<string, WorkloadKey> {
  const servers = new Map<string, WorkloadKey>();
  for (const fact of cluster.facts) {
    if (fact.kind !== 'WorkloadEndpoint') continue;
    if (fact.value?.spec.ports?.some(({ port }) => port === DNS_PORT) === true) servers.set(planId(fact.key), fact.key);
  }
  return servers;
}

function answering(plans: EndpointPlans, ids: readonly string[], isAnswer: 'yes' | 'no'): ReadonlySet<string> {
  const effort: Effort = { left: EFFORT };
  return new Set(ids.filter((id) => canReach(plans.policy, id, ASKED, effort) === isAnswer));
}

/** DNS servers among the workloads that somebody could ask before the change, and nobody can after it. */
export function dnsServerAdvice(before: Cluster, changes: readonly Fact[], after: Cluster): readonly Advice[] {
  const policies = changes
    .filter(isPolicy)
    .filter((change) => versionsOf(change, before).some((version) => isFor('Ingress', version)));
  const servers = serversOf(before);
  if (policies.length === 0 || servers.size === 0) return [];
  const ids = endpointsTouched(policies, before, after)
    .map(({ key }) => planId(key))
    .filter((id) => servers.has(id));
  if (ids.length === 0) return [];
  const plans = new EndpointPlans(before.facts, servers.values());
  const answered = answering(plans, ids, 'yes');
  plans.change(changes);
  const silent = answering(plans, ids, 'no');
  const closed = ids.filter((id) => answered.has(id) && silent.has(id));
  if (closed.length === 0) return [];
  const [only] = policies;
  return [
    {
      type: 'dns',
      subject: policies.length === 1 && only !== undefined ? describeKey(only.key) : undefined,
      message: `it closes ${closed.length === 1 ? 'a DNS server' : `${closed.length} DNS servers`}: nothing lets anybody reach port 53 there any more (${someOf(closed)})`,
      hint: 'add an ingress rule for it: {action: Allow, protocol: UDP, destination: {ports: [53]}}',
    },
  ];
}
