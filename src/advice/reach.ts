import { type Address, type Family, formatAddress } from '../net/address.js';
import { networkOf, parsePrefix, type Prefix } from '../net/prefix.js';
import type { EndpointPlan, HostPolicy, MatchPlan, PortRange, RulePlan } from '../plan/host-plan.js';
import { type Direction, evaluatePacket } from '../policy/evaluate.js';

/** `unknown` where too much would have to be tried, or the answer hangs on what nobody can know. */
export type Reach = 'yes' | 'no' | 'unknown';

/** Connections that begin with one of these protocols, towards one port. */
export interface Way {
  /** As the endpoint sees it. */
  readonly direction: Direction;
  /** IANA numbers, of protocols that have ports. */
  readonly protocols: readonly number[];
  /** Of the one that is called. */
  readonly port: number;
}

/** How many packets may still be judged; shared by the questions of one change. */
export interface Effort {
  left: number;
}

/** Of whoever calls; rules that look at it make the answer unknown. */
const CALLER_PORT = 40_000;
const ZERO = { 4: '0.0.0.0', 6: '::' } as const;
/** Stands for the address of an endpoint that has none; rules that look at it make the answer unknown. */
const NO_ADDRESS = { 4: '192.0.2.1', 6: '2001:db8::1' } as const;

/** Whether a rule can match on this way at all, whoever is at the other end. */
function isAbout({ protocol, notProtocol, icmp, destination }: RulePlan, { protocols, port }: Way): boolean {
  const isOfProtocol = protocols.some((each) => (protocol ?? each) === each && notProtocol !== each);
  const { ports, portSets, notPorts } = destination;
  const holds = ({ first, last }: PortRange): boolean => first <= port && port <= last;
  const isOfPort = ports.length + portSets.length === 0 || portSets.length > 0 || ports.some(holds);
  return isOfProtocol && icmp === undefined && isOfPort && !notPorts.some(holds);
}

/** Whether a rule that can match on this way matches all of it. */
function takesAll({ protocol, notProtocol, families, source, destination }: RulePlan, { protocols }: Way): boolean {
  const isOfAll = protocols.every((each) => (protocol ?? each) === each && notProtocol !== each);
  const isAnybody = !asksForAddress(source) && !asksForAddress(destination) && !asksForPort(source);
  return isOfAll && isAnybody && families.length === 2;
}

/** The rules that have a say on this way at an endpoint, its profiles' too: none that stands below one that takes everything. */
export function rulesOn(policy: HostPolicy, plan: EndpointPlan, way: Way): readonly RulePlan[] {
  const { direction } = way;
  const found: RulePlan[] = [];
  /** @returns the action of a rule that takes all that gets to it */
  const add = (ids: readonly string[]): RulePlan['action'] | undefined => {
    for (const rule of ids.flatMap((id) => policy.policies.get(id)?.[direction] ?? [])) {
      if (rule.action === 'log' || !isAbout(rule, way)) continue;
      found.push(rule);
      if (takesAll(rule, way)) return rule.action;
    }
    return undefined;
  };
  for (const tier of plan.tiers) {
    const ids = tier[direction];
    if (ids.length === 0) continue;
    const before = found.length;
    const end = add(ids);
    if (end === 'pass') continue;
    const passes = found.slice(before).some(({ action }) => action === 'pass');
    if ((end !== undefined || tier.defaultAction === 'deny') && !passes) return found;
  }
  // A Pass in a profile lets the next one decide.
  for (const profile of plan.profiles) {
    const end = add([profile]);
    if (end === 'allow' || end === 'deny') return found;
  }
  return found;
}

/** Whether a rule looks at an address of this side. */
export function asksForAddress(match: MatchPlan): boolean {
  const { nets, notNets, sets, notSets, portSets, notPortSets } = match;
  return [nets, notNets, sets, notSets, portSets, notPortSets].some((list) => list.length > 0);
}

