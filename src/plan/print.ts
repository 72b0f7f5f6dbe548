import type {
  EndpointPlan,
  HostPolicy,
  HostPolicyDelta,
  HostRouting,
  MatchPlan,
  PolicyPlan,
  PortRange,
  RulePlan,
} from './host-plan.js';

/** Turns a set's id into what people read, e.g. its selector in braces. */
export type SetNamer = (id: string) => string;

const PROTOCOLS = new Map([
  [1, 'icmp'],
  [6, 'tcp'],
  [17, 'udp'],
  [58, 'icmpv6'],
  [132, 'sctp'],
  [136, 'udplite'],
]);

function protocolName(protocol: number): string {
  return PROTOCOLS.get(protocol) ?? `proto ${protocol}`;
}

function portRange({ first, last }: PortRange): string {
  return first === last ? String(first) : `${first}-${last}`;
}

function matchWords(match: MatchPlan, nameOfSet: SetNamer): string[] {
  const words: string[] = [];
  const ports = [...match.ports.map(portRange), ...match.portSets.map(nameOfSet)];
  const notPorts = [...match.notPorts.map(portRange), ...match.notPortSets.map(nameOfSet)];
  if (match.nets.length > 0) words.push(match.nets.join('|'));
  if (match.notNets.length > 0) words.push(`not ${match.notNets.join('|')}`);
  words.push(...match.sets.map(nameOfSet), ...match.notSets.map((id) => `not ${nameOfSet(id)}`));
  if (ports.length > 0) words.push(`port ${ports.join('|')}`);
  if (notPorts.length > 0) words.push(`not port ${notPorts.join('|')}`);
  return words;
}

function icmpText(icmp: { readonly type: number; readonly code?: number }): string {
  return icmp.code === undefined ? `type ${icmp.type}` : `type ${icmp.type} code ${icmp.code}`;
}

/** One rule on one line: `2 allow v4 tcp from {role == "web"} to port 80|443`. */
export function printRule(rule: RulePlan, nameOfSet: SetNamer = (id) => id): string {
  const words = [String(rule.index), rule.action];
  if (rule.families.length === 1) words.push(`v${rule.families[0] ?? ''}`);
  if (rule.protocol !== undefined) words.push(protocolName(rule.protocol));
  if (rule.notProtocol !== undefined) words.push(`not ${protocolName(rule.notProtocol)}`);
  if (rule.icmp !== undefined) words.push(icmpText(rule.icmp));
  if (rule.notIcmp !== undefined) words.push(`not ${icmpText(rule.notIcmp)}`);
  const source = matchWords(rule.source, nameOfSet);
  const destination = matchWords(rule.destination, nameOfSet);
  if (source.length > 0) words.push('from', ...source);
  if (destination.length > 0) words.push('to', ...destination);
  return words.join(' ');
}

function printPolicy(policy: PolicyPlan, nameOfSet: SetNamer): string[] {
  const direction = (name: string, rules: readonly RulePlan[]): string[] =>
    rules.map((rule) => `  ${name} ${printRule(rule, nameOfSet)}`);
  return [`policy ${policy.id}`, ...direction('ingress', policy.ingress), ...direction('egress', policy.egress)];
}

function printEndpoint(endpoint: EndpointPlan): string[] {
  const facts = [endpoint.interfaceName, ...(endpoint.mac === undefined ? [] : [endpoint.mac]), ...endpoint.addresses];
  const tiers = endpoint.tiers.flatMap((tier) => {
    const line = (direction: string, ids: readonly string[]): string[] =>
      ids.length === 0 ? [] : [`  ${direction} tier ${tier.name}: ${ids.join(', ')}; else ${tier.defaultAction}`];
    return [...line('ingress', tier.ingress), ...line('egress', tier.egress)];
  });
  return [
    `endpoint ${endpoint.id} ${facts.join(' ')}`,
    ...tiers,
    `  profiles: ${endpoint.profiles.join(', ') || 'none'}`,
  ];
}

