import type { ResourceUpdate } from '../../src/api/resource-update.js';

export interface ClusterSize {
  readonly name: string;
  readonly endpoints: number;
  readonly localEndpoints: number;
  readonly policies: number;
}

export const CLUSTER_10K: ClusterSize = { name: '10k', endpoints: 10_000, localEndpoints: 100, policies: 1_000 };
export const CLUSTER_100K: ClusterSize = { name: '100k', endpoints: 100_000, localEndpoints: 250, policies: 10_000 };

/** The host whose endpoints are local. */
export const LOCAL_HOST = 'host-0';

/** Namespaces hold 100 endpoints each; an application has 10 of them, and a policy of its own in its namespace. */
const ENDPOINTS_PER_NAMESPACE = 100;
const APPS_PER_NAMESPACE = 10;
const ENDPOINTS_PER_HOST = 100;

function update(
  kind: string,
  key: { namespace?: string; name: string },
  spec: object,
  labels?: object,
): ResourceUpdate {
  const metadata = { ...key, uid: '00000000-0000-4000-8000-000000000000', creationTimestamp: '2024-01-01T00:00:00Z' };
  const value = {
    apiVersion: 'projectcalico.org/v3',
    kind,
    metadata: labels === undefined ? metadata : { ...metadata, labels },
    spec,
  };
  return { kind, key: { kind, ...key }, value, revision: '1' } as ResourceUpdate;
}

/** Index of the nth local endpoint: spread over namespaces and applications, as a scheduler would. */
export function localEndpointIndex(nth: number, { endpoints, localEndpoints }: ClusterSize): number {
  return nth * Math.floor(endpoints / localEndpoints) + (nth % APPS_PER_NAMESPACE);
}

/** Index of the policy that selects an endpoint. */
export function policyIndexOf(endpointIndex: number): number {
  const namespaceIndex = Math.floor(endpointIndex / ENDPOINTS_PER_NAMESPACE);
  return namespaceIndex * APPS_PER_NAMESPACE + (endpointIndex % APPS_PER_NAMESPACE);
}

/** Index of an endpoint of another host that the policy of this endpoint lets in. */
export function peerIndexOf(endpointIndex: number): number {
  const first = Math.floor(endpointIndex / ENDPOINTS_PER_NAMESPACE) * ENDPOINTS_PER_NAMESPACE;
  return first + 50 + ((endpointIndex + 1) % APPS_PER_NAMESPACE);
}

function hostOf(index: number, size: ClusterSize): string {
  const nth = Math.floor(index / Math.floor(size.endpoints / size.localEndpoints));
  const isLocal = nth < size.localEndpoints && localEndpointIndex(nth, size) === index;
  return isLocal ? LOCAL_HOST : `host-${1 + Math.floor(index / ENDPOINTS_PER_HOST)}`;
}

/** One workload endpoint; `extra` labels come on top of those every endpoint has. */
export function endpointUpdate(index: number, size: ClusterSize, extra: object = {}): ResourceUpdate {
  const namespaceIndex = Math.floor(index / ENDPOINTS_PER_NAMESPACE);
  const namespace = `ns-${namespaceIndex}`;
  const app = `app-${index % APPS_PER_NAMESPACE}`;
  const node = hostOf(index, size);
  const address = `10.${index >> 16}.${(index >> 8) & 255}.${index & 255}`;
  const labels = {
    app,
    'app-in-namespace': `${namespace}-${app}`,
    'pod-template-hash': `${namespaceIndex}x${index % APPS_PER_NAMESPACE}`,
    'projectcalico.org/namespace': namespace,
    'projectcalico.org/orchestrator': 'k8s',
    ...extra,
  };
  const spec = {
    orchestrator: 'k8s',
    node,
    pod: `pod-${index}`,
    endpoint: 'eth0',
    interfaceName: `cali${index.toString(16).padStart(11, '0')}`,
    ipNetworks: [`${address}/32`, `fd00::${(index >> 16).toString(16)}:${(index & 0xffff).toString(16)}/128`],
    profiles: [`kns.${namespace}`, `ksa.${namespace}.default`],
    ports: [{ name: 'http', protocol: 'TCP', port: 8080 }],
  };
  return update('WorkloadEndpoint', { namespace, name: `${node}-k8s-pod--${index}-eth0` }, spec, labels);
}

/** The policy of one application: from another application, from a labelled namespace, from a network. */
export function policyUpdate(index: number, port = 8080): ResourceUpdate {
  const namespaceIndex = Math.floor(index / APPS_PER_NAMESPACE);
  const app = index % APPS_PER_NAMESPACE;
  const from = `app-${(app + 1) % APPS_PER_NAMESPACE}`;
  const destination = { ports: [port, '9000:9010'] };
  const spec = {
    tier: 'default',
    order: index % 7,
    selector: `app == 'app-${app}'`,
    types: ['Ingress', 'Egress'],
    ingress: [
      { action: 'Allow', protocol: 'TCP', source: { selector: `app == '${from}'` }, destination },
      { action: 'Allow', protocol: 'TCP', source: { namespaceSelector: `team == 'team-${index % 20}'` }, destination },
      { action: 'Allow', protocol: 'TCP', source: { nets: ['192.0.2.0/24', '198.51.100.0/24'] }, destination },
    ],
    egress: [
      { action: 'Allow', destination: { selector: `app == '${from}'` } },
      { action: 'Deny', protocol: 'UDP' },
    ],
  };
  return update('NetworkPolicy', { namespace: `ns-${namespaceIndex}`, name: `policy-${index}` }, spec);
}

function profileUpdates(namespaceIndex: number): ResourceUpdate[] {
  const namespace = `ns-${namespaceIndex}`;
  const allow = [{ action: 'Allow' }];
  const labels = { 'pcns.projectcalico.org/name': namespace, 'pcns.team': `team-${namespaceIndex % 100}` };
  return [
    update('Profile', { name: `kns.${namespace}` }, { ingress: allow, egress: allow, labelsToApply: labels }),
    update(
      'Profile',
      { name: `ksa.${namespace}.default` },
      { labelsToApply: { 'pcsa.projectcalico.org/name': 'default' } },
    ),
  ];
}

/** Everything in the cluster, in the order in which a syncer lists it: endpoints first. */
export function clusterUpdates(size: ClusterSize): ResourceUpdate[] {
  const updates: ResourceUpdate[] = [];
  for (let i = 0; i < size.endpoints; i += 1) updates.push(endpointUpdate(i, size));
  for (let i = 0; i < size.endpoints / ENDPOINTS_PER_NAMESPACE; i += 1) updates.push(...profileUpdates(i));
  for (let i = 0; i < size.policies; i += 1) updates.push(policyUpdate(i));
  updates.push(update('Tier', { name: 'default' }, { order: 1_000_000, defaultAction: 'Deny' }));
  updates.push(
    update(
      'GlobalNetworkPolicy',
      { name: 'baseline' },
      {
        order: 1_000,
        types: ['Ingress'],
        ingress: [{ action: 'Deny', source: { selector: "quarantined == 'true'" } }],
      },
    ),
  );
  return updates;
}
