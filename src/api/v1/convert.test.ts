import { describe, expect, test } from 'vitest';
import { convertAllV1, convertV1 } from './convert.js';
import { convertName, convertNodeName, convertPolicyName, convertProfileName } from './names.js';
import { convertSelector } from './selectors.js';

const v1 = (kind: string, metadata: object, spec?: object): object => ({ apiVersion: 'v1', kind, metadata, spec });

/** What became of it: the resource, or what is wrong. */
function outcome(object: object): unknown {
  const { resource, refusals, complaints } = convertV1(object);
  const issues = [...refusals, ...complaints].map(({ path, message }) => `${path}: ${message}`);
  return issues.length > 0 ? issues : resource;
}

function ingressOf(rule: object): unknown {
  const { resource, refusals } = convertV1(v1('policy', { name: 'p' }, { ingress: [rule] }));
  if (resource === undefined) return refusals.map(({ path, message }) => `${path}: ${message}`);
  return (resource.spec as { readonly ingress: readonly unknown[] }).ingress[0];
}

describe('names', () => {
  // The digests are those of other implementations: converted data must find itself again.
  test.each([
    ['a.b', 'a.b'],
    ['a--b', 'a--b'],
    ['A', 'a-6dcd4ce2'],
    ['a..b', 'a.b-89cf32c3'],
    ['a/b', 'a.b-3ec69c85'],
    ['a_b', 'a-b-eb2980a5'],
    ['-a-', 'a-e62b78f7'],
    ['a.-b', 'a.b-70a05980'],
    ['a-.b', 'a.b-cb18534f'],
    ['A/B_C.d', 'a.b-c.d-e56da7a5'],
    ['a___b', 'a-b-cacf0d62'],
    ['x_.y', 'x.y-1c262f8d'],
    ['_', '53a0acfa'],
  ])('%s becomes %s', (name, converted) => {
    expect(convertName(name)).toBe(converted);
  });

  test('of profiles get the prefix of today, of policies no dot, of nodes no digest', () => {
    expect(convertProfileName('k8s_ns.default')).toBe('kns.default');
    expect(convertProfileName('k8s_ns.Foo_')).toBe('kns.foo-dba36809');
    expect(convertPolicyName('a.b')).toBe('a-b-69f6642c');
    expect(convertPolicyName('My.Policy_X')).toBe('my-policy-x-4c53dadf');
    expect(convertNodeName('Node_1.Example')).toBe('node-1.example');
  });
});

describe('convertSelector()', () => {
  test('renames the label of the namespace, and nothing in quotes or beside it', () => {
    expect(convertSelector(`calico/k8s_ns == 'x' && has(calico/k8s_ns)`)).toBe(
      `projectcalico.org/namespace == 'x' && has(projectcalico.org/namespace)`,
    );
    const same = `calico/k8s_ns_x == "a" || b == 'calico/k8s_ns'`;
    expect(convertSelector(same)).toBe(same);
  });
});

