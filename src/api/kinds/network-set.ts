import * as v from 'valibot';
import { cidrOrAddress } from '../fields.js';
import { defineKind, type ResourceOf } from '../meta.js';

export const networkSetSpec = v.strictObject({ nets: v.exactOptional(v.array(cidrOrAddress())) });

export const networkSet = defineKind({
  kind: 'NetworkSet',
  plural: 'networksets',
  namespaced: true,
  aliases: ['netset', 'netsets'],
  spec: networkSetSpec,
  examples: {
    valid: { metadata: { name: 'partners', namespace: 'shop' }, spec: { nets: ['198.51.100.0/24', '192.0.2.7'] } },
    wrong: {
      metadata: { name: 'partners', namespace: 'shop' },
      spec: { nets: ['198.51.100.0/240'] },
      message: 'spec.nets[0]: "198.51.100.0/240" is neither a CIDR nor an IP address: the prefix is at most 32',
    },
  },
});

export type NetworkSet = ResourceOf<typeof networkSet>;
