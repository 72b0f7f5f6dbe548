import { type Statement } from '../../nftables/match.js';
import { chain } from '../../nftables/objects.js';
import { rule } from '../../nftables/rule.js';
import { accept, log, returnToCaller, setMarkBits } from '../../nftables/statements.js';
import type { PolicyPlan, RulePlan } from '../../plan/host-plan.js';
import type { RenderedChain } from './hooks.js';
import type { ListSet } from './list-sets.js';
import type { Marks } from './marks.js';
import { CALICO_TABLE, type Direction, policyChainName } from './names.js';
import { type SetFacts, matchesOf } from './rule-matches.js';

/** What rendering needs beside the plan. */
export interface RenderContext {
  readonly marks: Marks;
  /** What Deny does: drop or reject. */
  readonly deny: Statement;
  readonly logPrefix: string;
  readonly sets: SetFacts;
}

const COMMENT_BYTES = 128;

/** `np shop/web ingress 3`, the name shortened when the whole would not fit. */
function ruleComment(policyId: string, direction: Direction, index: number): string {
  const tail = ` ${direction} ${index}`;
  const id = policyId.replaceAll(/[^\x20-\x7e]|"/g, '_');
  const room = COMMENT_BYTES - tail.length;
  return `${id.length <= room ? id : `${id.slice(0, room - 3)}...`}${tail}`;
}

function actionOf(plan: RulePlan, context: RenderContext): readonly Statement[] {
  switch (plan.action) {
    case 'allow':
      return [accept];
    case 'deny':
      return [context.deny];
    case 'pass':
      return [setMarkBits(context.marks.pass), returnToCaller];
    case 'log':
      return [log({ prefix: `${context.logPrefix}: `, level: 'info' })];
  }
}

export interface RenderedPolicyChain extends RenderedChain {
  /** The sets that must be there for its rules, beside those of selectors; by name. */
  readonly lists: ReadonlyMap<string, ListSet>;
}

/** One chain for one direction of a policy or profile; every endpoint it applies to shares it. */
export function renderPolicyChain(plan: PolicyPlan, direction: Direction, context: RenderContext): RenderedPolicyChain {
  const of = chain(CALICO_TABLE, policyChainName(direction, plan.id));
  const sets = { facts: context.sets, lists: new Map<string, ListSet>() };
  const rules = plan[direction].flatMap((rulePlan) => {
    const action = actionOf(rulePlan, context);
    const comment = ruleComment(plan.id, direction, rulePlan.index);
    return matchesOf(rulePlan, sets).map((matches) => rule(of, [...matches, ...action], { comment }));
  });
  return { chain: of, rules, lists: sets.lists };
}

/** True when a packet may leave the policy's chain by Pass: only then has the tier to test for it. */
export function canPass(plan: PolicyPlan | undefined, direction: Direction): boolean {
  return plan?.[direction].some(({ action }) => action === 'pass') ?? false;
}

/** The sets that rules of the policy look into, by id. */
export function setsOf(plan: PolicyPlan): ReadonlySet<string> {
  const ids = new Set<string>();
  for (const { source, destination } of [...plan.ingress, ...plan.egress]) {
    for (const match of [source, destination]) {
      for (const list of [match.sets, match.notSets, match.portSets, match.notPortSets]) {
        for (const id of list) ids.add(id);
      }
    }
  }
  return ids;
}
