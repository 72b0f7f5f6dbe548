import type { Expression } from '../expressions/expression.js';
import type { BaseChain, Hook, Member } from '../objects.js';
import { elementOf } from '../elements.js';
import type { Verdict } from '../verdict.js';
import { Refused } from './errors.js';
import type { FakeChain, FakeTable } from './state.js';

/** include/net/netfilter/nf_tables.h: NFT_JUMP_STACK_SIZE. A loop is nothing but a path that gets longer than this. */
const DEEPEST = 16;

function verdictsOfMembers(members: readonly Member[]): readonly Verdict[] {
  return members.flatMap((member) => elementOf(member).verdict ?? []);
}

/** All verdicts an expression can come to. */
export function verdictsOf(table: FakeTable, expression: Expression): readonly Verdict[] {
  if (expression.type === 'verdict') return [expression.verdict];
  if (expression.type !== 'lookup' || expression.dreg !== 0) return [];
  if (typeof expression.set !== 'string') return verdictsOfMembers(expression.set.members);
  const elements = table.sets.get(expression.set)?.elements.values() ?? [];
  return [...elements].flatMap(({ seen }) => seen.verdict ?? []);
}

/** The chains that verdicts of the expression lead to. */
export function targetsOf(table: FakeTable, expression: Expression): readonly string[] {
  return verdictsOf(table, expression).flatMap((verdict) => ('chain' in verdict ? [verdict.chain] : []));
}

const INCOMING: readonly Hook[] = ['prerouting', 'input', 'forward'];
const REJECTING: readonly Hook[] = ['prerouting', 'input', 'forward', 'output', 'ingress'];
const SOURCE_NAT: readonly Hook[] = ['postrouting', 'input'];
const DESTINATION_NAT: readonly Hook[] = ['prerouting', 'output'];

/** Where the kernel lets an expression be, by chain type and hook. */
function isAllowed(expression: Expression, base: BaseChain): boolean {
  switch (expression.type) {
    case 'masq':
      return base.type === 'nat' && base.hook === 'postrouting';
    case 'nat':
      return base.type === 'nat' && (expression.what === 'snat' ? SOURCE_NAT : DESTINATION_NAT).includes(base.hook);
    case 'reject':
      return REJECTING.includes(base.hook);
    case 'fib':
      return expression.result === 'type' || INCOMING.includes(base.hook);
    default:
      return true;
  }
}

/**
 * Follows every path from the base chains, as the kernel does before it lets a ruleset live.
 *
 * @throws {Refused} `EMLINK`: too deep or a loop; `EOPNOTSUPP`: an expression where its hook forbids it
 */
export function validateGraph(table: FakeTable): void {
  for (const { chain } of table.chains.values()) {
    // A chain need not be walked again unless the new path reaches it deeper than all before.
    if (chain.base !== undefined) walk(table, chain.base, chain.name, { depth: 0, walked: new Map() });
  }
}

function walk(
  table: FakeTable,
  base: BaseChain,
  name: string,
  path: { readonly depth: number; readonly walked: Map<string, number> },
): void {
  if (path.depth >= DEEPEST) throw new Refused('EMLINK');
  if ((path.walked.get(name) ?? -1) >= path.depth) return;
  path.walked.set(name, path.depth);
  const fakeChain: FakeChain | undefined = table.chains.get(name);
  for (const { rule } of fakeChain?.rules ?? []) {
    for (const expression of rule.expressions) {
      if (!isAllowed(expression, base)) throw new Refused('EOPNOTSUPP');
      for (const target of targetsOf(table, expression)) {
        walk(table, base, target, { depth: path.depth + 1, walked: path.walked });
      }
    }
  }
}