function sorted<V>(map: ReadonlyMap<string, V>): V[] {
  return [...map].toSorted(([a], [b]) => (a < b ? -1 : 1)).map(([, value]) => value);
}

function printSet(name: string, members: Iterable<string>): string[] {
  return [`set ${name}`, ...[...members].toSorted().map((member) => `  ${member}`)];
}

/** Names sets by their description in braces, as found in the plan. */
export function setNamer(policy: HostPolicy): SetNamer {
  return (id) => {
    const plan = policy.ipSets.get(id);
    return plan === undefined ? id : `{${plan.description}}`;
  };
}

/** The whole policy plan as sorted text: for tests, differences and people. */
export function printHostPolicy(policy: HostPolicy): string {
  const nameOfSet = setNamer(policy);
  const sets = [...policy.ipSets.values()].toSorted((a, b) => (a.description < b.description ? -1 : 1));
  return [
    ...sets.flatMap((set) => printSet(nameOfSet(set.id), set.members)),
    ...sorted(policy.policies).flatMap((plan) => printPolicy(plan, nameOfSet)),
    ...sorted(policy.endpoints).flatMap(printEndpoint),
  ].join('\n');
}

/** A delta as sorted text: `+` before what is new or changed, `-` before what is gone. */
export function printHostPolicyDelta(delta: HostPolicyDelta, nameOfSet: SetNamer): string {
  const plus = (lines: readonly string[]): string[] => lines.map((line, i) => (i === 0 ? `+ ${line}` : `  ${line}`));
  const names = (ids: Iterable<string>): string[] => [...ids].map(nameOfSet).toSorted();
  const idsByName = new Map([...delta.ipSets.set.keys(), ...delta.members.keys()].map((id) => [nameOfSet(id), id]));
  const lines: string[] = [];
  for (const [name, id] of [...idsByName].toSorted(([a], [b]) => (a < b ? -1 : 1))) {
    const whole = delta.ipSets.set.get(id);
    if (whole !== undefined) lines.push(...plus(printSet(name, whole.members)));
    const change = delta.members.get(id);
    if (change === undefined) continue;
    lines.push(`set ${name}`);
    lines.push(...change.removed.toSorted().map((member) => `  - ${member}`));
    lines.push(...change.added.toSorted().map((member) => `  + ${member}`));
  }
  lines.push(...sorted(delta.policies.set).flatMap((plan) => plus(printPolicy(plan, nameOfSet))));
  lines.push(...sorted(delta.endpoints.set).flatMap((plan) => plus(printEndpoint(plan))));
  lines.push(...[...delta.endpoints.removed].toSorted().map((id) => `- endpoint ${id}`));
  lines.push(...[...delta.policies.removed].toSorted().map((id) => `- policy ${id}`));
  lines.push(...names(delta.ipSets.removed).map((name) => `- set ${name}`));
  return lines.length === 0 ? 'nothing' : lines.join('\n');
}

/** The whole routing plan as sorted text. */
export function printHostRouting(routing: HostRouting): string {
  const routes = sorted(routing.routes).map((route) => {
    const via = route.gateway === undefined ? '' : ` via ${route.gateway}`;
    const device = route.device === undefined ? '' : ` dev ${route.device}`;
    const facts = `scope ${route.scope} proto ${route.protocol} metric ${route.metric}`;
    return `route ${route.type} ${route.destination}${via}${device} ${facts}`;
  });
  const neighbours = sorted(routing.neighbours).map(
    ({ address, device, mac }) => `neighbour ${address} dev ${device} ${mac}`,
  );
  const masqueraded = routing.nat.masqueradedPools.map((pool) => `masquerade ${pool}`);
  const spared = routing.nat.allPools.map((pool) => `never masquerade to ${pool}`);
  return [...routes, ...neighbours, ...masqueraded, ...spared].join('\n');
}
