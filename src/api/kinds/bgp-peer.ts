import * as v from 'valibot';
import { address, asNumber, duration, integer, secretReference, selector } from '../fields.js';
import { defineKind, type ResourceOf } from '../meta.js';

export const bgpPeer = defineKind({
  kind: 'BGPPeer',
  plural: 'bgppeers',
  namespaced: false,
  aliases: ['bgpp', 'bgpps', 'bp', 'bps'],
  spec: v.strictObject({
    node: v.exactOptional(v.string()),
    nodeSelector: v.exactOptional(selector()),
    peerIP: v.exactOptional(v.string()),
    asNumber: v.exactOptional(asNumber()),
    localASNumber: v.exactOptional(asNumber()),
    peerSelector: v.exactOptional(selector()),
    localWorkloadSelector: v.exactOptional(selector()),
    keepOriginalNextHop: v.exactOptional(v.boolean()),
    nextHopMode: v.exactOptional(v.picklist(['Auto', 'Self', 'Keep'])),
    password: v.exactOptional(secretReference()),
    sourceAddress: v.exactOptional(v.picklist(['UseNodeIP', 'None'])),
    maxRestartTime: v.exactOptional(duration()),
    keepaliveTime: v.exactOptional(duration()),
    numAllowedLocalASNumbers: v.exactOptional(integer(0, 2147483647)),
    ttlSecurity: v.exactOptional(integer(0, 255)),
    reachableBy: v.exactOptional(address()),
    filters: v.exactOptional(v.array(v.string())),
    reversePeering: v.exactOptional(v.picklist(['Auto', 'Manual'])),
  }),
  examples: {
    valid: { metadata: { name: 'rack-1' }, spec: { peerIP: '192.0.2.254', asNumber: 64513 } },
    wrong: {
      metadata: { name: 'rack-1' },
      spec: { node: 'calico-01', nodeSelector: 'all()', peerIP: '192.0.2.254', asNumber: 64513 },
      message: 'spec.nodeSelector: it excludes node: give one of the two',
    },
  },
});

export type BGPPeer = ResourceOf<typeof bgpPeer>;
