import type { Family } from '../../net/address.js';
import {
  destinationAddress,
  destinationPort,
  sourceAddress,
  sourcePort,
  TRANSPORT_PROTOCOL,
} from '../../nftables/fields.js';
import {
  type Sense,
  type Statement,
  daddrIn,
  endpointIn,
  icmp,
  isFamily,
  isIn,
  isOneOf,
  protocol,
  saddrIn,
} from '../../nftables/match.js';
import type { MatchPlan, PortRange, RulePlan } from '../../plan/host-plan.js';
import { type ListSet, listSet } from './list-sets.js';
import { setVariantName } from './names.js';
import { coverOf } from './prefix-cover.js';

/** What a rule needs to know of the sets it looks into. */
export interface SetFacts {
  /** The families that have sets. */
  readonly families: readonly Family[];
  /** True while the set has prefixes of the family, which stand in a set of their own. */
  hasPrefixes(setId: string, family: Family): boolean;
}

/** Where rules find their sets, and where they leave the lists that are to become sets. */
export interface RuleSets {
  readonly facts: SetFacts;
  /** By the name of the set; filled as rules are rendered. */
  readonly lists: Map<string, ListSet>;
}

type Side = 'source' | 'destination';

/** Statements that must all match. */
type All = readonly Statement[];

/** Ways to fulfil one condition of a rule; a packet needs to match one. */
type AnyOf = readonly All[];

/**
 * The matches of a rule, one list for each kernel rule it takes. A rule of the plan becomes several where nf_tables has no "or": a
 * family each when addresses matter, a set each where a selector has hosts and prefixes, numbered ports beside named ones.
 */
export function matchesOf(rule: RulePlan, sets: RuleSets): readonly All[] {
  if (!dependsOnFamily(rule)) return [[...protocolOf(rule), ...portsOf(rule, sets)]];
  return sets.facts.families
    .filter((family) => rule.families.includes(family))
    .flatMap((family) => inFamily(rule, family, sets));
}

function dependsOnFamily(rule: RulePlan): boolean {
  if (rule.families.length === 1 || rule.icmp !== undefined || rule.notIcmp !== undefined) return true;
  return [rule.source, rule.destination].some((match) =>
    [match.nets, match.notNets, match.sets, match.notSets, match.portSets, match.notPortSets].some(
      (list) => list.length > 0,
    ),
  );
}

function inFamily(rule: RulePlan, family: Family, sets: RuleSets): readonly All[] {
  const sides = ['source', 'destination'] as const;
  const conditions = [
    ...sides.map((side) => portAlternatives(rule[side], { side, family, sets })),
    ...sides.map((side) => netAlternatives(rule[side], { side, family, sets })),
    ...sides.flatMap((side) => setAlternatives(rule[side], { side, family, sets })),
  ];
  const always = [isFamily(family), ...protocolOf(rule), ...icmpOf(rule, family)];
  const exceptions = sides.flatMap((side) => exceptionsOf(rule[side], { side, family, sets }));
  return product(conditions).map((chosen) => [...always, ...chosen, ...exceptions]);
}

/** Every choice of one alternative for each condition; none when a condition cannot be fulfilled. */
function product(conditions: readonly AnyOf[]): readonly All[] {
  let choices: readonly All[] = [[]];
  for (const alternatives of conditions) {
    choices = choices.flatMap((choice) => alternatives.map((alternative) => [...choice, ...alternative]));
  }
  return choices;
}

const PROTOCOLS_WITH_PORTS = ['tcp', 'udp', 'sctp'];

function protocolOf(rule: RulePlan): All {
  const not = rule.notProtocol === undefined ? [] : [protocol(rule.notProtocol, { not: true })];
  if (rule.protocol !== undefined) return [protocol(rule.protocol), ...not];
  const ports = [rule.source, rule.destination].some((match) => match.ports.length > 0 || match.notPorts.length > 0);
  // Without a protocol the bytes where ports lie are whatever the packet has there.
  return ports ? [isOneOf(TRANSPORT_PROTOCOL, PROTOCOLS_WITH_PORTS), ...not] : not;
}

function icmpOf(rule: RulePlan, family: Family): All {
  const positive = rule.icmp === undefined ? [] : [icmp(family, rule.icmp.type, rule.icmp.code)];
  const negative =
    rule.notIcmp === undefined ? [] : [icmp(family, rule.notIcmp.type, rule.notIcmp.code, { not: true })];
  return [...positive, ...negative];
}

