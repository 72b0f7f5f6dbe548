import * as v from 'valibot';
import type { Issue } from '../../base/errors.js';
import { selector } from '../fields.js';
import { ruleIssue } from '../issues.js';
import { defineKind, type ResourceOf } from '../meta.js';
import { explainBadLabelName, explainBadPolicyName } from '../names.js';
import { type Rule, rules } from '../rule.js';
import { checkRules } from '../rule-checks.js';

const DIRECTIONS = ['Ingress', 'Egress'] as const;

export interface PolicySpec {
  readonly tier?: string;
  readonly types?: readonly (typeof DIRECTIONS)[number][];
  readonly ingress?: readonly Rule[];
  readonly egress?: readonly Rule[];
  readonly performanceHints?: readonly string[];
}

/** Rules that both kinds of policy keep. */
export function policyIssues(spec: PolicySpec, isGlobal: boolean): Issue[] {
  const { tier = 'default', types = [], performanceHints = [] } = spec;
  const badTier = explainBadLabelName(tier);
  const issues = badTier === undefined ? [] : [ruleIssue('spec.tier', badTier)];
  if (new Set(types).size !== types.length) issues.push(ruleIssue('spec.types', 'one type stands there twice'));
  if (new Set(performanceHints).size !== performanceHints.length) {
    issues.push(ruleIssue('spec.performanceHints', 'one hint stands there twice'));
  }
  return [...issues, ...checkRules(spec, isGlobal)];
}

/**
 * Fills in tier and types as they are stored. A policy without rules, or with ingress rules only, is for ingress; one with egress
 * rules only is for egress.
 */
export function policyDefaults<Spec extends PolicySpec>(spec: Spec): Spec {
  const { ingress = [], egress = [] } = spec;
  const isFor = { Ingress: ingress.length > 0 || egress.length === 0, Egress: egress.length > 0 };
  return {
    ...spec,
    tier: spec.tier === undefined || spec.tier === '' ? 'default' : spec.tier,
    types: spec.types ?? DIRECTIONS.filter((direction) => isFor[direction]),
  };
}

/** Fields that the namespaced and the global policy share. */
export const policyFields = {
  tier: v.exactOptional(v.string()),
  order: v.exactOptional(v.number()),
  selector: v.exactOptional(selector()),
  serviceAccountSelector: v.exactOptional(selector()),
  types: v.exactOptional(v.array(v.picklist(['Ingress', 'Egress']))),
  ingress: v.exactOptional(rules()),
  egress: v.exactOptional(rules()),
  performanceHints: v.exactOptional(v.array(v.picklist(['AssumeNeededOnEveryNode']))),
};

export const networkPolicy = defineKind({
  kind: 'NetworkPolicy',
  plural: 'networkpolicies',
  namespaced: true,
  aliases: ['policy', 'policies', 'np', 'nps', 'pol', 'pols'],
  spec: v.strictObject(policyFields),
  explainBadName: (name) => explainBadPolicyName(name, true),
  crossFieldRules: ({ spec }) => policyIssues(spec, false),
  writeDefaults: policyDefaults,
  examples: {
    valid: {
      metadata: { name: 'web', namespace: 'shop' },
      spec: {
        selector: "app == 'web'",
        ingress: [{ action: 'Allow', protocol: 'TCP', destination: { ports: [80] } }],
      },
    },
    wrong: {
      metadata: { name: 'web', namespace: 'shop' },
      spec: {
        selector: "app == 'web'",
        ingress: [{ action: 'Allow', protocol: 'TCP', destination: { ports: ['90:80'] } }],
      },
      message: 'spec.ingress[0].destination.ports[0]: "90:80" is not a port range: it ends before it begins',
    },
  },
});

export type NetworkPolicy = ResourceOf<typeof networkPolicy>;
