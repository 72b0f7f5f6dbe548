import * as v from 'valibot';
import { defineKind, type ResourceOf } from '../meta.js';
import { explainNotDefault } from '../names.js';

export const clusterInformation = defineKind({
  kind: 'ClusterInformation',
  plural: 'clusterinformations',
  namespaced: false,
  aliases: ['clusterinfo', 'clusterinfos'],
  spec: v.strictObject({
    clusterGUID: v.exactOptional(v.string()),
    clusterType: v.exactOptional(v.string()),
    calicoVersion: v.exactOptional(v.string()),
    datastoreReady: v.exactOptional(v.boolean()),
    variant: v.exactOptional(v.string()),
  }),
  explainBadName: explainNotDefault,
  examples: {
    valid: { metadata: { name: 'default' }, spec: { clusterType: 'bgp', datastoreReady: true } },
    wrong: {
      metadata: { name: 'mine' },
      spec: {},
      message: 'metadata.name: "mine" is not "default", the only name there is',
    },
  },
});

export type ClusterInformation = ResourceOf<typeof clusterInformation>;
