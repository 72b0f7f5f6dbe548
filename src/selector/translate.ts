import { conjunction, membership, negate, type Selector } from './ast.js';
import { parseSelector } from './parser.js';

/** Label every namespaced endpoint and set has: its namespace. */
export const NAMESPACE_LABEL = 'projectcalico.org/namespace';
/** Label of endpoints that run under a service account: its name. */
export const SERVICE_ACCOUNT_LABEL = 'projectcalico.org/serviceaccount';
/** Before the labels of an endpoint's namespace, as the endpoint inherits them. */
export const NAMESPACE_PREFIX = 'pcns.';
/** Before the labels of an endpoint's service account. */
export const SERVICE_ACCOUNT_PREFIX = 'pcsa.';

/** The same selector over prefixed labels; `all()` becomes "is in one at all", or it would match what is in none. */
function prefixed(selector: Selector, prefix: string, presenceLabel: string): Selector {
  switch (selector.type) {
    case 'all':
      return { type: 'has', label: presenceLabel };
    case 'global':
      return selector;
    case 'not':
      return { type: 'not', operand: prefixed(selector.operand, prefix, presenceLabel) };
    case 'and':
    case 'or':
      return { ...selector, operands: selector.operands.map((operand) => prefixed(operand, prefix, presenceLabel)) };
    default:
      return { ...selector, label: prefix + selector.label };
  }
}

/** Undefined for a field that is absent or empty: no restriction. */
function optional(selectorText: string | undefined): Selector | undefined {
  return selectorText === undefined || selectorText.trim() === '' ? undefined : parseSelector(selectorText);
}

function inNamespace(namespace: string): Selector {
  return { type: 'equal', label: NAMESPACE_LABEL, value: namespace };
}

function namespacesSelected(selectorText: string | undefined): Selector | undefined {
  const selector = optional(selectorText);
  if (selector?.type === 'global') return { type: 'not', operand: { type: 'has', label: NAMESPACE_LABEL } };
  return selector && prefixed(selector, NAMESPACE_PREFIX, NAMESPACE_LABEL);
}

function serviceAccountsSelected(selectorText: string | undefined): Selector | undefined {
  const selector = optional(selectorText);
  return selector && prefixed(selector, SERVICE_ACCOUNT_PREFIX, SERVICE_ACCOUNT_LABEL);
}

/** The fields of a policy that say to whom it applies. */
export interface PolicyScope {
  /** Namespace of the policy; absent for a global one. */
  readonly namespace?: string | undefined;
  readonly selector?: string | undefined;
  readonly namespaceSelector?: string | undefined;
  readonly serviceAccountSelector?: string | undefined;
}

/**
 * The selector of the endpoints a policy applies to.
 *
 * @throws {CalicoError} `ERR_CALI_SELECTOR_SYNTAX`
 */
export function policySelector(scope: PolicyScope): Selector {
  const parts = [
    optional(scope.selector),
    scope.namespace === undefined ? namespacesSelected(scope.namespaceSelector) : inNamespace(scope.namespace),
    serviceAccountsSelected(scope.serviceAccountSelector),
  ];
  return conjunction(parts) ?? { type: 'all' };
}

/** The label-based fields of one side of a rule. */
export interface RuleScope {
  readonly selector?: string | undefined;
  readonly notSelector?: string | undefined;
  readonly namespaceSelector?: string | undefined;
  readonly serviceAccounts?:
    | { readonly names?: readonly string[] | undefined; readonly selector?: string | undefined }
    | undefined;
}

export interface RuleSelectors {
  /** Who must be there; `notSelector` is merged into it when both are given. Undefined: anybody, known or not. */
  readonly positive: Selector | undefined;
  /** Who must not be there; only when there is no positive one, and then it also lets unknown addresses through. */
  readonly negative: Selector | undefined;
}

/**
 * The selectors of one side of a rule. Without a namespaceSelector a rule of a namespaced policy means its own namespace as soon as it
 * says anything about labels, and any address at all when it does not.
 *
 * @param namespace that of the policy; undefined for global policies and profiles
 * @throws {CalicoError} `ERR_CALI_SELECTOR_SYNTAX`
 */
export function ruleSelectors(scope: RuleScope, namespace: string | undefined): RuleSelectors {
  const names = scope.serviceAccounts?.names ?? [];
  const selector = optional(scope.selector);
  const excluded = optional(scope.notSelector);
  const accounts = conjunction([
    names.length === 0 ? undefined : membership('in', SERVICE_ACCOUNT_LABEL, names),
    serviceAccountsSelected(scope.serviceAccounts?.selector),
  ]);
  let place = namespacesSelected(scope.namespaceSelector);
  const saysLabels = selector !== undefined || excluded !== undefined || accounts !== undefined;
  if (place === undefined && namespace !== undefined && saysLabels) place = inNamespace(namespace);
  const positive = conjunction([place, selector, accounts]);
  if (positive === undefined || excluded === undefined) return { positive, negative: excluded };
  const notExcluded = negate(excluded);
  return { positive: conjunction([positive, notExcluded]), negative: undefined };
}
