import type { GlobalNetworkSet } from '../api/kinds/global-network-set.js';
import type { NetworkSet } from '../api/kinds/network-set.js';
import type { WorkloadEndpoint } from '../api/kinds/workload-endpoint.js';
import type { ResourceKey } from '../api/resource-update.js';
import {
  NAMESPACE_LABEL,
  NAMESPACE_PREFIX,
  SERVICE_ACCOUNT_LABEL,
  SERVICE_ACCOUNT_PREFIX,
} from '../selector/translate.js';
import type { LabelRecord } from './label-index.js';
import { type NamedPort, type PortProtocol, SetContent } from './set-content.js';

/** Something selectors can match: its labels, the profiles it inherits labels from, and what it brings into sets. */
export interface ClusterItem {
  readonly labels: LabelRecord;
  readonly parents: readonly string[];
  readonly content: SetContent;
}

const ORCHESTRATOR_LABEL = 'projectcalico.org/orchestrator';
const LABEL_VALUE_LENGTH_MAX = 63;
const NO_LABELS: LabelRecord = {};

const PORT_PROTOCOLS = new Map<number | string, PortProtocol>([
  ['TCP', 'tcp'],
  [6, 'tcp'],
  ['UDP', 'udp'],
  [17, 'udp'],
  ['SCTP', 'sctp'],
  [132, 'sctp'],
]);

/** A copy only when something differs: what the store decoded is shared otherwise. */
function withLabels(labels: LabelRecord, forced: LabelRecord): LabelRecord {
  const isComplete = Object.entries(forced).every(([label, value]) => labels[label] === value);
  return isComplete ? labels : { ...labels, ...forced };
}

/** Prefixed names belong to namespaces and service accounts: an endpoint cannot give them to itself. */
function withoutInheritedNames(labels: LabelRecord): LabelRecord {
  const isOwn = (label: string): boolean =>
    !label.startsWith(NAMESPACE_PREFIX) && !label.startsWith(SERVICE_ACCOUNT_PREFIX);
  if (Object.keys(labels).every(isOwn)) return labels;
  return Object.fromEntries(Object.entries(labels).filter(([label]) => isOwn(label)));
}

function workloadLabels(key: ResourceKey, { metadata, spec }: WorkloadEndpoint): LabelRecord {
  const account = spec.serviceAccountName;
  const hasAccount = account !== undefined && account !== '' && account.length <= LABEL_VALUE_LENGTH_MAX;
  return withLabels(withoutInheritedNames(metadata.labels ?? NO_LABELS), {
    ...(key.namespace === undefined ? {} : { [NAMESPACE_LABEL]: key.namespace }),
    [ORCHESTRATOR_LABEL]: spec.orchestrator,
    ...(hasAccount ? { [SERVICE_ACCOUNT_LABEL]: account } : {}),
  });
}

function namedPorts({ spec }: WorkloadEndpoint): readonly NamedPort[] {
  const ports: NamedPort[] = [];
  for (const { name, protocol, port } of spec.ports ?? []) {
    const portProtocol = PORT_PROTOCOLS.get(protocol);
    if (name !== undefined && portProtocol !== undefined) ports.push({ name, protocol: portProtocol, port });
  }
  return ports;
}

/** A workload endpoint of any host. */
export function workloadItem(key: ResourceKey, resource: WorkloadEndpoint): ClusterItem {
  return {
    labels: workloadLabels(key, resource),
    parents: [...new Set(resource.spec.profiles)],
    content: new SetContent(resource.spec.ipNetworks ?? [], namedPorts(resource)),
  };
}

/** A network set; one with a namespace inherits that namespace's labels. */
export function networkSetItem(key: ResourceKey, resource: NetworkSet | GlobalNetworkSet): ClusterItem {
  const labels = resource.metadata.labels ?? NO_LABELS;
  const { namespace } = key;
  return {
    labels: namespace === undefined ? labels : withLabels(labels, { [NAMESPACE_LABEL]: namespace }),
    parents: namespace === undefined ? [] : [`kns.${namespace}`],
    content: new SetContent(resource.spec.nets ?? []),
  };
}
