import * as v from 'valibot';
import { integer, selector, strictCidr } from '../fields.js';
import { defineKind, type ResourceOf } from '../meta.js';

const ENCAPSULATION_MODES = ['Never', 'Always', 'CrossSubnet'] as const;

export const ipPool = defineKind({
  kind: 'IPPool',
  plural: 'ippools',
  namespaced: false,
  aliases: ['ipp', 'ipps', 'pool', 'pools'],
  spec: v.strictObject({
    cidr: strictCidr(),
    blockSize: v.exactOptional(integer(20, 128)),
    ipipMode: v.exactOptional(v.picklist(ENCAPSULATION_MODES)),
    vxlanMode: v.exactOptional(v.picklist(ENCAPSULATION_MODES)),
    natOutgoing: v.exactOptional(v.boolean()),
    disabled: v.exactOptional(v.boolean()),
    disableBGPExport: v.exactOptional(v.boolean()),
    nodeSelector: v.exactOptional(selector()),
    namespaceSelector: v.exactOptional(selector()),
    allowedUses: v.exactOptional(v.array(v.picklist(['Workload', 'Tunnel', 'LoadBalancer']))),
    assignmentMode: v.exactOptional(v.picklist(['Automatic', 'Manual'])),
  }),
  examples: {
    valid: { metadata: { name: 'office' }, spec: { cidr: '192.168.0.0/16', natOutgoing: true } },
    wrong: {
      metadata: { name: 'office' },
      spec: { cidr: '10.0.0.0/33' },
      message: 'spec.cidr: "10.0.0.0/33" is not a CIDR: the prefix is at most 32',
    },
  },
});

export type IPPool = ResourceOf<typeof ipPool>;
