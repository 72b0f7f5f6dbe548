import type { WorkloadEndpoint } from '../../api/kinds/workload-endpoint.js';

/** What the first era calls the workload of an endpoint. */
export function workloadOf({ metadata, spec }: WorkloadEndpoint): string {
  switch (spec.orchestrator) {
    case 'k8s':
      return `${metadata.namespace ?? 'default'}.${spec.pod ?? ''}`;
    case 'cni':
      return spec.containerID ?? '';
    case 'libnetwork':
      return 'libnetwork';
    default:
      return spec.workload ?? '';
  }
}

/** Host, orchestrator, workload and endpoint: the columns of every table of endpoints. */
export function identityCells(endpoint: WorkloadEndpoint): readonly string[] {
  const { node, orchestrator, endpoint: id = '' } = endpoint.spec;
  return [node, orchestrator, workloadOf(endpoint), id];
}
