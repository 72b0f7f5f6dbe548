import { printDuration, printMember, sortMembers } from './elements.js';
import type { Expression } from './expressions/expression.js';
import { printExpressions } from './expressions/codec.js';
import type { AnySet, BaseChain, Chain, Counter, Member, Rule, TableFamily } from './objects.js';
import type { SeenTable } from './nftables.js';

export interface PrintOptions {
  /** Counts of packets and bytes too; `nft --stateless` leaves them out, and so do we unless asked. */
  readonly stateful?: boolean;
}

/** A rule without its place: `ip saddr 192.0.2.0/24 accept comment "np shop/web ingress 3"`. */
export function printRule(rule: Pick<Rule, 'chain' | 'expressions' | 'comment'>, options: PrintOptions = {}): string {
  return printRuleText(rule.chain.table.family, rule, options);
}

function printRuleText(
  family: TableFamily,
  rule: { readonly expressions: readonly Expression[]; readonly comment?: string },
  options: PrintOptions,
): string {
  const text = printExpressions(family, rule.expressions, options.stateful === true);
  const comment = rule.comment === undefined ? '' : `comment "${rule.comment}"`;
  return [text, comment].filter((part) => part !== '').join(' ');
}

/** nft's names for priorities, by the hook they are for (bridge has its own). */
const PRIORITY_NAMES: readonly { readonly name: string; readonly priority: number; readonly hook?: string }[] = [
  { name: 'raw', priority: -300 },
  { name: 'mangle', priority: -150 },
  { name: 'dstnat', priority: -100, hook: 'prerouting' },
  { name: 'filter', priority: 0 },
  { name: 'security', priority: 50 },
  { name: 'srcnat', priority: 100, hook: 'postrouting' },
];

/** How far from a named priority nft still prints `filter - 5`. */
const NEAR = 10;

function printPriority(family: TableFamily, base: BaseChain): string {
  const usable = PRIORITY_NAMES.filter(
    (named) =>
      (named.hook === undefined || named.hook === base.hook) && (named.name === 'filter' || hasManyPriorities(family)),
  );
  if (family === 'bridge') return String(base.priority);
  for (const named of usable) {
    const offset = base.priority - named.priority;
    if (offset === 0) return named.name;
    if (Math.abs(offset) <= NEAR) return `${named.name} ${offset < 0 ? '-' : '+'} ${Math.abs(offset)}`;
  }
  return String(base.priority);
}

function hasManyPriorities(family: TableFamily): boolean {
  return family === 'inet' || family === 'ip' || family === 'ip6';
}

/** Lines between the chain's braces, before its rules. */
export function printChainBody(chain: Chain): readonly string[] {
  const lines = chain.comment === undefined ? [] : [`comment "${chain.comment}"`];
  const { base } = chain;
  if (base === undefined) return lines;
  const [device, ...more] = base.devices ?? [];
  let devices = '';
  if (device !== undefined)
    devices = more.length === 0 ? ` device "${device}"` : ` devices = { ${quoted(base.devices)} }`;
  const priority = printPriority(chain.table.family, base);
  lines.push(`type ${base.type} hook ${base.hook}${devices} priority ${priority}; policy ${base.policy ?? 'accept'};`);
  return lines;
}

function quoted(names: readonly string[] | undefined): string {
  return (names ?? []).map((name) => `"${name}"`).join(', ');
}

/** Lines between the set's braces, before its elements. */
export function printSetBody(set: AnySet): readonly string[] {
  const key = set.key.join(' . ');
  const data = set.kind === 'map' ? ` : ${set.data === 'verdict' ? 'verdict' : set.data.join(' . ')}` : '';
  const flags = [...(set.constant === true ? ['constant'] : []), ...(set.interval === true ? ['interval'] : [])];
  return [
    `type ${key}${data}`,
    ...(set.size === undefined || set.constant === true ? [] : [`size ${set.size}`]),
    ...(flags.length === 0 ? [] : [`flags ${flags.join(',')}`]),
    ...(set.timeoutMs === undefined ? [] : [`timeout ${printDuration(set.timeoutMs)}`]),
    ...(set.comment === undefined ? [] : [`comment "${set.comment}"`]),
  ];
}

/** Lines between the counter's braces. */
export function printCounterBody(counter: Counter, stateful: boolean): readonly string[] {
  const state = `packets ${counter.packets ?? 0n} bytes ${counter.bytes ?? 0n}`;
  return [...(counter.comment === undefined ? [] : [`comment "${counter.comment}"`]), ...(stateful ? [state] : [])];
}

/** How many elements nft puts in a line; one for types not named here. */
const ELEMENTS_IN_LINE: ReadonlyMap<string, number> = new Map([
  ['ipv4_addr', 2],
  ['inet_service', 5],
  ['inet_proto', 5],
  ['mark', 5],
]);

function printElementLines(set: AnySet, members: readonly Member[]): readonly string[] {
  if (members.length === 0) return [];
  const inLine = ELEMENTS_IN_LINE.get(set.key.join(' . ')) ?? 1;
  const texts = sortMembers(set, members).map((member) => printMember(set, member));
  const lines: string[] = [];
  for (let at = 0; at < texts.length; at += inLine) lines.push(texts.slice(at, at + inLine).join(', '));
  return [`elements = { ${lines.join(',\n\t\t\t     ')} }`];
}

function block(head: string, lines: readonly string[]): string {
  return `\t${head} {\n${lines.map((line) => `\t\t${line}\n`).join('')}\t}\n`;
}

/**
 * A table as `nft --stateless list table` prints it: counters, sets, chains in the order they were made, members ascending.
 */
export function printTable(seen: SeenTable, options: PrintOptions = {}): string {
  const { table } = seen;
  const blocks: string[] = [];
  for (const counter of seen.counters.values()) {
    blocks.push(block(`counter ${counter.name}`, printCounterBody(counter, options.stateful === true)));
  }
  for (const { set, elements } of seen.sets.values()) {
    blocks.push(block(`${set.kind} ${set.name}`, [...printSetBody(set), ...printElementLines(set, elements)]));
  }
  for (const { chain, rules } of seen.chains.values()) {
    const lines = rules.map((rule) => printRuleText(table.family, rule, options));
    blocks.push(block(`chain ${chain.name}`, [...printChainBody(chain), ...lines]));
  }
  const comment = table.comment === undefined ? '' : `\tcomment "${table.comment}"\n`;
  const flags = table.owner === true ? '\tflags owner\n' : '';
  return `table ${table.family} ${table.name} {\n${comment}${flags}${blocks.join('\n')}}\n`;
}
