import type { WorkloadEndpoint } from '../api/kinds/workload-endpoint.js';
import { hashHex } from '../base/hash.js';

/** Longest name of a file on the file systems of Linux, in bytes. */
const LONGEST_NAME = 255;

/** A part of a key: `/` would end it. */
function escaped(part: string): string {
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

function endpointPath({ orchestrator, workload, endpoint }: EndpointIdentity): string {
  return `workload/${escaped(orchestrator)}/${escaped(workload)}/endpoint/${escaped(endpoint)}`;
}

/** Names of all FelixStatus of the endpoints of a host begin so. */
export function endpointStatusPrefix(region: string, host: string): string {
  return `${hostPath(region, host)}/workload/`;
}

export function endpointStatusName(region: string, host: string, identity: EndpointIdentity): string {
  return `${hostPath(region, host)}/${endpointPath(identity)}`;
}

/** Names of the files of a host's endpoints begin so; several hosts of a test may share a folder. */
export function statusFilePrefix(host: string): string {
  return escaped(`/calico/v1/host/${host}/`);
}

/** The endpoint's key as a file name. One that is too long ends in a hash. */
export function statusFileName(host: string, identity: EndpointIdentity): string {
  const name = `${statusFilePrefix(host)}${escaped(endpointPath(identity))}`;
  const hash = hashHex('sha256', name);
  return name.length <= LONGEST_NAME ? name : `${name.slice(0, LONGEST_NAME - hash.length - 1)}-${hash}`;
}
