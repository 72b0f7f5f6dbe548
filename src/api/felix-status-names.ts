import type { WorkloadEndpoint } from './kinds/workload-endpoint.js';

/** A part of a key: `/` would end it. */
export function escapedPart(part: string): string {
  return part.replaceAll('%', '%25').replaceAll('/', '%2f');
}

function hostPath(region: string, host: string): string {
  return `v2/${region === '' ? 'no-region' : `region-${region}`}/host/${host}`;
}

/** Name of the FelixStatus that goes when the host is gone. */
export function hostStatusName(region: string, host: string): string {
  return `${hostPath(region, host)}/status`;
}

/** Name of the FelixStatus that stays: when the host was last heard of. */
export function lastReportedName(region: string, host: string): string {
  return `${hostPath(region, host)}/last_reported_status`;
}

/** What names an endpoint, apart from its host. */
export interface EndpointIdentity {
  readonly orchestrator: string;
  /** `<namespace>/<pod, container or workload>`. */
  readonly workload: string;
  readonly endpoint: string;
}

export function endpointIdentity({ metadata, spec }: WorkloadEndpoint): EndpointIdentity {
  const name = spec.pod ?? spec.containerID ?? spec.workload ?? '';
  return {
    orchestrator: spec.orchestrator,
    workload: `${metadata.namespace ?? ''}/${name}`,
    endpoint: spec.endpoint ?? '',
  };
}

/** Where an endpoint stands under its host, in keys and in names of files. */
export function endpointPath({ orchestrator, workload, endpoint }: EndpointIdentity): string {
  return `workload/${escapedPart(orchestrator)}/${escapedPart(workload)}/endpoint/${escapedPart(endpoint)}`;
}

/** Names of all FelixStatus of the endpoints of a host begin so. */
export function endpointStatusPrefix(region: string, host: string): string {
  return `${hostPath(region, host)}/workload/`;
}

export function endpointStatusName(region: string, host: string, identity: EndpointIdentity): string {
  return `${hostPath(region, host)}/${endpointPath(identity)}`;
}
