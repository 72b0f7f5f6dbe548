import * as v from 'valibot';
import type { Issue } from '../../base/errors.js';
import { ruleIssue } from '../issues.js';
import { defineKind, type ResourceOf } from '../meta.js';
import { explainBadLabelName } from '../names.js';

/** The order of a tier that names none. */
export const DEFAULT_TIER_ORDER = 1_000_000;

type TierSpec = { readonly order?: number; readonly defaultAction?: 'Deny' | 'Pass' };

/** Tiers that every cluster has, created when missing and never deleted. */
export const BUILT_IN_TIERS: Readonly<Record<string, Required<TierSpec>>> = {
  'kube-admin': { order: 1000, defaultAction: 'Pass' },
  default: { order: DEFAULT_TIER_ORDER, defaultAction: 'Deny' },
  'kube-baseline': { order: 10_000_000, defaultAction: 'Pass' },
};

const complete = (spec: TierSpec): Required<TierSpec> => ({
  ...spec,
  order: spec.order ?? DEFAULT_TIER_ORDER,
  defaultAction: spec.defaultAction ?? 'Deny',
});

export const tier = defineKind({
  kind: 'Tier',
  plural: 'tiers',
  namespaced: false,
  aliases: [],
  spec: v.strictObject({
    order: v.exactOptional(v.number()),
    defaultAction: v.exactOptional(v.picklist(['Deny', 'Pass'])),
  }),
  explainBadName: explainBadLabelName,
  crossFieldRules({ metadata, spec }) {
    const fixed = BUILT_IN_TIERS[metadata.name];
    const issues: Issue[] = [];
    if (fixed === undefined) return issues;
    for (const field of ['order', 'defaultAction'] as const) {
      if (spec[field] !== fixed[field]) {
        issues.push(ruleIssue(`spec.${field}`, `tier "${metadata.name}" has ${fixed[field]}, always`));
      }
    }
    return issues;
  },
  writeDefaults: complete,
  readUpgrade: complete,
  examples: {
    valid: { metadata: { name: 'security' }, spec: { order: 100, defaultAction: 'Pass' } },
    wrong: {
      metadata: { name: 'security.team' },
      spec: { order: 100 },
      message:
        'metadata.name: "security.team" is not a DNS label: lower-case letters, digits and "-", at most 63, no dot',
    },
  },
});

export type Tier = ResourceOf<typeof tier>;
