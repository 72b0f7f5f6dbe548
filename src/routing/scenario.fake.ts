import { parse } from 'yaml';
import type { ResourceKey, ResourceUpdate } from '../api/resource-update.js';
import type { BgpPeerPlan, BgpPlan, HostRouting, HostRoutingDelta } from '../plan/host-plan.js';
import { printHostRouting } from '../plan/print.js';
import { RoutingMachine } from './machine.js';

/** Kinds stored without `spec`: what is written is the value itself. */
const BARE_KINDS = new Set(['IPAMBlock', 'BlockAffinity']);

/** Builds an update as the syncer gives it; WorkloadEndpoints have the namespace `default`. */
export function updateOf(kind: string, name: string, content?: Readonly<Record<string, unknown>>): ResourceUpdate {
  const key = kind === 'WorkloadEndpoint' ? { kind, namespace: 'default', name } : { kind, name };
  const { labels = {}, ...spec } = content ?? {};
  const resource = { apiVersion: 'projectcalico.org/v3', kind, metadata: { ...key, labels }, spec };
  const value = content === undefined ? undefined : BARE_KINDS.has(kind) ? content : resource;
  return { kind, key: key as ResourceKey, value, revision: '1' } as ResourceUpdate;
}

function printPeer(peer: BgpPeerPlan): string {
  const { name, address, port, localAsNumber, asNumber, sourceAddress, passive, nextHop, ...more } = peer;
  const words = [`peer ${name}`, address, ...(port === undefined ? [] : [`port ${port}`])];
  words.push(`as ${localAsNumber}→${asNumber}`, ...(sourceAddress === undefined ? [] : [`from ${sourceAddress}`]));
  if (passive) words.push('passive');
  if (nextHop !== 'auto') words.push(`next hop ${nextHop}`);
  return [...words, ...Object.entries(more).map(([field, value]) => `${field} ${value}`)].join(' ');
}

/** The BGP plan as text. */
export function printBgpPlan(plan: BgpPlan | undefined): string {
  if (plan === undefined) return 'no BGP';
  const port = plan.listenPort === undefined ? '' : ` port ${plan.listenPort}`;
  const own = [plan.ipv4, plan.ipv6].flatMap((end) =>
    end === undefined ? [] : [`own ${end.address} in ${end.subnet}`],
  );
  return [
    `router ${plan.routerId} as ${plan.asNumber}${port} debug ${plan.debug}`,
    ...own,
    ...(plan.bindsToOwnAddress === true ? ['binds to its own addresses'] : []),
    ...(plan.ignoredInterfaces ?? []).map((pattern) => `ignores ${pattern}`),
    ...(plan.communities ?? []).map(({ cidr, values }) => `communities ${values.join(' ')} in ${cidr}`),
    ...plan.peers.map(printPeer),
    ...plan.blocks.map((block) => `block ${block}`),
    ...plan.pools.map(
      (pool) => `pool ${pool.cidr} encapsulation ${pool.encapsulation}${pool.export ? '' : ' not exported'}`,
    ),
  ].join('\n');
}

function printDelta({ routes, neighbours, nat }: HostRoutingDelta): string[] {
  const NO_NAT = { masqueradedPools: [], allPools: [] };
  const plus = printHostRouting({ routes: routes.set, neighbours: neighbours.set, nat: nat ?? NO_NAT });
  return [
    ...plus
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => `+ ${line}`),
    ...(nat !== undefined && nat.allPools.length === 0 ? ['+ no pools'] : []),
    ...[...routes.removed].toSorted().map((key) => `- route ${key}`),
    ...[...neighbours.removed].toSorted().map((key) => `- neighbour ${key}`),
  ];
}

/** What somebody knows who hears only deltas; refuses one that contradicts what it knows. */
export class RoutingCopy {
  readonly #routes = new Map<string, unknown>();
  readonly #neighbours = new Map<string, unknown>();
  #nat: HostRouting['nat'] = { masqueradedPools: [], allPools: [] };
  bgp: BgpPlan | undefined;

  apply(flush: ReturnType<RoutingMachine['flush']>): void {
    const { routes, neighbours, nat } = flush.routing;
    for (const [mine, delta] of [[this.#routes, routes] as const, [this.#neighbours, neighbours] as const]) {
      for (const [key, value] of delta.set) {
        if (JSON.stringify(mine.get(key)) === JSON.stringify(value)) throw new Error(`${key} did not change`);
        mine.set(key, value);
      }
      for (const key of delta.removed) if (!mine.delete(key)) throw new Error(`${key} was not there`);
    }
    if (nat !== undefined) this.#nat = nat;
    if ('bgp' in flush) this.bgp = flush.bgp;
  }

  get state(): HostRouting {
    return { routes: this.#routes, neighbours: this.#neighbours, nat: this.#nat } as HostRouting;
  }
}

/**
 * Runs one scenario: blocks of commands, below each `----` and what it printed, between blocks an empty line.
 *
 *     put KIND NAME {YAML flow mapping: the spec; `labels` beside it are the object's}
 *     delete KIND NAME
 *     flush | state | bgp | problems
 *
 * A command continues on lines that are indented; `#` begins a comment. The host is `here`.
 *
 * @returns the scenario with the results as they are
 */
export function runScenario(text: string): string {
  const machine = new RoutingMachine({ hostname: 'here' });
  const results = text
    .trimEnd()
    .split(/\n\n+/)
    .map((block) => {
      const [commands = ''] = block.split('\n----');
      const lines = commands.replace(/\n\s+/g, ' ').split('\n');
      const output = lines.filter((line) => !line.startsWith('#')).flatMap((line) => execute(machine, line.trim()));
      return output.length === 0 ? commands : `${commands}\n----\n${output.join('\n')}`;
    });
  return `${results.join('\n\n')}\n`;
}

function execute(machine: RoutingMachine, line: string): string[] {
  const [verb = '', kind = '', name = ''] = line.split(' ');
  switch (verb) {
    case '':
      return [];
    case 'put':
      machine.apply([updateOf(kind, name, parse(line.slice(`put ${kind} ${name}`.length)) as Record<string, unknown>)]);
      return [];
    case 'delete':
      machine.apply([updateOf(kind, name)]);
      return [];
    case 'flush': {
      const flush = machine.flush();
      const lines = [...printDelta(flush.routing), ...('bgp' in flush ? [printBgpPlan(flush.bgp)] : [])];
      return [lines.length === 0 ? 'nothing' : lines.join('\n')];
    }
    case 'state':
      return [printHostRouting(machine.state) || 'nothing'];
    case 'bgp':
      return [printBgpPlan(machine.bgp)];
    case 'problems':
      return [...machine.problems].map(([id, problems]) => `${id}: ${problems.join('; ')}`);
    default:
      throw new Error(`scenario: no such command: ${line}`);
  }
}