describe('rules', () => {
  test.each<[object, unknown]>([
    [{}, { action: 'Allow' }],
    [{ action: 'next-tier' }, { action: 'Pass' }],
    [
      { action: 'deny', protocol: 'tcp', source: { ports: [80, '90:100', '443'] } },
      { action: 'Deny', protocol: 'TCP', source: { ports: [80, '90:100', 443] } },
    ],
    [
      { action: 'pass', protocol: 'udplite', notProtocol: 'icmpv6' },
      { action: 'Pass', protocol: 'UDPLite', notProtocol: 'ICMPv6' },
    ],
    [
      { action: 'log', protocol: '6' },
      { action: 'Log', protocol: 6 },
    ],
    [
      { action: 'allow', source: { net: '10.1.2.3/8', nets: ['10.9.0.0/16', '10.0.0.0/8'] } },
      { action: 'Allow', source: { nets: ['10.0.0.0/8', '10.9.0.0/16'] } },
    ],
    [
      { action: 'allow', destination: { net: '10.0.0.1', notNet: '2001:db8::1/32' } },
      { action: 'Allow', destination: { nets: ['10.0.0.1/32'], notNets: ['2001:db8::/32'] } },
    ],
    [
      { action: 'allow', source: { tag: 'T', selector: "a == 'b'" } },
      { action: 'Allow', source: { selector: "(a == 'b') && T == ''" } },
    ],
    [
      { action: 'allow', source: { tag: 'T' } },
      { action: 'Allow', source: { selector: "T == ''" } },
    ],
    // Each excluded by itself: what has either is not matched.
    [
      { action: 'allow', source: { notTag: 'T', notSelector: 'has(y)' } },
      { action: 'Allow', source: { notSelector: "(has(y)) || T == ''" } },
    ],
    [{ action: 'allow', source: {} }, { action: 'Allow' }],
    [{ action: 'reject' }, ['spec.ingress[0].action: "reject" is not one of allow, deny, log, pass, next-tier']],
    [
      { action: 'constructor', protocol: 'ipip' },
      [
        'spec.ingress[0].action: "constructor" is not one of allow, deny, log, pass, next-tier',
        'spec.ingress[0].protocol: "ipip" is not a protocol: tcp, udp, icmp, icmpv6, sctp, udplite, or a number from 1 to 255',
      ],
    ],
    [
      { source: { tag: 'a/b' } },
      ['spec.ingress[0].source.tag: "a/b" is not a tag: letters, digits, "_", "." and "-", at most 63'],
    ],
  ])('%j', (rule, converted) => {
    expect(ingressOf(rule)).toEqual(converted);
  });
});

