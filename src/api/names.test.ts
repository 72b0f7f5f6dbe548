import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  explainBadIdentity,
  explainBadLabel,
  explainBadLabelKey,
  explainBadPolicyName,
  explainBadSubdomain,
  parseWorkloadEndpointName,
  workloadEndpointName,
  workloadEndpointNamePrefix,
  workloadEndpointV1Path,
} from './names.js';

describe('workloadEndpointName()', () => {
  test.each([
    [{ node: 'n-1', orchestrator: 'k8s', pod: 'web-0', endpoint: 'eth0' }, 'n--1-k8s-web--0-eth0'],
    [{ node: 'n1', orchestrator: 'cni', containerID: 'a1b2', endpoint: 'eth0' }, 'n1-cni-a1b2-eth0'],
    [{ node: 'n1', orchestrator: 'libnetwork', endpoint: 'ff00' }, 'n1-libnetwork-libnetwork-ff00'],
    [{ node: 'n1', orchestrator: 'openstack', workload: 'vm', endpoint: 'p-1' }, 'n1-openstack-vm-p--1'],
  ])('names %j', (identity, name) => {
    expect(workloadEndpointName(identity)).toBe(name);
    expect(parseWorkloadEndpointName(name)).toMatchObject(identity);
  });

  test('refuses a missing part', () => {
    expect(() => workloadEndpointName({ node: 'n1', orchestrator: 'k8s', endpoint: 'eth0' })).toThrow(
      'spec.pod: it is missing: an endpoint of "k8s" is named by it',
    );
  });

  test('refuses a part that ends with a dash', () => {
    expect(() => workloadEndpointName({ node: 'n1-', orchestrator: 'k8s', pod: 'a', endpoint: 'e' })).toThrow(
      'spec.node: "n1-" begins or ends with "-"',
    );
  });

  test('is undone by parseWorkloadEndpointName()', () => {
    const part = fc.stringMatching(/^[a-z0-9]([-a-z0-9]{0,6}[a-z0-9])?$/);
    fc.assert(
      fc.property(part, part, part, (node, workload, endpoint) => {
        const identity = { node, orchestrator: 'openstack', workload, endpoint };
        if (explainBadIdentity(identity) !== undefined) return;
        expect(parseWorkloadEndpointName(workloadEndpointName(identity))).toEqual(identity);
      }),
    );
  });

  test('begins with the prefix of its node and orchestrator, and of no other', () => {
    const name = workloadEndpointName({ node: 'n-1', orchestrator: 'libnetwork', endpoint: 'e' });
    expect(name.startsWith(workloadEndpointNamePrefix('n-1', 'libnetwork'))).toBe(true);
    for (const node of ['n', 'n-', 'n-1-libnetwork']) {
      expect(name.startsWith(workloadEndpointNamePrefix(node, 'libnetwork')), node).toBe(false);
    }
    expect(name.startsWith(workloadEndpointNamePrefix('n-1', 'lib'))).toBe(false);
  });

  test.each(['', 'a', 'a-b-c', 'a-b-c-d-e', '-a-b-c', 'a---b-c-d'])('"%s" is no name', (name) => {
    expect(parseWorkloadEndpointName(name)).toBeUndefined();
  });
});

describe('workloadEndpointV1Path()', () => {
  test('escapes the slash between namespace and workload', () => {
    expect(workloadEndpointV1Path('shop', { node: 'n1', orchestrator: 'k8s', pod: 'web-0', endpoint: 'eth0' })).toBe(
      '/calico/v1/host/n1/workload/k8s/shop%2fweb-0/endpoint/eth0',
    );
  });
});

describe('name rules', () => {
  test.each([
    [explainBadSubdomain('a.b-c'), undefined],
    [
      explainBadSubdomain('A'),
      '"A" is not a DNS name: lower-case letters, digits, "-" and ".", beginning and ending with a letter or digit',
    ],
    [explainBadSubdomain('a'.repeat(254)), 'it has 254 characters, at most 253 fit'],
    [explainBadPolicyName('tier.web', false), undefined],
    [explainBadPolicyName('knp.default.a.b', true), undefined],
    [
      explainBadPolicyName('knp.default.a.b', false),
      `"knp.default.a.b" is not a policy's name: lower-case letters, digits and "-", with at most one dot`,
    ],
    [explainBadLabelKey('example.com/role'), undefined],
    [explainBadLabelKey('-/role'), '"-" before the slash is not a DNS name'],
    [explainBadLabelKey(''), '"" is not a label key: letters, digits, "-", "_" and ".", at most 63'],
    [explainBadLabel('role', ''), undefined],
    [explainBadLabel('role', 'a b'), '"a b" is not a label value: letters, digits, "-", "_" and ".", at most 63'],
  ])('%#', (seen, wanted) => {
    expect(seen).toBe(wanted);
  });
});