function asksForPort({ ports, notPorts, portSets, notPortSets }: MatchPlan): boolean {
  return [ports, notPorts, portSets, notPortSets].some((list) => list.length > 0);
}

/** The first address after a prefix; undefined at the end of the space. */
function addressAfter({ address, length }: Prefix): Address | undefined {
  if (length === 0) return undefined;
  if (address.family === 4) {
    const value = address.value + 2 ** (32 - length);
    return value > 0xffffffff ? undefined : { family: 4, value };
  }
  const words: [number, number, number, number] = [...address.words];
  let carry = 2 ** (31 - ((length - 1) % 32));
  for (let i = Math.floor((length - 1) / 32); i >= 0 && carry > 0; i -= 1) {
    const sum = (words[i] ?? 0) + carry;
    words[i] = sum % 2 ** 32;
    carry = sum >= 2 ** 32 ? 1 : 0;
  }
  return carry > 0 ? undefined : { family: 6, words };
}

/**
 * Addresses at which the answer of the rules may change: where a prefix that they name begins and where it is over. Between two of them
 * all addresses fare alike, so trying these is trying all.
 */
function* turningPoints(policy: HostPolicy, matches: readonly MatchPlan[], family: Family): Generator<string> {
  yield ZERO[family];
  const seen = new Set<string>();
  for (const { nets, notNets, sets, notSets, portSets, notPortSets } of matches) {
    const members = [...sets, ...notSets, ...portSets, ...notPortSets].map(
      (id) => policy.ipSets.get(id)?.members ?? [],
    );
    for (const list of [nets, notNets, ...members]) {
      for (const member of list) {
        if (seen.has(member)) continue;
        seen.add(member);
        const prefix = networkOf(parsePrefix(member.split(',')[0] ?? member));
        if (prefix.address.family !== family) continue;
        yield formatAddress(prefix.address);
        const after = addressAfter(prefix);
        if (after !== undefined) yield formatAddress(after);
      }
    }
  }
}

/**
 * Whether policy lets any connection through on this way, from or to any address at all. The other end's own policy is not looked at.
 *
 * @param endpointId as in the policy; without such an endpoint: no
 */
export function canReach(policy: HostPolicy, endpointId: string, way: Way, effort: Effort): Reach {
  const plan = policy.endpoints.get(endpointId);
  if (plan === undefined) return 'no';
  const isEgress = way.direction === 'egress';
  const rules = rulesOn(policy, plan, way);
  if (!rules.some(({ action }) => action === 'allow')) return 'no';
  const locals = rules.map((rule) => (isEgress ? rule.source : rule.destination));
  const remotes = rules.map((rule) => (isEgress ? rule.destination : rule.source));
  const hangsOnAddress = plan.addresses.length === 0 && locals.some(asksForAddress);
  if (hangsOnAddress || rules.some(({ source }) => asksForPort(source))) return 'unknown';
  const isToldApart = locals.some(asksForAddress);
  for (const own of ownAddresses(plan, isToldApart)) {
    for (const remote of turningPoints(policy, remotes, own.includes(':') ? 6 : 4)) {
      const ends = isEgress ? { source: own, destination: remote } : { source: remote, destination: own };
      for (const protocol of way.protocols) {
        if (effort.left <= 0) return 'unknown';
        effort.left -= 1;
        const packet = { ...ends, protocol, sourcePort: CALLER_PORT, destinationPort: way.port };
        if (evaluatePacket(policy, endpointId, way.direction, packet).action === 'allow') return 'yes';
      }
    }
  }
  return 'no';
}

/** One of a family speaks for all of it, unless rules tell them apart. */
function ownAddresses({ addresses }: EndpointPlan, isToldApart: boolean): readonly string[] {
  if (addresses.length === 0) return Object.values(NO_ADDRESS);
  const own = addresses.map((address) => address.replace(/\/\d+$/, ''));
  if (isToldApart) return own;
  return [own.find((address) => !address.includes(':')), own.find((address) => address.includes(':'))].filter(
    (address) => address !== undefined,
  );
}