describe('kinds', () => {
  const pool = {
    vxlanMode: 'Never',
    nodeSelector: 'all()',
    allowedUses: ['Workload', 'Tunnel'],
    assignmentMode: 'Automatic',
  };
  const resource = (kind: string, metadata: object, spec: object) => ({
    apiVersion: 'projectcalico.org/v3',
    kind,
    metadata,
    spec,
  });

  test.each<[object, unknown]>([
    [
      v1('ipPool', { cidr: '10.1.0.0/16' }, { ipip: { enabled: true, mode: 'cross-subnet' }, 'nat-outgoing': true }),
      resource(
        'IPPool',
        { name: '10-1-0-0-16' },
        { ...pool, cidr: '10.1.0.0/16', blockSize: 26, ipipMode: 'CrossSubnet', natOutgoing: true },
      ),
    ],
    [
      v1('ipPool', { cidr: 'FD80:24e2:f998:72d6::/64' }, { disabled: true, ipip: { mode: 'always' } }),
      resource(
        'IPPool',
        { name: 'fd80-24e2-f998-72d6---64' },
        { ...pool, cidr: 'fd80:24e2:f998:72d6::/64', blockSize: 122, ipipMode: 'Never', disabled: true },
      ),
    ],
    [
      v1('bgpPeer', { scope: 'node', node: 'Rack1_Host1', peerIP: '192.0.2.2' }, { asNumber: '1.10' }),
      resource(
        'BGPPeer',
        { name: 'rack1-host1.192-0-2-2' },
        { node: 'rack1-host1', peerIP: '192.0.2.2', asNumber: 65546 },
      ),
    ],
    [
      v1('bgpPeer', { scope: 'global', peerIP: '2001:db8::1' }, { asNumber: 64513 }),
      resource(
        'BGPPeer',
        { name: '2001-0db8-0000-0000-0000-0000-0000-0001' },
        { peerIP: '2001:db8::1', asNumber: 64513 },
      ),
    ],
    [
      v1('bgpPeer', { scope: 'global', peerIP: '::ffff:192.0.2.1' }),
      resource('BGPPeer', { name: '192-0-2-1' }, { peerIP: '192.0.2.1' }),
    ],
    [
      v1('node', { name: 'n' }, { bgp: { asNumber: 64514, ipv4Address: '192.0.2.1', ipv6Address: '2001:db8::1/64' } }),
      resource(
        'Node',
        { name: 'n' },
        { bgp: { asNumber: 64514, ipv4Address: '192.0.2.1/32', ipv6Address: '2001:db8::1/64' } },
      ),
    ],
    [
      v1(
        'hostEndpoint',
        { name: 'eth0_x', node: 'N_1', labels: { 'calico/k8s_ns': 'x', type: 'production' } },
        {
          interfaceName: 'eth0',
          profiles: ['Profile_1', 'k8s_ns.default'],
          ports: [{ name: 'h', protocol: 'udp', port: 80 }],
        },
      ),
      resource(
        'HostEndpoint',
        { name: 'n-1.eth0-x-52525085', labels: { 'projectcalico.org/namespace': 'x', type: 'production' } },
        {
          node: 'n-1',
          interfaceName: 'eth0',
          profiles: ['profile-1-f6c2f543', 'kns.default'],
          ports: [{ name: 'h', protocol: 'UDP', port: 80 }],
        },
      ),
    ],
    [
      v1(
        'workloadEndpoint',
        { name: 'eth0', workload: 'shop.web-5.g', orchestrator: 'k8s', node: 'host-1', activeInstanceID: '1337' },
        { interfaceName: 'cali0', ipNetworks: ['192.168.0.1', '192.168.0.2/32'], mac: 'ca:fe:1d:52:bb:e9' },
      ),
      resource(
        'WorkloadEndpoint',
        { name: 'host--1-k8s-web--5.g-eth0', namespace: 'shop' },
        {
          orchestrator: 'k8s',
          node: 'host-1',
          pod: 'web-5.g',
          containerID: '1337',
          endpoint: 'eth0',
          interfaceName: 'cali0',
          ipNetworks: ['192.168.0.1/32', '192.168.0.2/32'],
          mac: 'ca:fe:1d:52:bb:e9',
        },
      ),
    ],
    [
      v1(
        'workloadEndpoint',
        { name: 'Endpoint_1', workload: 'default/My_work.load', orchestrator: 'openstack', node: 'host-1' },
        { interfaceName: 'tap0' },
      ),
      resource(
        'WorkloadEndpoint',
        { name: 'host--1-openstack-default.my--work.load--9b018b92-endpoint--1--d9132ef4', namespace: 'default' },
        {
          orchestrator: 'openstack',
          node: 'host-1',
          workload: 'default.my-work.load-9b018b92',
          endpoint: 'endpoint-1-d9132ef4',
          interfaceName: 'tap0',
        },
      ),
    ],
    [
      v1('profile', { name: 'p', tags: ['a', 'b'], labels: { role: 'x' } }, { egress: [{ action: 'allow' }] }),
      resource('Profile', { name: 'p' }, { egress: [{ action: 'Allow' }], labelsToApply: { role: 'x', a: '', b: '' } }),
    ],
    [
      v1(
        'policy',
        { name: 'p', annotations: { k: 'v' } },
        { order: 0, preDNAT: true, types: [], selector: 'has(calico/k8s_ns)' },
      ),
      resource(
        'GlobalNetworkPolicy',
        { name: 'p', annotations: { k: 'v' } },
        {
          tier: 'default',
          order: 0,
          selector: 'has(projectcalico.org/namespace)',
          types: ['Ingress'],
          preDNAT: true,
          applyOnForward: true,
        },
      ),
    ],
    [
      v1('policy', { name: 'p' }, { types: ['egress', 'ingress'], egress: [{ action: 'deny' }], selector: '' }),
      resource(
        'GlobalNetworkPolicy',
        { name: 'p' },
        { tier: 'default', types: ['Egress', 'Ingress'], egress: [{ action: 'Deny' }] },
      ),
    ],
  ])('%j', (object, converted) => {
    expect(outcome(object)).toEqual(converted);
  });

  test('cni and libnetwork endpoints are named by container and by endpoint', () => {
    const named = (orchestrator: string) =>
      convertV1(
        v1('workloadEndpoint', { name: 'e', workload: 'w', orchestrator, node: 'n' }, { interfaceName: 'cali1' }),
      ).resource?.metadata.name;
    expect([named('cni'), named('libnetwork')]).toEqual(['n-cni-w-e', 'n-libnetwork-libnetwork-e']);
  });
});

