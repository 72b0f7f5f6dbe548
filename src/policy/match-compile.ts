import { type EntityRule, parsePort } from '../api/rule.js';
import { CalicoError } from '../base/errors.js';
import type { Family } from '../net/address.js';
import { formatPrefix, networkOf, type Prefix, tryParsePrefix } from '../net/prefix.js';
import type { MatchPlan, PortRange } from '../plan/host-plan.js';
import { ALL, type Selector } from '../selector/ast.js';
import { canonicalId, formatSelector } from '../selector/canonical.js';
import { ruleSelectors } from '../selector/translate.js';
import type { SetRequest } from './ip-sets.js';
import type { PortProtocol } from './set-content.js';

/** The protocols that have ports, as sets name them. */
const PORT_PROTOCOLS = new Map<number, PortProtocol>([
  [6, 'tcp'],
  [17, 'udp'],
  [132, 'sctp'],
]);

export interface ParsedNets {
  readonly nets: readonly Prefix[];
  readonly notNets: readonly Prefix[];
}

/** One side of a rule, all but its prefixes. */
export interface CompiledMatch extends Omit<MatchPlan, 'nets' | 'notNets'> {
  readonly requests: readonly SetRequest[];
}

interface Scope {
  readonly namespace: string | undefined;
  readonly protocol: number | undefined;
}

/** Why a rule cannot be compiled; what lets it through decides the caller. */
export function unreadable(why: string): CalicoError {
  return new CalicoError('ERR_CALI_POLICY_RULE', why);
}

function parseNet(text: string): Prefix {
  const prefix = tryParsePrefix(text);
  if (prefix === undefined) throw unreadable(`"${text}" is not a CIDR`);
  return networkOf(prefix);
}

export function parseNets(side: EntityRule | undefined): ParsedNets {
  return { nets: (side?.nets ?? []).map(parseNet), notNets: (side?.notNets ?? []).map(parseNet) };
}

interface Ports {
  readonly ranges: readonly PortRange[];
  readonly names: readonly string[];
}

function parsePorts(ports: readonly (number | string)[] | undefined, protocol: number | undefined): Ports {
  const ranges: PortRange[] = [];
  const names: string[] = [];
  for (const text of ports ?? []) {
    const port = parsePort(text);
    if (port === undefined) throw unreadable(`"${text}" is not a port`);
    if ('name' in port) names.push(port.name);
    else ranges.push(port);
  }
  const hasPorts = protocol !== undefined && PORT_PROTOCOLS.has(protocol);
  const isNamedForAny = protocol === undefined && ranges.length === 0;
  if (ranges.length + names.length > 0 && !hasPorts && !isNamedForAny) {
    throw unreadable('ports need protocol TCP, UDP or SCTP');
  }
  return { ranges, names };
}

function netSet(selector: Selector): SetRequest {
  const description = formatSelector(selector);
  return { id: canonicalId('s:', description), type: 'net', description, selector };
}

function portSet(selector: Selector, name: string, protocol: PortProtocol | undefined): SetRequest {
  const description = `${protocol ?? 'any'} port ${name} of ${formatSelector(selector)}`;
  return { id: canonicalId('n:', description), type: 'port', description, selector, port: { name, protocol } };
}

/** @throws {CalicoError} what cannot be read */
export function compileMatch(side: EntityRule | undefined, { namespace, protocol }: Scope): CompiledMatch {
  const { positive, negative } = ruleSelectors(side ?? {}, namespace);
  const ports = parsePorts(side?.ports, protocol);
  const notPorts = parsePorts(side?.notPorts, protocol);
  const portProtocol = protocol === undefined ? undefined : PORT_PROTOCOLS.get(protocol);
  const named = (names: readonly string[]): SetRequest[] =>
    names.map((name) => portSet(positive ?? ALL, name, portProtocol));
  const portSets = named(ports.names);
  const notPortSets = named(notPorts.names);
  // A set of named ports holds only addresses the selector matches: asking for those again would be the same lookup twice.
  const isImplied = ports.names.length > 0 && ports.ranges.length === 0;
  const sets = positive === undefined || isImplied ? [] : [netSet(positive)];
  const notSets = negative === undefined ? [] : [netSet(negative)];
  const ids = (requests: readonly SetRequest[]): string[] => requests.map((request) => request.id);
  return {
    requests: [...sets, ...notSets, ...portSets, ...notPortSets],
    sets: ids(sets),
    notSets: ids(notSets),
    ports: ports.ranges,
    notPorts: notPorts.ranges,
    portSets: ids(portSets),
    notPortSets: ids(notPortSets),
  };
}

/** Puts one side together, its prefixes reduced to the families in which the rule exists. */
export function matchIn(families: readonly Family[], { nets, notNets }: ParsedNets, match: CompiledMatch): MatchPlan {
  const inFamilies = (list: readonly Prefix[]): string[] => [
    ...new Set(list.filter((net) => families.includes(net.address.family)).map(formatPrefix)),
  ];
  const { requests: _, ...rest } = match;
  return { nets: inFamilies(nets), notNets: inFamilies(notNets), ...rest };
}
