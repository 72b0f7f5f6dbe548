import * as v from 'valibot';
import { address, asNumber, cidr, mac } from '../fields.js';
import { ruleIssue } from '../issues.js';
import { defineKind, type ResourceOf } from '../meta.js';

export const node = defineKind({
  kind: 'Node',
  plural: 'nodes',
  namespaced: false,
  aliases: ['no', 'nos'],
  spec: v.strictObject({
    bgp: v.exactOptional(
      v.strictObject({
        asNumber: v.exactOptional(asNumber()),
        ipv4Address: v.exactOptional(cidr(4)),
        ipv6Address: v.exactOptional(cidr(6)),
        ipv4IPIPTunnelAddr: v.exactOptional(address(4)),
        routeReflectorClusterID: v.exactOptional(address(4)),
      }),
    ),
    ipv4VXLANTunnelAddr: v.exactOptional(address(4)),
    ipv6VXLANTunnelAddr: v.exactOptional(address(6)),
    vxlanTunnelMACAddr: v.exactOptional(mac()),
    vxlanTunnelMACAddrV6: v.exactOptional(mac()),
    wireguard: v.exactOptional(
      v.strictObject({
        interfaceIPv4Address: v.exactOptional(address(4)),
        interfaceIPv6Address: v.exactOptional(address(6)),
      }),
    ),
    orchRefs: v.exactOptional(
      v.array(v.strictObject({ nodeName: v.exactOptional(v.string()), orchestrator: v.string() })),
    ),
    addresses: v.exactOptional(
      v.array(
        v.strictObject({
          address: v.string(),
          type: v.exactOptional(v.picklist(['CalicoNodeIP', 'InternalIP', 'ExternalIP'])),
        }),
      ),
    ),
    interfaces: v.exactOptional(
      v.array(v.strictObject({ name: v.exactOptional(v.string()), addresses: v.exactOptional(v.array(v.string())) })),
    ),
  }),
  crossFieldRules: ({ spec: { bgp } }) =>
    bgp !== undefined && Object.keys(bgp).length === 0
      ? [ruleIssue('spec.bgp', 'it is empty: give at least one of its fields, or leave it out')]
      : [],
  examples: {
    valid: { metadata: { name: 'calico-01' }, spec: { bgp: { ipv4Address: '192.0.2.1/24', asNumber: 64512 } } },
    wrong: {
      metadata: { name: 'calico-01' },
      spec: { bgp: {} },
      message: 'spec.bgp: it is empty: give at least one of its fields, or leave it out',
    },
  },
});

export type Node = ResourceOf<typeof node>;
