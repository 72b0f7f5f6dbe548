import type { EntityRule, Rule } from '../api/rule.js';
import { PROTOCOL_NUMBERS } from '../api/rule.js';
import { CalicoError } from '../base/errors.js';
import type { Family } from '../net/address.js';
import type { IcmpMatch, MatchPlan, RuleAction, RulePlan } from '../plan/host-plan.js';
import type { SetRequest } from './ip-sets.js';
import { compileMatch, matchIn, type ParsedNets, parseNets, unreadable } from './match-compile.js';

export interface CompiledRules {
  readonly rules: readonly RulePlan[];
  /** The sets the rules refer to, each once. */
  readonly sets: ReadonlyMap<string, SetRequest>;
  /** What could not be read, and was compiled so that it lets nothing through. */
  readonly problems: readonly string[];
}

const PROTOCOL_ICMP = 1;
const PROTOCOL_ICMPV6 = 58;
const ACTIONS = new Map<string, RuleAction>([
  ['Allow', 'allow'],
  ['Deny', 'deny'],
  ['Log', 'log'],
  ['Pass', 'pass'],
]);
const ANY: MatchPlan = {
  nets: [],
  notNets: [],
  sets: [],
  notSets: [],
  ports: [],
  notPorts: [],
  portSets: [],
  notPortSets: [],
};

function protocolNumber(protocol: number | string | undefined): number | undefined {
  if (protocol === undefined || typeof protocol === 'number') return protocol;
  const number = PROTOCOL_NUMBERS[protocol];
  if (number === undefined) throw unreadable(`"${protocol}" is not a protocol`);
  return number;
}

function icmpMatch(icmp: Rule['icmp'], protocol: number | undefined): IcmpMatch | undefined {
  if (icmp?.type === undefined) {
    if (icmp?.code !== undefined) throw unreadable('an ICMP code needs a type');
    return undefined;
  }
  if (protocol !== PROTOCOL_ICMP && protocol !== PROTOCOL_ICMPV6) throw unreadable('an ICMP type needs protocol ICMP');
  return icmp.code === undefined ? { type: icmp.type } : { type: icmp.type, code: icmp.code };
}

interface RuleNets {
  readonly source: ParsedNets;
  readonly destination: ParsedNets;
}

/**
 * The families a rule exists in: what it says, what its protocol implies, and of those the ones in which every list of prefixes (the
 * negated too) has an entry. `notNets` that hold a family's everything leave nothing to match in it.
 */
function familiesOf(rule: Rule, protocol: number | undefined, nets: RuleNets): Family[] {
  const lists = [nets.source.nets, nets.source.notNets, nets.destination.nets, nets.destination.notNets];
  const notLists = [...nets.source.notNets, ...nets.destination.notNets];
  return ([4, 6] as const).filter((family) => {
    if (rule.ipVersion !== undefined && rule.ipVersion !== family) return false;
    if (protocol === PROTOCOL_ICMP && family !== 4) return false;
    if (protocol === PROTOCOL_ICMPV6 && family !== 6) return false;
    if (lists.some((list) => list.length > 0 && !list.some((net) => net.address.family === family))) return false;
    return !notLists.some((net) => net.length === 0 && net.address.family === family);
  });
}

/** What no plan says: a rule without it would match more than its author wrote. */
function refuseUnsupported({ http, source, destination }: Rule): void {
  const sides: readonly (EntityRule | undefined)[] = [source, destination];
  if (sides.some((side) => side?.services !== undefined)) throw unreadable('matches by service are not supported');
  if (http !== undefined) throw unreadable('matches by HTTP are not supported');
}

/** @returns undefined for a rule that can match in no family */
function compileRule(
  rule: Rule,
  index: number,
  context: { namespace: string | undefined; sets: Map<string, SetRequest> },
) {
  const action = ACTIONS.get(rule.action);
  if (action === undefined) throw unreadable(`"${rule.action}" is not an action`);
  refuseUnsupported(rule);
  const protocol = protocolNumber(rule.protocol);
  const notProtocol = protocolNumber(rule.notProtocol);
  const icmp = icmpMatch(rule.icmp, protocol);
  const notIcmp = icmpMatch(rule.notICMP, protocol);
  const nets: RuleNets = { source: parseNets(rule.source), destination: parseNets(rule.destination) };
  const families = familiesOf(rule, protocol, nets);
  const scope = { ...context, protocol };
  const source = compileMatch(rule.source, scope);
  const destination = compileMatch(rule.destination, scope);
  if (families.length === 0) return undefined;
  for (const request of [...source.requests, ...destination.requests]) context.sets.set(request.id, request);
  const plan: RulePlan = {
    action,
    families,
    ...(protocol === undefined ? {} : { protocol }),
    ...(notProtocol === undefined ? {} : { notProtocol }),
    ...(icmp === undefined ? {} : { icmp }),
    ...(notIcmp === undefined ? {} : { notIcmp }),
    source: matchIn(families, nets.source, source),
    destination: matchIn(families, nets.destination, destination),
    index,
  };
  return plan;
}

/**
 * Stands for a rule that cannot be read. It must let nothing through that the rule as meant would not: an Allow or Log matches nothing,
 * a Deny or a Pass (or whatever else was meant) denies everything.
 */
function closedRule(rule: Rule, index: number): RulePlan | undefined {
  if (rule.action === 'Allow' || rule.action === 'Log') return undefined;
  return { action: 'deny', families: [4, 6], source: ANY, destination: ANY, index };
}

/**
 * Compiles the rules of one direction of a policy or profile.
 *
 * @param namespace that of the policy; undefined for global policies and profiles
 */
export function compileRules(rules: readonly Rule[], namespace: string | undefined): CompiledRules {
  const sets = new Map<string, SetRequest>();
  const problems: string[] = [];
  const plans: (RulePlan | undefined)[] = rules.map((rule, index) => {
    try {
      return compileRule(rule, index, { namespace, sets });
    } catch (error) {
      if (!(error instanceof CalicoError)) throw error;
      problems.push(`rule ${index}: ${error.message}`);
      return closedRule(rule, index);
    }
  });
  return { rules: plans.filter((plan) => plan !== undefined), sets, problems };
}
