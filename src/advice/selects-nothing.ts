import { describeKey } from '../api/keys.js';
import { policySelector } from '../selector/translate.js';
import type { Advice } from './advice.js';
import { type Cluster, type PolicyFact, scopeOf } from './cluster.js';
import { ALL } from '../selector/ast.js';

function whom({ key, value }: PolicyFact): string {
  const selector = value?.spec.selector?.trim() ?? '';
  const labels = selector === '' ? 'no endpoint at all' : `no endpoint that matches ${selector}`;
  return key.namespace === undefined ? `there is ${labels}` : `namespace "${key.namespace}" has ${labels}`;
}

/** Policies that apply to nobody. Where there is no endpoint yet, nobody is missed. */
export function selectsNothing(written: readonly PolicyFact[], after: Cluster): readonly Advice[] {
  if (after.endpointsSelectedBy(ALL).length === 0) return [];
  return written
    .filter((policy) => after.endpointsSelectedBy(policySelector(scopeOf(policy))).length === 0)
    .map((policy) => ({
      type: 'selects-nothing',
      subject: describeKey(policy.key),
      message: `it selects nothing: ${whom(policy)}`,
    }));
}
