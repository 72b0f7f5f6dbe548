import { CalicoError } from '../base/errors.js';

const LABEL = '[a-z0-9]([-a-z0-9]*[a-z0-9])?';
const SUBDOMAIN_PATTERN = new RegExp(`^${LABEL}(\\.${LABEL})*$`);
const LABEL_PATTERN = new RegExp(`^${LABEL}$`);
const POLICY_PATTERN = new RegExp(`^${LABEL}(\\.${LABEL})?$`);
const FOREIGN_POLICY_PATTERN = new RegExp(`^(knp|ossg)\\.default\\.${LABEL}(\\.${LABEL})*$`);

/** The rule for most names. */
export function explainBadSubdomain(name: string): string | undefined {
  if (name.length > 253) return `it has ${name.length} characters, at most 253 fit`;
  return SUBDOMAIN_PATTERN.test(name)
    ? undefined
    : `"${name}" is not a DNS name: lower-case letters, digits, "-" and ".", beginning and ending with a letter or digit`;
}

/** The rule for tiers. */
export function explainBadLabelName(name: string): string | undefined {
  return name.length <= 63 && LABEL_PATTERN.test(name)
    ? undefined
    : `"${name}" is not a DNS label: lower-case letters, digits and "-", at most 63, no dot`;
}

/** The rule for policies: a label, or two joined by a dot; namespaced policies may also stem from Kubernetes or OpenStack. */
export function explainBadPolicyName(name: string, namespaced: boolean): string | undefined {
  if (name.length > 253) return `it has ${name.length} characters, at most 253 fit`;
  if (POLICY_PATTERN.test(name) || (namespaced && FOREIGN_POLICY_PATTERN.test(name))) return undefined;
  return `"${name}" is not a policy's name: lower-case letters, digits and "-", with at most one dot`;
}

const QUALIFIED_NAME = /^([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]$/;

/** A label key: an optional DNS name and `/`, then at most 63 characters. */
export function explainBadLabelKey(key: string): string | undefined {
  const slash = key.indexOf('/');
  const prefix = slash < 0 ? undefined : key.slice(0, slash);
  const name = key.slice(slash + 1);
  if (prefix !== undefined && explainBadSubdomain(prefix) !== undefined) {
    return `"${prefix}" before the slash is not a DNS name`;
  }
  return name.length <= 63 && QUALIFIED_NAME.test(name)
    ? undefined
    : `"${key}" is not a label key: letters, digits, "-", "_" and ".", at most 63`;
}

function explainBadLabelValue(value: string): string | undefined {
  return value === '' || (value.length <= 63 && QUALIFIED_NAME.test(value))
    ? undefined
    : `"${value}" is not a label value: letters, digits, "-", "_" and ".", at most 63`;
}

export function explainBadLabel(key: string, value: string): string | undefined {
  return explainBadLabelKey(key) ?? explainBadLabelValue(value);
}

/** The rule for kinds of which every cluster has one object. */
export function explainNotDefault(name: string): string | undefined {
  return name === 'default' ? undefined : `"${name}" is not "default", the only name there is`;
}

/** What names a workload endpoint; which fields count depends on the orchestrator. */
export interface WorkloadEndpointIdentity {
  readonly node: string;
  readonly orchestrator: string;
  readonly pod?: string;
  readonly containerID?: string;
  readonly workload?: string;
  readonly endpoint?: string;
}

interface WorkloadField {
  readonly field: 'pod' | 'containerID' | 'workload';
  /** Where the orchestrator always has the same workload. */
  readonly fixed?: string;
}

function workloadField(orchestrator: string): WorkloadField {
  if (orchestrator === 'k8s') return { field: 'pod' };
  if (orchestrator === 'cni') return { field: 'containerID' };
  if (orchestrator === 'libnetwork') return { field: 'workload', fixed: 'libnetwork' };
  return { field: 'workload' };
}

function segmentsOf(identity: WorkloadEndpointIdentity): readonly (readonly [field: string, value: string])[] {
  const { field, fixed } = workloadField(identity.orchestrator);
  return [
    ['node', identity.node],
    ['orchestrator', identity.orchestrator],
    [field, fixed ?? identity[field] ?? ''],
    ['endpoint', identity.endpoint ?? ''],
  ];
}

/** Why these fields give no name, with the field at fault; undefined when they do. */
export function explainBadIdentity(
  identity: WorkloadEndpointIdentity,
): { readonly field: string; readonly message: string } | undefined {
  for (const [field, value] of segmentsOf(identity)) {
    if (value === '')
      return { field, message: `it is missing: an endpoint of "${identity.orchestrator}" is named by it` };
    if (value.startsWith('-') || value.endsWith('-')) {
      return { field, message: `"${value}" begins or ends with "-"` };
    }
  }
  return undefined;
}

/**
 * The name of a workload endpoint: `<node>-<orchestrator>-<workload>-<endpoint>`, each "-" within a part doubled.
 *
 * @throws {CalicoError} `ERR_CALI_API_ENDPOINT_NAME` when a part is missing or begins or ends with "-"
 * @example workloadEndpointName({ node: 'n-1', orchestrator: 'k8s', pod: 'web-0', endpoint: 'eth0' }) // n--1-k8s-web--0-eth0
 */
export function workloadEndpointName(identity: WorkloadEndpointIdentity): string {
  const bad = explainBadIdentity(identity);
  if (bad !== undefined) throw new CalicoError('ERR_CALI_API_ENDPOINT_NAME', `spec.${bad.field}: ${bad.message}`);
  return segmentsOf(identity)
    .map(([, value]) => value.replaceAll('-', '--'))
    .join('-');
}

/** How the names of all of an orchestrator's endpoints on a node begin. */
export function workloadEndpointNamePrefix(node: string, orchestrator: string): string {
  return [node, orchestrator, ''].map((value) => value.replaceAll('-', '--')).join('-');
}

/** The inverse of {@link workloadEndpointName}; undefined when the text has not that form. */
export function parseWorkloadEndpointName(name: string): WorkloadEndpointIdentity | undefined {
  const segments = name.split(/(?<!-)-(?!-)/).map((segment) => segment.replaceAll('--', '-'));
  const [node, orchestrator, workload, endpoint] = segments;
  if (segments.length !== 4 || node === undefined || orchestrator === undefined) return undefined;
  if (workload === undefined || endpoint === undefined) return undefined;
  const { field, fixed } = workloadField(orchestrator);
  if (fixed !== undefined && workload !== fixed) return undefined;
  const identity = { node, orchestrator, [field]: workload, endpoint };
  return explainBadIdentity(identity) === undefined && workloadEndpointName(identity) === name ? identity : undefined;
}

function escapeSegment(segment: string): string {
  return segment.replaceAll('%', '%25').replaceAll('/', '%2f');
}

/** What the version-1 model calls the workload: `<namespace>/<pod, container or workload>`. */
export function workloadId(namespace: string, identity: WorkloadEndpointIdentity): string {
  const { field, fixed } = workloadField(identity.orchestrator);
  return `${namespace}/${fixed ?? identity[field] ?? ''}`;
}

/** Key of an endpoint in the version-1 model, which other agents and OpenStack's driver use. */
export function workloadEndpointV1Path(namespace: string, identity: WorkloadEndpointIdentity): string {
  const { node, orchestrator, endpoint = '' } = identity;
  const workload = escapeSegment(workloadId(namespace, identity));
  return `/calico/v1/host/${escapeSegment(node)}/workload/${escapeSegment(orchestrator)}/${workload}/endpoint/${escapeSegment(endpoint)}`;
}
