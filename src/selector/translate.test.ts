import { describe, expect, test } from 'vitest';
import { formatSelector } from './canonical.js';
import { policySelector, type PolicyScope, ruleSelectors, type RuleScope } from './translate.js';

describe('policySelector()', () => {
  test.each<[PolicyScope, string]>([
    [{ namespace: 'n' }, 'projectcalico.org/namespace == "n"'],
    [
      { namespace: 'n', selector: "a == 'x' || has(b)" },
      '((a == "x" || has(b)) && projectcalico.org/namespace == "n")',
    ],
    [{}, 'all()'],
    [{ namespaceSelector: "team == 'x'" }, 'pcns.team == "x"'],
    [{ namespaceSelector: 'all()', selector: 'has(a)' }, '(has(a) && has(projectcalico.org/namespace))'],
    [{ serviceAccountSelector: 'all()' }, 'has(projectcalico.org/serviceaccount)'],
    [{ serviceAccountSelector: '!has(role)', selector: 'has(a)' }, '(has(a) && !has(pcsa.role))'],
    [{ namespace: 'n', namespaceSelector: 'all()' }, 'projectcalico.org/namespace == "n"'],
  ])('of %j', (scope, expected) => {
    expect(formatSelector(policySelector(scope))).toBe(expected);
  });
});

describe('ruleSelectors()', () => {
  const show = (scope: RuleScope, namespace?: string): string => {
    const { positive, negative } = ruleSelectors(scope, namespace);
    return `${positive ? formatSelector(positive) : '-'} | ${negative ? formatSelector(negative) : '-'}`;
  };

  test.each<[RuleScope, string]>([
    [{}, '- | -'],
    [{ selector: '' }, '- | -'],
    [{ selector: 'has(a)' }, '(projectcalico.org/namespace == "n" && has(a)) | -'],
    [{ notSelector: 'has(a)' }, '(projectcalico.org/namespace == "n" && !has(a)) | -'],
    [{ namespaceSelector: 'all()' }, 'has(projectcalico.org/namespace) | -'],
    [{ namespaceSelector: 'global()', selector: 'has(a)' }, '(!has(projectcalico.org/namespace) && has(a)) | -'],
    [
      { namespaceSelector: "has(t) && !t == 'x'", selector: 'has(a)' },
      '((has(pcns.t) && !pcns.t == "x") && has(a)) | -',
    ],
    [
      { serviceAccounts: { names: ['b', 'a'], selector: "r == 'x'" } },
      '(projectcalico.org/namespace == "n" && (projectcalico.org/serviceaccount in {"a", "b"} && pcsa.r == "x")) | -',
    ],
  ])('in a namespaced policy, of %j', (scope, expected) => {
    expect(show(scope, 'n')).toBe(expected);
  });

  test.each<[RuleScope, string]>([
    [{ selector: 'has(a)' }, 'has(a) | -'],
    [{ notSelector: 'has(a)' }, '- | has(a)'],
    [{ selector: 'has(a)', notSelector: '!has(b)' }, '(has(a) && has(b)) | -'],
  ])('in a global policy, of %j', (scope, expected) => {
    expect(show(scope)).toBe(expected);
  });
});
