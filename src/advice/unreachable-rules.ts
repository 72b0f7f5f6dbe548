import { describeKey } from '../api/keys.js';
import type { Rule } from '../api/rule.js';
import type { RulePlan } from '../plan/host-plan.js';
import { compileRules } from '../policy/rule-compile.js';
import type { Advice } from './advice.js';
import type { PolicyFact } from './cluster.js';
import { coversRule } from './rule-cover.js';
import { describeRule } from './rule-text.js';

/** A rule that no packet gets to, and the one above it that takes them all. Indexes in the policy's own list. */
export interface Unreachable {
  readonly index: number;
  readonly takenBy: number;
}

/**
 * Rules of one direction that nothing reaches, because a single rule above them decides everything that they could match.
 *
 * @param namespace that of the policy; undefined for a global one
 */
export function unreachableRules(rules: readonly Rule[], namespace: string | undefined): readonly Unreachable[] {
  const { rules: plans, sets, problems } = compileRules(rules, namespace);
  // A rule that cannot be read is closed: what it would have taken nobody knows.
  if (problems.length > 0) return [];
  const selectors = new Map([...sets].map(([id, { selector }]) => [id, selector]));
  const found: Unreachable[] = [];
  const deciding: RulePlan[] = [];
  for (const plan of plans) {
    const taker = deciding.find((above) => coversRule(above, plan, selectors));
    if (taker !== undefined) found.push({ index: plan.index, takenBy: taker.index });
    // One that nothing reaches decides nothing either; a Log lets everything go on.
    else if (plan.action !== 'log') deciding.push(plan);
  }
  return found;
}

/** Rules of policies that can never be reached. */
export function unreachableAdvice(written: readonly PolicyFact[]): readonly Advice[] {
  return written.flatMap(({ key, value }) =>
    (['ingress', 'egress'] as const).flatMap((direction) => {
      const rules = value?.spec[direction] ?? [];
      return unreachableRules(rules, key.namespace).map(({ index, takenBy }) => {
        const above = rules[takenBy];
        const taken = above === undefined ? '' : ` (${describeRule(above)})`;
        return {
          type: 'unreachable-rule' as const,
          subject: describeKey(key),
          message: `spec.${direction}[${index}] is never reached: spec.${direction}[${takenBy}]${taken} decides all that it could match`,
          hint: `put it before spec.${direction}[${takenBy}], or take it out`,
        };
      });
    }),
  );
}
