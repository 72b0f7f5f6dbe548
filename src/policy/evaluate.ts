import { type Address, addressBits, formatAddress, parseAddress } from '../net/address.js';
import { addressInPrefix, formatPrefix, maskAddress, parsePrefix } from '../net/prefix.js';
import type { HostPolicy, IcmpMatch, IpSetPlan, MatchPlan, PortRange, RulePlan, TierPlan } from '../plan/host-plan.js';

export type Direction = 'ingress' | 'egress';

/** The first packet of a flow. Ports only where the protocol has them, type and code only for ICMP. */
export interface Packet {
  /** Any form of the address. */
  readonly source: string;
  readonly destination: string;
  /** IANA number. */
  readonly protocol: number;
  readonly sourcePort?: number;
  readonly destinationPort?: number;
  readonly icmp?: { readonly type: number; readonly code: number };
}

/** A rule that matched on the way. */
export interface Step {
  readonly policyId: string;
  /** Absent for profiles. */
  readonly tier?: string;
  readonly rule: RulePlan;
}

export type Reason =
  | { readonly type: 'rule'; readonly step: Step }
  | { readonly type: 'end-of-tier'; readonly tier: string }
  | { readonly type: 'no-profile-matched' }
  | { readonly type: 'no-such-endpoint' };

export interface Verdict {
  readonly action: 'allow' | 'deny';
  readonly reason: Reason;
  /** Every rule that matched, in order: Log and Pass, and the one that decided. */
  readonly trail: readonly Step[];
}

interface Side {
  readonly address: Address;
  readonly port: number | undefined;
}

interface ParsedPacket {
  readonly source: Side;
  readonly destination: Side;
  readonly protocol: number;
  readonly icmp: Packet['icmp'];
}

const PORT_PROTOCOL_NAMES = new Map([
  [6, 'tcp'],
  [17, 'udp'],
  [132, 'sctp'],
]);

/** Looks up the address and everything it lies in, longest first: exact for overlapping members too. */
function isInNetSet(set: IpSetPlan | undefined, address: Address): boolean {
  if (set === undefined) return false;
  for (let length: number = addressBits(address.family); length >= 0; length -= 1) {
    if (set.members.has(formatPrefix({ address: maskAddress(address, length), length }))) return true;
  }
  return false;
}

/** Matches one side of a rule against one side of a packet. */
class SideMatcher {
  readonly #policy: HostPolicy;
  readonly #side: Side;
  readonly #protocol: number;

  constructor(policy: HostPolicy, side: Side, protocol: number) {
    this.#policy = policy;
    this.#side = side;
    this.#protocol = protocol;
  }

