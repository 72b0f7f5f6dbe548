import * as v from 'valibot';
import { address, cidr, integer, interfaceName, mac } from '../fields.js';
import { defineKind, type ResourceOf } from '../meta.js';
import { protocol } from '../rule.js';

const amount = () => v.exactOptional(integer(0, 10 ** 15));

export const workloadEndpoint = defineKind({
  kind: 'WorkloadEndpoint',
  plural: 'workloadendpoints',
  namespaced: true,
  aliases: ['wep', 'weps'],
  spec: v.strictObject({
    orchestrator: v.string(),
    workload: v.exactOptional(v.string()),
    node: v.string(),
    containerID: v.exactOptional(v.string()),
    pod: v.exactOptional(v.string()),
    endpoint: v.exactOptional(v.string()),
    serviceAccountName: v.exactOptional(v.string()),
    ipNetworks: v.exactOptional(v.array(cidr())),
    ipNATs: v.exactOptional(v.array(v.strictObject({ internalIP: address(), externalIP: address() }))),
    ipv4Gateway: v.exactOptional(address(4)),
    ipv6Gateway: v.exactOptional(address(6)),
    profiles: v.exactOptional(v.array(v.string())),
    interfaceName: interfaceName(),
    mac: v.exactOptional(mac()),
    ports: v.exactOptional(
      v.array(
        v.strictObject({
          name: v.exactOptional(v.string()),
          protocol: protocol(),
          port: integer(0, 65535),
          hostPort: v.exactOptional(integer(0, 65535)),
          hostIP: v.exactOptional(v.string()),
        }),
      ),
    ),
    allowSpoofedSourcePrefixes: v.exactOptional(v.array(cidr())),
    qosControls: v.exactOptional(
      v.strictObject({
        ingressBandwidth: amount(),
        egressBandwidth: amount(),
        ingressBurst: amount(),
        egressBurst: amount(),
        ingressPeakrate: amount(),
        egressPeakrate: amount(),
        ingressMinburst: amount(),
        egressMinburst: amount(),
        ingressPacketRate: amount(),
        egressPacketRate: amount(),
        ingressPacketBurst: amount(),
        egressPacketBurst: amount(),
        ingressMaxConnections: amount(),
        egressMaxConnections: amount(),
        dscp: v.exactOptional(v.union([integer(0, 63), v.string()])),
      }),
    ),
  }),
  examples: {
    valid: {
      metadata: { name: 'calico--01-cni-a1b2-eth0', namespace: 'default' },
      spec: {
        orchestrator: 'cni',
        node: 'calico-01',
        containerID: 'a1b2',
        endpoint: 'eth0',
        interfaceName: 'cali0a1b2c3d4e5',
        ipNetworks: ['192.168.0.1/32'],
        profiles: ['net1'],
      },
    },
    wrong: {
      metadata: { name: 'calico--01-cni-a1b2-eth0', namespace: 'default' },
      spec: {
        orchestrator: 'cni',
        node: 'calico-01',
        containerID: 'a1b2',
        endpoint: 'eth0',
        interfaceName: 'cali0a1b2c3d4e5',
        ipNetworks: ['192.168.0.0/24'],
      },
      message: 'spec.ipNetworks[0]: "192.168.0.0/24" is not one address: write a /32 or a /128',
    },
  },
});

export type WorkloadEndpoint = ResourceOf<typeof workloadEndpoint>;
