import { defineKind, type ResourceOf } from '../meta.js';
import { networkSetIssues, networkSetSpec } from './network-set.js';

export const globalNetworkSet = defineKind({
  kind: 'GlobalNetworkSet',
  plural: 'globalnetworksets',
  namespaced: false,
  aliases: ['gnetset', 'gnetsets'],
  spec: networkSetSpec,
  crossFieldRules: networkSetIssues,
  examples: {
    valid: { metadata: { name: 'partners', labels: { role: 'partner' } }, spec: { nets: ['2001:db8::/32'] } },
    wrong: {
      metadata: { name: 'partners' },
      spec: { nets: ['partner.example'] },
      message:
        'spec.nets[0]: "partner.example" is neither a CIDR nor an IP address: "partner.example" is not an IP address',
    },
  },
});

export type GlobalNetworkSet = ResourceOf<typeof globalNetworkSet>;