/** Port ranges as an interval set takes them: ascending, those that touch or overlap as one. */
function portTexts(ranges: readonly PortRange[]): readonly string[] {
  const merged: { first: number; last: number }[] = [];
  for (const { first, last } of ranges.toSorted((a, b) => a.first - b.first)) {
    const before = merged.at(-1);
    if (before !== undefined && first <= before.last + 1) before.last = Math.max(before.last, last);
    else merged.push({ first, last });
  }
  return merged.map(({ first, last }) => (first === last ? String(first) : `${first}-${last}`));
}

/** The port is one of these: compared where one port or range says it all, else looked up in the set of the list. */
function portIn(
  ranges: readonly PortRange[],
  { side, sets }: Pick<Place, 'side' | 'sets'>,
  sense: Sense = {},
): Statement {
  const field = side === 'source' ? sourcePort() : destinationPort();
  const texts = portTexts(ranges);
  return texts.length === 1
    ? isOneOf(field, texts, sense)
    : isIn(field, nameIn(sets, listSet('inet_service', texts)), sense);
}

/** The address lies in one of these; like {@link portIn}. */
function netIn(nets: readonly string[], { side, family, sets }: Place, sense: Sense = {}): Statement {
  const field = side === 'source' ? sourceAddress(family) : destinationAddress(family);
  if (nets.length === 1) return isOneOf(field, nets, sense);
  return isIn(field, nameIn(sets, listSet(family === 4 ? 'ipv4_addr' : 'ipv6_addr', nets.toSorted())), sense);
}

function nameIn({ lists }: RuleSets, list: ListSet): string {
  const { name } = list.set;
  lists.set(name, list);
  return name;
}

/** The port conditions of a rule that needs no family: numbers only. */
function portsOf(rule: RulePlan, sets: RuleSets): All {
  return (['source', 'destination'] as const).flatMap((side) => {
    const { ports, notPorts } = rule[side];
    return [
      ...(ports.length > 0 ? [portIn(ports, { side, sets })] : []),
      ...(notPorts.length > 0 ? [portIn(notPorts, { side, sets }, { not: true })] : []),
    ];
  });
}

function portAlternatives(match: MatchPlan, place: Place): AnyOf {
  const { side, family } = place;
  if (match.ports.length === 0 && match.portSets.length === 0) return [[]];
  const numbers = match.ports.length > 0 ? [[portIn(match.ports, place)]] : [];
  const names = match.portSets.map((id) => [endpointIn(side, family, setVariantName(id, { family, form: 'ports' }))]);
  return [...numbers, ...names];
}

function ofFamily(prefixes: readonly string[], family: Family): readonly string[] {
  return prefixes.filter((prefix) => prefix.includes(':') === (family === 6));
}

function netAlternatives(match: MatchPlan, place: Place): AnyOf {
  if (match.nets.length === 0) return [[]];
  const nets = coverOf(ofFamily(match.nets, place.family));
  return nets.length === 0 ? [] : [[netIn(nets, place)]];
}

interface Place {
  readonly side: Side;
  readonly family: Family;
  readonly sets: RuleSets;
}

function addressIn({ side, family }: Place, set: string, not: boolean): Statement {
  return side === 'source' ? saddrIn(family, set, { not }) : daddrIn(family, set, { not });
}

/** One condition for each set: the address is among its hosts, or lies in one of its prefixes. */
function setAlternatives(match: MatchPlan, place: Place): readonly AnyOf[] {
  return match.sets.map((id) => variantsOf(id, place).map((name) => [addressIn(place, name, false)]));
}

function variantsOf(id: string, { family, sets }: Place): readonly string[] {
  const hosts = setVariantName(id, { family, form: 'hosts' });
  return sets.facts.hasPrefixes(id, family) ? [hosts, setVariantName(id, { family, form: 'prefixes' })] : [hosts];
}

/** The `not` fields of a side: all of them must hold. */
function exceptionsOf(match: MatchPlan, place: Place): All {
  const { side, family } = place;
  const notNets = coverOf(ofFamily(match.notNets, family));
  const nets = notNets.length === 0 ? [] : [netIn(notNets, place, { not: true })];
  const sets = match.notSets.flatMap((id) => variantsOf(id, place).map((name) => addressIn(place, name, true)));
  const numbers = match.notPorts.length === 0 ? [] : [portIn(match.notPorts, place, { not: true })];
  const names = match.notPortSets.map((id) =>
    endpointIn(side, family, setVariantName(id, { family, form: 'ports' }), { not: true }),
  );
  return [...numbers, ...nets, ...sets, ...names];
}