describe('refusals', () => {
  test.each<[string, object, string[]]>([
    [
      'a BGP section without address',
      v1('node', { name: 'n' }, { bgp: { asNumber: 64512 } }),
      ['spec.bgp: no BGP IP address and subnet specified'],
    ],
    [
      'a tag that is a label too',
      v1('profile', { name: 'p', tags: ['a'], labels: { a: 'x' } }),
      [
        "metadata.tags[0]: Tag: 'a' and Label 'a == x' have the same value for Profile: p. Change the Label key before proceeding",
      ],
    ],
    [
      'a Kubernetes workload without namespace',
      v1('workloadEndpoint', { name: 'eth0', workload: 'w', orchestrator: 'k8s', node: 'n' }, { interfaceName: 'c' }),
      [
        "metadata.workload: malformed k8s workload ID 'w': workload was not added through the Calico CNI plugin and cannot be converted",
      ],
    ],
    [
      'an endpoint without a node',
      v1('workloadEndpoint', { name: 'eth0', workload: 'w', orchestrator: 'cni', node: '_' }, { interfaceName: 'c' }),
      ['metadata.node: it is missing: an endpoint of "cni" is named by it'],
    ],
    [
      'a host endpoint on no host',
      v1('hostEndpoint', { name: 'eth0', node: '-' }, { interfaceName: 'eth0' }),
      ['metadata.node: "-" is not the name of a node'],
    ],
    [
      'a peer of a node that is not named',
      v1('bgpPeer', { scope: 'node', peerIP: '192.0.2.1' }),
      ['metadata.node: it is missing: scope node needs it'],
    ],
    [
      'a global peer with a node',
      v1('bgpPeer', { scope: 'global', node: 'x', peerIP: '192.0.2.1' }),
      ['metadata.node: "x" stands beside scope global: give one of the two'],
    ],
    [
      'fields that v1 does not have',
      v1('ipPool', { cidr: '10.0.0.0/16', name: 'x' }, { natOutgoing: true }),
      [
        'metadata.name: field in document is not recognized or is in the wrong location: name',
        'spec.natOutgoing: field in document is not recognized or is in the wrong location: natOutgoing',
      ],
    ],
    ['an unknown kind', v1('tier', { name: 'x' }), ["kind: conversion for the resource type 'tier' is not supported"]],
    [
      'a resource of today',
      { apiVersion: 'projectcalico.org/v3', kind: 'IPPool', metadata: { name: 'x' } },
      ['apiVersion: unknown resource type (IPPool) and/or version (projectcalico.org/v3)'],
    ],
  ])('%s', (_, object, issues) => {
    expect(outcome(object)).toEqual(issues);
  });
});

describe('complaints', () => {
  test('what breaks rules of today is given all the same, with what it breaks', () => {
    const { resource, complaints } = convertV1(v1('policy', { name: 'p' }, { doNotTrack: true, preDNAT: true }));
    expect(resource?.metadata.name).toBe('p');
    expect(complaints.map(({ path }) => path)).toEqual(['spec.preDNAT']);
  });

  test('two nodes that become one', () => {
    const [first, second, third] = convertAllV1([
      v1('node', { name: 'a_b' }),
      v1('node', { name: 'A-b' }),
      v1('node', { name: 'a_b' }),
    ]);
    expect(first?.complaints).toEqual([]);
    expect(third?.complaints).toEqual([]);
    expect(second?.complaints).toEqual([
      {
        code: 'rule',
        path: 'metadata.name',
        message: 'node "a_b" and node "A-b" both become Node "a-b"',
        hint: 'rename one of them',
      },
    ]);
  });
});
