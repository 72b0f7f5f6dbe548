import * as v from 'valibot';
import { canonicalPrefix } from '../../net/prefix.js';
import { address, cidrOrAddress, mac } from '../fields.js';
import { ruleIssue } from '../issues.js';
import { explainBadIdentity, type WorkloadEndpointIdentity, workloadEndpointName } from '../names.js';
import { labelsOfV1, portsOfV1 } from './host-endpoint.js';
import { defineV1Kind } from './kind.js';
import { convertName, convertNodeName, convertProfileName } from './names.js';
import { given } from './rules.js';
import { convertLabels } from './selectors.js';

interface Written {
  readonly name: string;
  readonly node: string;
  readonly orchestrator: string;
  readonly workload: string;
  readonly activeInstanceID?: string;
}

interface Placed {
  readonly namespace: string;
  readonly identity: WorkloadEndpointIdentity;
}

/** Where it stands today; undefined for a Kubernetes workload that is not `NAMESPACE.POD`. */
function placeOf({ name, node, orchestrator, workload, activeInstanceID }: Written): Placed | undefined {
  const same = { node: convertNodeName(node), endpoint: convertName(name) };
  switch (orchestrator) {
    case 'k8s': {
      const dot = workload.indexOf('.');
      if (dot < 1 || dot === workload.length - 1) return undefined;
      const instance = activeInstanceID === undefined ? {} : { containerID: activeInstanceID };
      const identity = { ...same, orchestrator, pod: workload.slice(dot + 1), ...instance };
      return { namespace: workload.slice(0, dot), identity };
    }
    case 'cni':
      return { namespace: 'default', identity: { ...same, orchestrator, containerID: workload } };
    case 'libnetwork':
      return { namespace: 'default', identity: { ...same, orchestrator, workload: 'libnetwork' } };
    default: {
      const identity = { ...same, orchestrator: convertName(orchestrator), workload: convertName(workload) };
      return { namespace: 'default', identity };
    }
  }
}

/** Which v1 field a part of the name came from. */
const ORIGIN: Readonly<Record<string, string>> = {
  node: 'metadata.node',
  orchestrator: 'metadata.orchestrator',
  endpoint: 'metadata.name',
};

export const workloadEndpointOfV1 = defineV1Kind({
  kind: 'workloadEndpoint',
  becomes: 'WorkloadEndpoint',
  metadata: v.strictObject({
    name: v.string(),
    workload: v.string(),
    orchestrator: v.string(),
    node: v.string(),
    activeInstanceID: v.exactOptional(v.string()),
    labels: labelsOfV1(),
  }),
  spec: v.strictObject({
    ipNetworks: v.exactOptional(v.array(cidrOrAddress())),
    ipNATs: v.exactOptional(v.array(v.strictObject({ internalIP: address(), externalIP: address() }))),
    ipv4Gateway: v.exactOptional(address()),
    ipv6Gateway: v.exactOptional(address()),
    profiles: v.exactOptional(v.array(v.string())),
    interfaceName: v.string(),
    mac: v.exactOptional(mac()),
    ports: portsOfV1(),
  }),
  convert({ metadata, spec }) {
    const placed = placeOf(metadata);
    if (placed === undefined) {
      const message = `malformed k8s workload ID '${metadata.workload}': workload was not added through the Calico CNI plugin and cannot be converted`;
      return { refusals: [ruleIssue('metadata.workload', message)] };
    }
    const bad = explainBadIdentity(placed.identity);
    if (bad !== undefined) return { refusals: [ruleIssue(ORIGIN[bad.field] ?? 'metadata.workload', bad.message)] };
    return {
      metadata: {
        name: workloadEndpointName(placed.identity),
        namespace: placed.namespace,
        ...(metadata.labels === undefined ? {} : { labels: convertLabels(metadata.labels) }),
      },
      spec: given({
        ...spec,
        ...placed.identity,
        ipNetworks: spec.ipNetworks?.map(canonicalPrefix),
        profiles: spec.profiles?.map(convertProfileName),
      }),
    };
  },
});
