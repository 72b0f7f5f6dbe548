import * as v from 'valibot';
import { selector } from '../fields.js';
import { defineKind, type ResourceOf } from '../meta.js';
import { policyFields } from './network-policy.js';

export const globalNetworkPolicy = defineKind({
  kind: 'GlobalNetworkPolicy',
  plural: 'globalnetworkpolicies',
  namespaced: false,
  aliases: ['gnp', 'gnps'],
  spec: v.strictObject({
    ...policyFields,
    namespaceSelector: v.exactOptional(selector()),
    doNotTrack: v.exactOptional(v.boolean()),
    preDNAT: v.exactOptional(v.boolean()),
    applyOnForward: v.exactOptional(v.boolean()),
  }),
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
