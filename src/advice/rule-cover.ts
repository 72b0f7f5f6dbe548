import { prefixContains, prefixesOverlap, parsePrefix } from '../net/prefix.js';
import type { IcmpMatch, MatchPlan, PortRange, RulePlan } from '../plan/host-plan.js';
import type { Selector } from '../selector/ast.js';
import { formatSelector } from '../selector/canonical.js';

/** The selectors behind the sets that rules name, by id. */
export type SetSelectors = ReadonlyMap<string, Selector>;

/**
 * Whether one rule takes every packet that another could: then the other, standing below it, never sees any.
 *
 * Sound, not complete: true only where it holds whatever the members of sets are. Rules that only together take all of another's are
 * not seen.
 */
export function coversRule(wide: RulePlan, narrow: RulePlan, selectors: SetSelectors): boolean {
  return (
    narrow.families.every((family) => wide.families.includes(family)) &&
    coversProtocol(wide, narrow) &&
    coversIcmp(wide, narrow) &&
    coversSide(wide.source, narrow.source, selectors) &&
    coversSide(wide.destination, narrow.destination, selectors)
  );
}

function coversProtocol(wide: RulePlan, narrow: RulePlan): boolean {
  if (wide.protocol !== undefined && wide.protocol !== narrow.protocol) return false;
  if (wide.notProtocol === undefined || wide.notProtocol === narrow.notProtocol) return true;
  return narrow.protocol !== undefined && narrow.protocol !== wide.notProtocol;
}

/** Whether every packet that `narrow` matches is one of those that `wide` matches. */
function icmpWithin(narrow: IcmpMatch, wide: IcmpMatch): boolean {
  return narrow.type === wide.type && (wide.code === undefined || wide.code === narrow.code);
}

function icmpDisjoint(a: IcmpMatch, b: IcmpMatch): boolean {
  return a.type !== b.type || (a.code !== undefined && b.code !== undefined && a.code !== b.code);
}

function coversIcmp(wide: RulePlan, narrow: RulePlan): boolean {
  if (wide.icmp !== undefined && (narrow.icmp === undefined || !icmpWithin(narrow.icmp, wide.icmp))) return false;
  if (wide.notIcmp === undefined) return true;
  if (narrow.notIcmp !== undefined && icmpWithin(wide.notIcmp, narrow.notIcmp)) return true;
  return narrow.icmp !== undefined && icmpDisjoint(narrow.icmp, wide.notIcmp);
}

function coversSide(wide: MatchPlan, narrow: MatchPlan, selectors: SetSelectors): boolean {
  return (
    coversNets(wide, narrow) &&
    wide.sets.every((id) => narrow.sets.some((other) => id === other || implies(selectors, other, id))) &&
    wide.notSets.every((id) => narrow.notSets.includes(id)) &&
    coversPorts(wide, narrow)
  );
}

function coversNets(wide: MatchPlan, narrow: MatchPlan): boolean {
  const [nets, others] = [wide.nets.map(parsePrefix), narrow.nets.map(parsePrefix)];
  const isWithin =
    nets.length === 0 || (others.length > 0 && others.every((other) => nets.some((net) => prefixContains(net, other))));
  if (!isWithin) return false;
  const excluded = narrow.notNets.map(parsePrefix);
  return wide.notNets.map(parsePrefix).every((hole) => {
    const isMissedByAll = others.length > 0 && others.every((other) => !prefixesOverlap(hole, other));
    return isMissedByAll || excluded.some((other) => prefixContains(other, hole));
  });
}

/** The selectors that must all match; nothing for one that matches everything known. */
function conjuncts(selector: Selector): readonly string[] {
  if (selector.type === 'all') return [];
  return selector.type === 'and' ? selector.operands.flatMap(conjuncts) : [formatSelector(selector)];
}

/** Whether the set `narrow` has no member that the set `wide` lacks. */
function implies(selectors: SetSelectors, narrow: string, wide: string): boolean {
  const [from, to] = [selectors.get(narrow), selectors.get(wide)];
  if (from === undefined || to === undefined) return false;
  const asked = new Set(conjuncts(from));
  return conjuncts(to).every((part) => asked.has(part));
}

/** In order, and those that touch made one. */
function merged(ranges: readonly PortRange[]): readonly PortRange[] {
  const joined: PortRange[] = [];
  for (const range of ranges.toSorted((a, b) => a.first - b.first)) {
    const last = joined.at(-1);
    if (last === undefined || range.first > last.last + 1) joined.push(range);
    else joined[joined.length - 1] = { first: last.first, last: Math.max(last.last, range.last) };
  }
  return joined;
}

function rangesContain(ranges: readonly PortRange[], { first, last }: PortRange): boolean {
  return merged(ranges).some((range) => range.first <= first && last <= range.last);
}

function coversPorts(wide: MatchPlan, narrow: MatchPlan): boolean {
  if (wide.ports.length + wide.portSets.length > 0) {
    if (narrow.ports.length + narrow.portSets.length === 0) return false;
    if (!narrow.ports.every((range) => rangesContain(wide.ports, range))) return false;
    if (!narrow.portSets.every((id) => wide.portSets.includes(id))) return false;
  }
  const isOnlyRanges = narrow.ports.length > 0 && narrow.portSets.length === 0;
  const hasHole = wide.notPorts.some((hole) => {
    const isMissed = isOnlyRanges && narrow.ports.every(({ first, last }) => last < hole.first || hole.last < first);
    return !isMissed && !rangesContain(narrow.notPorts, hole);
  });
  return !hasHole && wide.notPortSets.every((id) => narrow.notPortSets.includes(id));
}
