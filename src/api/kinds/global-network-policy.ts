import * as v from 'valibot';
import type { Issue } from '../../base/errors.js';
import { selector } from '../fields.js';
import { ruleIssue } from '../issues.js';
import { defineKind, type ResourceOf } from '../meta.js';
import { explainBadPolicyName } from '../names.js';
import { policyDefaults, policyFields, policyIssues } from './network-policy.js';

interface HookFields {
  readonly doNotTrack?: boolean;
  readonly preDNAT?: boolean;
  readonly applyOnForward?: boolean;
  readonly egress?: readonly unknown[];
  readonly types?: readonly string[];
}

/** Where in the packet's way the policy stands. */
export function hookIssues(spec: HookFields): Issue[] {
  const { doNotTrack = false, preDNAT = false, applyOnForward = false } = spec;
  const issues: Issue[] = [];
  if (doNotTrack && preDNAT) issues.push(ruleIssue('spec.preDNAT', 'it excludes doNotTrack: one of the two is true'));
  for (const [field, isSet] of Object.entries({ doNotTrack, preDNAT })) {
    if (isSet && !applyOnForward)
      issues.push(ruleIssue('spec.applyOnForward', `it must be true where ${field} is true`));
  }
  return preDNAT ? [...issues, ...preDnatIssues(spec)] : issues;
}

/** Before DNAT there is only what comes in. */
function preDnatIssues({ egress = [], types = [] }: HookFields): Issue[] {
  return [
    ...(egress.length > 0 ? [ruleIssue('spec.egress', 'preDNAT excludes egress rules')] : []),
    ...(types.includes('Egress') ? [ruleIssue('spec.types', 'preDNAT excludes Egress')] : []),
  ];
}

/** Fields that the global policy and its staged kind share. */
export const globalPolicyFields = {
  ...policyFields,
  namespaceSelector: v.exactOptional(selector()),
  doNotTrack: v.exactOptional(v.boolean()),
  preDNAT: v.exactOptional(v.boolean()),
  applyOnForward: v.exactOptional(v.boolean()),
};

export const globalNetworkPolicy = defineKind({
  kind: 'GlobalNetworkPolicy',
  plural: 'globalnetworkpolicies',
  namespaced: false,
  aliases: ['gnp', 'gnps'],
  spec: v.strictObject(globalPolicyFields),
  explainBadName: (name) => explainBadPolicyName(name, false),
  crossFieldRules: ({ spec }) => [...hookIssues(spec), ...policyIssues(spec, true)],
  writeDefaults: policyDefaults,
  examples: {
    valid: {
      metadata: { name: 'deny-telnet' },
      spec: { order: 10, ingress: [{ action: 'Deny', protocol: 'TCP', destination: { ports: [23] } }] },
    },
    wrong: {
      metadata: { name: 'deny-telnet' },
      spec: { preDNAT: true, ingress: [{ action: 'Deny' }] },
      message: 'spec.applyOnForward: it must be true where preDNAT is true',
    },
  },
});

export type GlobalNetworkPolicy = ResourceOf<typeof globalNetworkPolicy>;
