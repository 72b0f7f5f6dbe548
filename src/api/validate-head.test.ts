import { describe, expect, test } from 'vitest';
import { parseResource, validate } from './validate.js';

describe('validate(): apiVersion, kind, name', () => {
  test.each([
    ['v1', 'ipPool', /convert -f FILE$/],
    ['v1', 'policy', /convert -f FILE$/],
    ['v1', 'Tier', /^write apiVersion: projectcalico\.org\/v3$/],
    ['networking.k8s.io/v1', 'NetworkPolicy', /^it is Kubernetes' own: apply it with kubectl/],
    ['policy.networking.k8s.io/v1alpha2', 'ClusterNetworkPolicy', /^it is Kubernetes' own: apply it with kubectl/],
    ['crd.projectcalico.org/v1', 'IPPool', /^write apiVersion: projectcalico\.org\/v3$/],
  ])('says what to do with %s %s', (apiVersion, kind, hint) => {
    const [issue] = validate({ apiVersion, kind, metadata: { name: 'a' }, spec: {} });
    expect([issue?.code, issue?.hint]).toEqual(['unknown_kind', expect.stringMatching(hint)]);
  });

  test.each([{}, { name: '' }])('names a workload endpoint by its fields where nobody did: %j', (metadata) => {
    const spec = { orchestrator: 'k8s', node: 'n-1', pod: 'web-0', endpoint: 'eth0', interfaceName: 'cali1' };
    const endpoint = { apiVersion: 'projectcalico.org/v3', kind: 'WorkloadEndpoint', metadata, spec };
    expect(parseResource(endpoint).metadata.name).toBe('n--1-k8s-web--0-eth0');
    const [issue] = validate({ ...endpoint, spec: { ...spec, pod: undefined } });
    expect(issue?.path).toBe('metadata.name');
  });
});