  matches(match: MatchPlan): boolean {
    const { nets, notNets, sets, notSets } = match;
    return (
      (nets.length === 0 || nets.some((net) => this.#isIn(net))) &&
      !notNets.some((net) => this.#isIn(net)) &&
      sets.every((id) => this.#isMember(id)) &&
      !notSets.some((id) => this.#isMember(id)) &&
      this.#matchesPorts(match)
    );
  }

  #matchesPorts({ ports, portSets, notPorts, notPortSets }: MatchPlan): boolean {
    const isAsked = ports.length + portSets.length > 0;
    if (isAsked && !this.#isInRange(ports) && !this.#isInPortSet(portSets)) return false;
    return !this.#isInRange(notPorts) && !this.#isInPortSet(notPortSets);
  }

  #isIn(net: string): boolean {
    return addressInPrefix(this.#side.address, parsePrefix(net));
  }

  #isMember(id: string): boolean {
    return isInNetSet(this.#policy.ipSets.get(id), this.#side.address);
  }

  #isInRange(ranges: readonly PortRange[]): boolean {
    const { port } = this.#side;
    return port !== undefined && ranges.some(({ first, last }) => first <= port && port <= last);
  }

  #isInPortSet(ids: readonly string[]): boolean {
    const protocol = PORT_PROTOCOL_NAMES.get(this.#protocol);
    const { address, port } = this.#side;
    if (protocol === undefined || port === undefined) return false;
    const member = `${formatAddress(address)},${protocol}:${port}`;
    return ids.some((id) => this.#policy.ipSets.get(id)?.members.has(member) === true);
  }
}

function matchesIcmp(wanted: IcmpMatch, icmp: Packet['icmp']): boolean {
  return icmp !== undefined && icmp.type === wanted.type && (wanted.code === undefined || icmp.code === wanted.code);
}

function matchesRule(policy: HostPolicy, rule: RulePlan, packet: ParsedPacket): boolean {
  const { source, destination, protocol, icmp } = packet;
  if (!rule.families.includes(source.address.family)) return false;
  if (rule.protocol !== undefined && rule.protocol !== protocol) return false;
  if (rule.notProtocol === protocol) return false;
  if (rule.icmp !== undefined && !matchesIcmp(rule.icmp, icmp)) return false;
  if (rule.notIcmp !== undefined && matchesIcmp(rule.notIcmp, icmp)) return false;
  return (
    new SideMatcher(policy, source, protocol).matches(rule.source) &&
    new SideMatcher(policy, destination, protocol).matches(rule.destination)
  );
}

/** Walks policies for one packet and remembers what matched. */
class Walk {
  readonly trail: Step[] = [];
  readonly #policy: HostPolicy;
  readonly #direction: Direction;
  readonly #packet: ParsedPacket;

  constructor(policy: HostPolicy, direction: Direction, packet: Packet) {
    const { protocol, icmp, sourcePort, destinationPort } = packet;
    const source = { address: parseAddress(packet.source), port: sourcePort };
    const destination = { address: parseAddress(packet.destination), port: destinationPort };
    this.#policy = policy;
    this.#direction = direction;
    this.#packet = { source, destination, protocol, icmp };
  }

  /** The first rule of these policies that decides; Log rules are only remembered. */
  first(policyIds: readonly string[], tier?: string): Step | undefined {
    for (const policyId of policyIds) {
      for (const rule of this.#policy.policies.get(policyId)?.[this.#direction] ?? []) {
        if (!matchesRule(this.#policy, rule, this.#packet)) continue;
        const step: Step = { policyId, rule, ...(tier === undefined ? {} : { tier }) };
        this.trail.push(step);
        if (rule.action !== 'log') return step;
      }
    }
    return undefined;
  }

  /** Undefined: the tier has nothing to say, the next one decides. */
  tier(tier: TierPlan): Verdict | undefined {
    const policyIds = tier[this.#direction];
    if (policyIds.length === 0) return undefined;
    const step = this.first(policyIds, tier.name);
    if (step !== undefined) return this.decided(step);
    if (tier.defaultAction === 'pass') return undefined;
    return { action: 'deny', reason: { type: 'end-of-tier', tier: tier.name }, trail: this.trail };
  }

  /** Undefined for a Pass. */
  decided(step: Step): Verdict | undefined {
    const { action } = step.rule;
    if (action !== 'allow' && action !== 'deny') return undefined;
    return { action, reason: { type: 'rule', step }, trail: this.trail };
  }
}

/**
 * Says what policy does with the first packet of a flow at one endpoint, and why: tiers in order, then profiles, then no.
 *
 * This is the definition of what a plan means; the kernel's rules are tested against it. Slow (it looks at every rule): for questions
 * and tests.
 *
 * @param endpointId `<namespace>/<name>`
 * @param direction as the endpoint sees it: ingress is what comes to it
 * @throws {CalicoError} for an address that is none
 */
export function evaluatePacket(policy: HostPolicy, endpointId: string, direction: Direction, packet: Packet): Verdict {
  const walk = new Walk(policy, direction, packet);
  const endpoint = policy.endpoints.get(endpointId);
  if (endpoint === undefined) return { action: 'deny', reason: { type: 'no-such-endpoint' }, trail: [] };
  for (const tier of endpoint.tiers) {
    const verdict = walk.tier(tier);
    if (verdict !== undefined) return verdict;
  }
  // A Pass means nothing in a profile: there is no tier to pass on from, so the next profile decides.
  for (const profile of endpoint.profiles) {
    const step = walk.first([profile]);
    const verdict = step && walk.decided(step);
    if (verdict !== undefined) return verdict;
  }
  return { action: 'deny', reason: { type: 'no-profile-matched' }, trail: walk.trail };
}

/** One line: `allow: np shop/web rule 2`, `deny: end of tier default`. */
export function printVerdict({ action, reason }: Verdict): string {
  switch (reason.type) {
    case 'rule':
      return `${action}: ${reason.step.policyId} rule ${reason.step.rule.index}`;
    case 'end-of-tier':
      return `${action}: end of tier ${reason.tier}`;
    case 'no-profile-matched':
      return `${action}: no profile matched`;
    case 'no-such-endpoint':
      return `${action}: no such endpoint`;
  }
}
