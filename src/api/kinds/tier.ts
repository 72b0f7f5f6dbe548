import * as v from 'valibot';
import { defineKind, type ResourceOf } from '../meta.js';

/** The order of a tier that names none. */
export const DEFAULT_TIER_ORDER = 1_000_000;

export const tier = defineKind({
  kind: 'Tier',
  plural: 'tiers',
  namespaced: false,
  aliases: [],
  spec: v.strictObject({
    order: v.exactOptional(v.number()),
    defaultAction: v.exactOptional(v.picklist(['Deny', 'Pass'])),
  }),
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
