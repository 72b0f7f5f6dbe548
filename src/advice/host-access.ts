import { describeKey } from '../api/keys.js';
import { felixParameters } from '../api/felix-parameters.js';
import type { ResourceKey } from '../api/resource-update.js';
import { type Advice, someOf } from './advice.js';
import { type Cluster, type Fact, isPolicy } from './cluster.js';
import { endpointsTouched } from './dns.js';
import { EndpointPlans, planId } from './endpoint-plans.js';
import { canReach, type Effort, type Reach, type Way } from './reach.js';

type HostKey = ResourceKey<'HostEndpoint'>;

/** What a host must not lose, and the ways of which one is enough. */
interface Access {
  readonly name: string;
  readonly ways: readonly Way[];
}

const TCP = 6;
const tcp = (direction: Way['direction'], port: number): Way => ({ direction, protocols: [TCP], port });

const ACCESSES: readonly Access[] = [
  { name: 'SSH (TCP port 22, in)', ways: [tcp('ingress', 22)] },
  { name: 'etcd (TCP port 2379, out)', ways: [tcp('egress', 2379)] },
  // Either end may call the other.
  { name: 'BGP (TCP port 179, in and out)', ways: [tcp('ingress', 179), tcp('egress', 179)] },
];

/** Packets to judge on each side of the change. */
const EFFORT = 10_000;

function isFailsafe(cluster: Cluster, node: string, { direction, port }: Way): boolean {
  const field = direction === 'ingress' ? 'failsafeInboundHostPorts' : 'failsafeOutboundHostPorts';
  const parameter = felixParameters[field];
  const settings = [`node.${node}`, 'default'].map((name) => {
    const written = cluster.valueOf({ kind: 'FelixConfiguration', name })?.spec[field];
    return written === undefined ? undefined : parameter.form.parseField(written);
  });
  const ports = settings.find((setting) => setting !== undefined) ?? parameter.default;
  return ports.some((open) => open.protocol === 'tcp' && open.port === port);
}

/** What there is of each access, in their order. A host without endpoint is not filtered. */
function reachesOf(cluster: Cluster, plans: EndpointPlans, key: HostKey): readonly Reach[] {
  const effort: Effort = { left: EFFORT };
  const host = cluster.valueOf(key);
  const reach = (way: Way): Reach =>
    host === undefined || isFailsafe(cluster, host.spec.node, way)
      ? 'yes'
      : canReach(plans.policy, planId(key), way, effort);
  return ACCESSES.map(({ ways }) => {
    const reaches = ways.map(reach);
    if (reaches.includes('yes')) return 'yes';
    return reaches.includes('unknown') ? 'unknown' : 'no';
  });
}

function hostsTouched(before: Cluster, changes: readonly Fact[], after: Cluster): readonly HostKey[] {
  const hosts = new Map<string, HostKey>();
  const all = changes.some(({ kind }) => kind === 'FelixConfiguration') ? [...after.facts] : changes;
  for (const { key } of all) if (key.kind === 'HostEndpoint') hosts.set(key.name, { ...key, kind: 'HostEndpoint' });
  const globals = changes.filter(isPolicy).filter(({ kind }) => kind === 'GlobalNetworkPolicy');
  for (const { key } of endpointsTouched(globals, before, after)) {
    if (key.kind === 'HostEndpoint') hosts.set(key.name, { ...key, kind: 'HostEndpoint' });
  }
  return [...hosts.values()].filter((key) => after.valueOf(key) !== undefined);
}

/** Hosts that would lose what they are reached or kept by: SSH, etcd, BGP. Failsafe ports are never lost. */
export function hostAccessAdvice(before: Cluster, changes: readonly Fact[], after: Cluster): readonly Advice[] {
  const hosts = hostsTouched(before, changes, after);
  if (hosts.length === 0) return [];
  const plans = new EndpointPlans(before.facts, hosts);
  const had = new Map(hosts.map((key) => [key.name, reachesOf(before, plans, key)]));
  plans.change(changes);
  const losers = new Map<string, string[]>();
  for (const key of hosts) {
    const has = reachesOf(after, plans, key);
    for (const [index, { name }] of ACCESSES.entries()) {
      const isLost = had.get(key.name)?.[index] === 'yes' && has[index] === 'no';
      if (isLost) losers.set(name, [...(losers.get(name) ?? []), after.valueOf(key)?.spec.node ?? '']);
    }
  }
  const [only] = changes;
  const subject = changes.length === 1 && only !== undefined ? describeKey(only.key) : undefined;
  return [...losers].map(([access, nodes]) => ({
    type: 'host-access',
    subject,
    message: `it cuts ${access} of ${nodes.length === 1 ? 'host' : `${nodes.length} hosts:`} ${someOf(nodes)}: no rule lets it through, and it is no failsafe port`,
    hint: 'allow it in a policy of these hosts first, or leave it in FelixConfiguration failsafeInboundHostPorts and failsafeOutboundHostPorts',
  }));
}
