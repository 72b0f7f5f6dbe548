import type { LabWorkload } from '../../../lab/workload.js';

/**
 * Keys and values as another vendor's `calicoctl` and orchestrator leave them in etcd: fields that we do not know, tier-prefixed policy
 * names of older versions beside plain ones, no defaults filled in.
 */
export type Entry = readonly [path: string, value: object];

const RESOURCES = '/calico/resources/v3/projectcalico.org';
const CREATED = '2025-03-04T05:06:07Z';

function metadata(name: string, uid: number, more: object = {}): object {
  return { name, uid: `7f1b7f3c-0000-4000-8000-${String(uid).padStart(12, '0')}`, creationTimestamp: CREATED, ...more };
}

function entry(kind: string, plural: string, name: string, body: object): Entry {
  return [`${RESOURCES}/${plural}/${name}`, { kind, apiVersion: 'projectcalico.org/v3', ...body }];
}

export function profile(name: string): Entry {
  const spec = {
    egress: [{ action: 'Allow', source: {}, destination: {} }],
    ingress: [{ action: 'Allow', source: { selector: `has(${name})` }, destination: {} }],
    labelsToApply: { [name]: '' },
  };
  return entry('Profile', 'profiles', name, { metadata: metadata(name, 1), spec });
}

/** The endpoint of a lab workload in the profile's network. */
export function endpoint(workload: LabWorkload, node: string, profileName: string): Entry {
  const doubled = node.replaceAll('-', '--');
  const name = `${doubled}-cni-${workload.name.toLowerCase()}-eth0`;
  const spec = {
    containerID: workload.name.toLowerCase(),
    endpoint: 'eth0',
    interfaceName: workload.hostInterface,
    ipNetworks: workload.addresses.map((address) => `${address}/${address.includes(':') ? 128 : 32}`),
    node,
    orchestrator: 'cni',
    profiles: [profileName],
    someFieldOfTomorrow: { kept: true },
  };
  const labels = {
    'projectcalico.org/namespace': 'default',
    'projectcalico.org/orchestrator': 'cni',
    workload: workload.name,
  };
  const key = `${RESOURCES}/workloadendpoints/default/${name}`;
  return [
    key,
    {
      kind: 'WorkloadEndpoint',
      apiVersion: 'projectcalico.org/v3',
      metadata: metadata(name, 2, { namespace: 'default', labels, generation: 1, managedFields: [] }),
      spec,
    },
  ];
}

/** Lets TCP in on one port; the key has the form of versions before 3.32. */
export function oldStylePolicy(port: number): Entry {
  const spec = {
    order: 100,
    ingress: [
      { action: 'Allow', protocol: 'TCP', source: { selector: "workload == 'B'" }, destination: { ports: [port] } },
    ],
    selector: "workload == 'A'",
    types: ['Ingress'],
  };
  return entry('GlobalNetworkPolicy', 'globalnetworkpolicies', 'default.b-to-a', {
    metadata: metadata('default.b-to-a', 3),
    spec,
  });
}
