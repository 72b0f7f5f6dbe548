import * as v from 'valibot';
import type { Issue } from '../../base/errors.js';
import { tryParsePrefix } from '../../net/prefix.js';
import { address, cidr, integer, interfaceName, mac } from '../fields.js';
import { ruleIssue } from '../issues.js';
import { defineKind, type ResourceOf } from '../meta.js';
import { explainBadIdentity, workloadEndpointName } from '../names.js';
import { protocol } from '../rule.js';

const amount = () => v.exactOptional(integer(0, 10 ** 15));

function isOneAddress(text: string): boolean {
  const prefix = tryParsePrefix(text);
  return prefix !== undefined && prefix.length === (prefix.address.family === 4 ? 32 : 128);
}

interface EndpointAddresses {
  readonly ipNetworks?: readonly string[];
  readonly ipNATs?: readonly { readonly internalIP: string; readonly externalIP: string }[];
}

function addressIssues({ ipNetworks = [], ipNATs = [] }: EndpointAddresses): Issue[] {
  const issues = ipNetworks.flatMap((text, index) =>
    isOneAddress(text)
      ? []
      : [ruleIssue(`spec.ipNetworks[${index}]`, `"${text}" is not one address: write a /32 or a /128`)],
  );
  const own = new Set(ipNetworks.map((text) => text.split('/')[0]));
  for (const [index, { internalIP, externalIP }] of ipNATs.entries()) {
    if (!own.has(internalIP)) {
      issues.push(ruleIssue(`spec.ipNATs[${index}].internalIP`, `"${internalIP}" is not in ipNetworks`));
    }
    if (internalIP.includes(':') !== externalIP.includes(':')) {
      issues.push(
        ruleIssue(`spec.ipNATs[${index}].externalIP`, `"${externalIP}" is of the other IP version than internalIP`),
      );
    }
  }
  return issues;
}

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
  nameOf: (spec) => (explainBadIdentity(spec) === undefined ? workloadEndpointName(spec) : undefined),
  crossFieldRules({ metadata, spec }) {
    const bad = explainBadIdentity(spec);
    if (bad !== undefined) return [ruleIssue(`spec.${bad.field}`, bad.message), ...addressIssues(spec)];
    const name = workloadEndpointName(spec);
    const misnamed = [ruleIssue('metadata.name', `"${metadata.name}" is not "${name}", which its fields give`)];
    return [...(metadata.name === name ? [] : misnamed), ...addressIssues(spec)];
  },
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
