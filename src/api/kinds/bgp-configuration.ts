import * as v from 'valibot';
import { address, asNumber, cidr, duration, integer, secretReference } from '../fields.js';
import { defineKind, type ResourceOf } from '../meta.js';

const advertisedBlocks = () => v.exactOptional(v.array(v.strictObject({ cidr: cidr() })));

export const bgpConfiguration = defineKind({
  kind: 'BGPConfiguration',
  plural: 'bgpconfigurations',
  namespaced: false,
  aliases: ['bgpconfig', 'bgpconfigs'],
  spec: v.strictObject({
    logSeverityScreen: v.exactOptional(v.string()),
    nodeToNodeMeshEnabled: v.exactOptional(v.boolean()),
    asNumber: v.exactOptional(asNumber()),
    serviceClusterIPs: advertisedBlocks(),
    serviceExternalIPs: advertisedBlocks(),
    serviceLoadBalancerIPs: advertisedBlocks(),
    serviceLoadBalancerAggregation: v.exactOptional(v.picklist(['Enabled', 'Disabled'])),
    communities: v.exactOptional(v.array(v.strictObject({ name: v.string(), value: v.string() }))),
    prefixAdvertisements: v.exactOptional(
      v.array(v.strictObject({ cidr: cidr(), communities: v.exactOptional(v.array(v.string())) })),
    ),
    listenPort: v.exactOptional(integer(1, 65535)),
    nodeMeshPassword: v.exactOptional(secretReference()),
    nodeMeshMaxRestartTime: v.exactOptional(duration()),
    bindMode: v.exactOptional(v.picklist(['None', 'NodeIP'])),
    ignoredInterfaces: v.exactOptional(v.array(v.string())),
    localWorkloadPeeringIPV4: v.exactOptional(address(4)),
    localWorkloadPeeringIPV6: v.exactOptional(address(6)),
    programClusterRoutes: v.exactOptional(v.picklist(['Enabled', 'Disabled', 'EnabledIPIPOnly', 'EnabledNoEncapOnly'])),
    ipv4NormalRoutePriority: v.exactOptional(integer(1, 2147483646)),
    ipv6NormalRoutePriority: v.exactOptional(integer(1, 2147483646)),
  }),
  examples: {
    valid: { metadata: { name: 'default' }, spec: { asNumber: 64512, nodeToNodeMeshEnabled: true } },
    wrong: {
      metadata: { name: 'default' },
      spec: { asNumber: 4294967296 },
      message: 'spec.asNumber: "4294967296" is not an AS number: write 0 to 4294967295 or high.low',
    },
  },
});

export type BGPConfiguration = ResourceOf<typeof bgpConfiguration>;
