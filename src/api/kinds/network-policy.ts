import * as v from 'valibot';
import { selector } from '../fields.js';
import { defineKind, type ResourceOf } from '../meta.js';
import { rules } from '../rule.js';

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
