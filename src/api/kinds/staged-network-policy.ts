import * as v from 'valibot';
import type { Issue } from '../../base/errors.js';
import { joinPath, ruleIssue } from '../issues.js';
import { defineKind, type ResourceOf } from '../meta.js';
import { explainBadPolicyName } from '../names.js';
import { policyDefaults, policyFields, policyIssues, type PolicySpec } from './network-policy.js';

/** What becomes of the policy of that name once the staged one is enforced. */
export const stagedAction = () => v.exactOptional(v.picklist(['Set', 'Delete', 'Learn', 'Ignore']));

export interface StagedSpec {
  readonly stagedAction?: 'Set' | 'Delete' | 'Learn' | 'Ignore';
}

function isEmpty(value: unknown): boolean {
  return value === undefined || value === '' || value === false || (Array.isArray(value) && value.length === 0);
}

/** To delete a policy its name is enough: whatever else stands there was meant for something else. */
export function stagedIssues(spec: StagedSpec): Issue[] {
  if (spec.stagedAction !== 'Delete') return [];
  return Object.entries(spec)
    .filter(([field, value]) => field !== 'stagedAction' && field !== 'tier' && !isEmpty(value))
    .map(([field]) => ruleIssue(joinPath('spec', field), 'it must be empty where stagedAction is Delete'));
}

/** As for the policy that is staged; one that deletes keeps only its tier. */
export function stagedDefaults<Spec extends PolicySpec & StagedSpec>(spec: Spec): Spec {
  const tier = spec.tier === undefined || spec.tier === '' ? 'default' : spec.tier;
  if (spec.stagedAction === 'Delete') return { ...spec, tier };
  return { ...policyDefaults(spec), stagedAction: spec.stagedAction ?? 'Set' };
}

export const stagedNetworkPolicy = defineKind({
  kind: 'StagedNetworkPolicy',
  plural: 'stagednetworkpolicies',
  namespaced: true,
  aliases: ['snp', 'snps', 'stagedpolicy', 'stagedpolicies', 'spol', 'spols'],
  spec: v.strictObject({ ...policyFields, stagedAction: stagedAction() }),
  explainBadName: (name) => explainBadPolicyName(name, true),
  crossFieldRules: ({ spec }) => [...stagedIssues(spec), ...policyIssues(spec, false)],
  writeDefaults: stagedDefaults,
  examples: {
    valid: {
      metadata: { name: 'web', namespace: 'shop' },
      spec: {
        selector: "app == 'web'",
        ingress: [{ action: 'Allow', protocol: 'TCP', destination: { ports: [443] } }],
      },
    },
    wrong: {
      metadata: { name: 'web', namespace: 'shop' },
      spec: { stagedAction: 'Delete', selector: "app == 'web'" },
      message: 'spec.selector: it must be empty where stagedAction is Delete',
    },
  },
});

export type StagedNetworkPolicy = ResourceOf<typeof stagedNetworkPolicy>;
