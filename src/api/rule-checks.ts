import type { Issue } from '../base/errors.js';
import { tryParsePrefix } from '../net/prefix.js';
import { ruleIssue } from './issues.js';
import { type EntityRule, parsePort, type ParsedPort, PROTOCOL_NUMBERS, type Rule } from './rule.js';

export interface RuleContext {
  readonly path: string;
  readonly direction: 'ingress' | 'egress';
  /** A service of a rule needs its namespace spelled out where the policy has none. */
  readonly isGlobal: boolean;
}

const ICMP = 1;
const TCP = 6;
const ICMPV6 = 58;
/** Protocols whose ports the kernel can match. */
const WITH_PORTS = new Set([6, 17, 132]);

function protocolNumber(protocol: Rule['protocol']): number | undefined {
  return typeof protocol === 'string' ? PROTOCOL_NUMBERS[protocol] : protocol;
}

function icmpIssues(rule: Rule, path: string): Issue[] {
  const number = protocolNumber(rule.protocol);
  const issues: Issue[] = [];
  for (const field of ['icmp', 'notICMP'] as const) {
    const match = rule[field];
    if (match === undefined) continue;
    if (match.code !== undefined && match.type === undefined) {
      issues.push(ruleIssue(`${path}.${field}.code`, 'a code needs a type'));
    }
    if (number !== ICMP && number !== ICMPV6) {
      issues.push(ruleIssue(`${path}.${field}`, 'it needs protocol ICMP or ICMPv6'));
    }
  }
  return issues;
}

function versionIssues(rule: Rule, path: string): Issue[] {
  const issues: Issue[] = [];
  for (const field of ['protocol', 'notProtocol'] as const) {
    const number = protocolNumber(rule[field]);
    const forced = number === ICMP ? 4 : number === ICMPV6 ? 6 : undefined;
    if (forced !== undefined && rule.ipVersion !== undefined && rule.ipVersion !== forced) {
      issues.push(ruleIssue(`${path}.ipVersion`, `${field} ${rule[field]} needs ipVersion ${forced}`));
    }
  }
  return issues;
}

function familyIssues(rule: Rule, path: string): Issue[] {
  let family: number | undefined = rule.ipVersion;
  const issues: Issue[] = [];
  for (const side of ['source', 'destination'] as const) {
    for (const list of ['nets', 'notNets'] as const) {
      for (const [index, net] of (rule[side]?.[list] ?? []).entries()) {
        const where = `${path}.${side}.${list}[${index}]`;
        const prefix = tryParsePrefix(net);
        if (prefix === undefined) continue;
        family ??= prefix.address.family;
        if (prefix.address.family !== family) {
          issues.push(ruleIssue(where, `"${net}" is IPv${prefix.address.family}, but the rule is for IPv${family}`));
        }
        if (list === 'notNets' && prefix.length === 0)
          issues.push(ruleIssue(where, `"${net}" leaves no address to match`));
      }
    }
  }
  return issues;
}

function portIssue(parsed: ParsedPort | undefined, protocol: Rule['protocol']): string | undefined {
  const number = protocolNumber(protocol);
  if (number !== undefined) {
    return WITH_PORTS.has(number) ? undefined : `protocol ${protocol} has no ports: only TCP, UDP and SCTP have`;
  }
  if (parsed === undefined || 'name' in parsed) return undefined;
  return 'a port by number needs a protocol: TCP, UDP or SCTP';
}

function portIssues(rule: Rule, path: string): Issue[] {
  const issues: Issue[] = [];
  for (const side of ['source', 'destination'] as const) {
    for (const list of ['ports', 'notPorts'] as const) {
      for (const [index, port] of (rule[side]?.[list] ?? []).entries()) {
        const bad = portIssue(parsePort(port), rule.protocol);
        if (bad !== undefined) issues.push(ruleIssue(`${path}.${side}.${list}[${index}]`, bad));
      }
    }
  }
  return issues;
}

const EXCLUDED_BY_SERVICES = [
  'selector',
  'notSelector',
  'namespaceSelector',
  'nets',
  'notNets',
  'serviceAccounts',
] as const;

function serviceIssues(side: EntityRule, where: string, context: RuleContext, isSource: boolean): Issue[] {
  const { services } = side;
  if (services === undefined) return [];
  const issues: Issue[] = [];
  if ((services.name ?? '') === '') issues.push(ruleIssue(`${where}.services.name`, 'it is missing'));
  if (context.isGlobal && (services.namespace ?? '') === '') {
    issues.push(ruleIssue(`${where}.services.namespace`, 'it is missing: a global policy has no namespace of its own'));
  }
  if (isSource !== (context.direction === 'ingress')) {
    const right = context.direction === 'ingress' ? 'source' : 'destination';
    issues.push(ruleIssue(`${where}.services`, `in ${context.direction} rules services stand under ${right} only`));
  }
  const excluded = isSource ? EXCLUDED_BY_SERVICES : [...EXCLUDED_BY_SERVICES, 'ports' as const, 'notPorts' as const];
  for (const field of excluded) {
    if (side[field] !== undefined)
      issues.push(ruleIssue(`${where}.${field}`, 'it excludes services: give one of the two'));
  }
  return issues;
}

function httpPathIssue(path: { readonly exact?: string; readonly prefix?: string }): string | undefined {
  const text = path.exact ?? path.prefix;
  if (text === undefined || (path.exact !== undefined && path.prefix !== undefined)) {
    return 'give exactly one of exact and prefix';
  }
  return /^\/[^? #]{0,1023}$/.test(text)
    ? undefined
    : `"${text}" is not a path: it begins with "/", without "?", "#" or blanks`;
}

function httpIssues(rule: Rule, context: RuleContext): Issue[] {
  if (rule.http === undefined) return [];
  const { methods = [], paths = [] } = rule.http;
  const where = `${context.path}.http`;
  const issues: Issue[] = [];
  if (context.direction === 'egress') issues.push(ruleIssue(where, 'it may stand in ingress rules only'));
  if (rule.action !== 'Allow') issues.push(ruleIssue(where, 'it needs action Allow'));
  if ((protocolNumber(rule.protocol) ?? TCP) !== TCP) issues.push(ruleIssue(where, 'it needs protocol TCP'));
  if (new Set(methods).size !== methods.length)
    issues.push(ruleIssue(`${where}.methods`, 'one method stands there twice'));
  for (const [index, path] of paths.entries()) {
    const bad = httpPathIssue(path);
    if (bad !== undefined) issues.push(ruleIssue(`${where}.paths[${index}]`, bad));
  }
  return issues;
}

/** Rules between the fields of one rule of a policy or profile. */
export function checkRule(rule: Rule, context: RuleContext): Issue[] {
  const { path } = context;
  return [
    ...icmpIssues(rule, path),
    ...versionIssues(rule, path),
    ...familyIssues(rule, path),
    ...portIssues(rule, path),
    ...serviceIssues(rule.source ?? {}, `${path}.source`, context, true),
    ...serviceIssues(rule.destination ?? {}, `${path}.destination`, context, false),
    ...httpIssues(rule, context),
  ];
}

/** The same for all rules of a policy or profile. */
export function checkRules(
  spec: { readonly ingress?: readonly Rule[]; readonly egress?: readonly Rule[] },
  isGlobal: boolean,
): Issue[] {
  return (['ingress', 'egress'] as const).flatMap((direction) =>
    (spec[direction] ?? []).flatMap((rule, index) =>
      checkRule(rule, { path: `spec.${direction}[${index}]`, direction, isGlobal }),
    ),
  );
}
