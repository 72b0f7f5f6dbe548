import * as v from 'valibot';
import { defineKind, type ResourceOf } from '../meta.js';
import { explainBadPolicyName } from '../names.js';
import { globalPolicyFields, hookIssues } from './global-network-policy.js';
import { policyIssues } from './network-policy.js';
import { stagedAction, stagedDefaults, stagedIssues } from './staged-network-policy.js';

export const stagedGlobalNetworkPolicy = defineKind({
  kind: 'StagedGlobalNetworkPolicy',
  plural: 'stagedglobalnetworkpolicies',
  namespaced: false,
  aliases: ['sgnp', 'sgnps'],
  spec: v.strictObject({ ...globalPolicyFields, stagedAction: stagedAction() }),
  explainBadName: (name) => explainBadPolicyName(name, false),
  crossFieldRules: ({ spec }) => [...stagedIssues(spec), ...hookIssues(spec), ...policyIssues(spec, true)],
  writeDefaults: stagedDefaults,
  examples: {
    valid: {
      metadata: { name: 'deny-telnet' },
      spec: { order: 10, ingress: [{ action: 'Deny', protocol: 'TCP', destination: { ports: [23] } }] },
    },
    wrong: {
      metadata: { name: 'deny-telnet' },
      spec: { stagedAction: 'delete' },
      message: 'spec.stagedAction: "delete" is not one of Set, Delete, Learn, Ignore',
    },
  },
});

export type StagedGlobalNetworkPolicy = ResourceOf<typeof stagedGlobalNetworkPolicy>;
