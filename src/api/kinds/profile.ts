import * as v from 'valibot';
import { defineKind, type ResourceOf } from '../meta.js';
import { labelIssues } from '../label-rules.js';
import { checkRules } from '../rule-checks.js';
import { rules } from '../rule.js';

export const profile = defineKind({
  kind: 'Profile',
  plural: 'profiles',
  namespaced: false,
  aliases: ['pro', 'pros'],
  spec: v.strictObject({
    ingress: v.exactOptional(rules()),
    egress: v.exactOptional(rules()),
    labelsToApply: v.exactOptional(v.record(v.string(), v.string())),
  }),
  crossFieldRules: ({ spec }) => [
    ...checkRules(spec, true),
    ...labelIssues('spec.labelsToApply', spec.labelsToApply ?? {}),
  ],
  examples: {
    valid: {
      metadata: { name: 'net1' },
      spec: {
        ingress: [{ action: 'Allow', source: { selector: "net == 'net1'" } }],
        egress: [{ action: 'Allow' }],
        labelsToApply: { net: 'net1' },
      },
    },
    wrong: {
      metadata: { name: 'net1' },
      spec: { egress: [{ action: 'allow' }] },
      message: 'spec.egress[0].action: "allow" is not one of Allow, Deny, Log, Pass',
    },
  },
});

export type Profile = ResourceOf<typeof profile>;

/** Allows everything both ways. Part of every get and list of profiles, of no watch, and never stored. */
export const defaultAllowProfile: Profile = {
  apiVersion: 'projectcalico.org/v3',
  kind: 'Profile',
  metadata: { name: 'projectcalico-default-allow' },
  spec: { ingress: [{ action: 'Allow' }], egress: [{ action: 'Allow' }] },
};
