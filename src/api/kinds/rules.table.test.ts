import { describe, expect, test } from 'vitest';
import { formatIssue } from '../issues.js';
import { type PublicKind, publicKinds } from '../registry.js';
import { validate } from '../validate.js';

/** What is said of an example whose metadata or spec is another. */
function said(kind: PublicKind, spec: object | undefined, metadata: object = {}): readonly string[] {
  const { valid } = publicKinds[kind].examples;
  const object = {
    apiVersion: 'projectcalico.org/v3',
    kind,
    metadata: { ...valid.metadata, ...metadata },
    spec: spec ?? valid.spec,
  };
  return validate(object).map(formatIssue);
}

const LONG = 'a'.repeat(254);
const DNS_NAME =
  'is not a DNS name: lower-case letters, digits, "-" and ".", beginning and ending with a letter or digit';
const POLICY_NAME = 'is not a policy\'s name: lower-case letters, digits and "-", with at most one dot';
const TIER_NAME = 'is not a DNS label: lower-case letters, digits and "-", at most 63, no dot';

describe('names', () => {
  const subdomains = [
    'IPPool',
    'IPReservation',
    'BGPPeer',
    'BGPFilter',
    'Node',
    'Profile',
    'HostEndpoint',
    'NetworkSet',
    'GlobalNetworkSet',
    'FelixConfiguration',
    'CalicoNodeStatus',
    'StagedKubernetesNetworkPolicy',
  ] as const;

  test.each(subdomains)('of %s are DNS names', (kind) => {
    expect(said(kind, undefined, { name: 'a.b-c.0' })).toEqual([]);
    for (const name of ['A', '-a', 'a-', 'a..b', 'a_b', '']) {
      expect(said(kind, undefined, { name })).toContain(`metadata.name: "${name}" ${DNS_NAME}`);
    }
    expect(said(kind, undefined, { name: LONG })).toContain('metadata.name: it has 254 characters, at most 253 fit');
  });

  test.each(['NetworkPolicy', 'StagedNetworkPolicy', 'GlobalNetworkPolicy', 'StagedGlobalNetworkPolicy'] as const)(
    'of %s have one dot at most',
    (kind) => {
      expect([said(kind, undefined, { name: 'a' }), said(kind, undefined, { name: 'a.b' })]).toEqual([[], []]);
      for (const name of ['a.b.c', 'A', 'a.', '.a']) {
        expect(said(kind, undefined, { name })).toEqual([`metadata.name: "${name}" ${POLICY_NAME}`]);
      }
      const foreign = said(kind, undefined, { name: 'knp.default.a.b' });
      expect(foreign.length === 0).toBe(publicKinds[kind].namespaced);
    },
  );

  test('of tiers are labels, of BGP settings default or of a node, of the one-of-a-kind default', () => {
    expect(said('Tier', undefined, { name: 'a'.repeat(64) })).toEqual([
      `metadata.name: "${'a'.repeat(64)}" ${TIER_NAME}`,
    ]);
    expect(said('BGPConfiguration', {}, { name: 'node.' })).toEqual([
      'metadata.name: "node." is neither "default" nor "node.<node>"',
    ]);
    for (const kind of ['ClusterInformation', 'KubeControllersConfiguration', 'IPAMConfiguration'] as const) {
      expect(said(kind, {}, { name: 'other' })).toEqual([
        'metadata.name: "other" is not "default", the only name there is',
      ]);
    }
  });
});

describe('metadata', () => {
  test.each<[object, string]>([
    [
      { labels: { 'a b': 'c' } },
      'metadata.labels["a b"]: "a b" is not a label key: letters, digits, "-", "_" and ".", at most 63',
    ],
    [{ labels: { 'A_/b': 'c' } }, 'metadata.labels["A_/b"]: "A_" before the slash is not a DNS name'],
    [
      { labels: { a: `${'x'.repeat(64)}` } },
      `metadata.labels.a: "${'x'.repeat(64)}" is not a label value: letters, digits, "-", "_" and ".", at most 63`,
    ],
    [
      { labels: { a: '-' } },
      'metadata.labels.a: "-" is not a label value: letters, digits, "-", "_" and ".", at most 63',
    ],
    [
      { annotations: { 'a b': 'c' } },
      'metadata.annotations["a b"]: "a b" is not an annotation key: letters, digits, "-", "_" and ".", at most 63',
    ],
    [{ annotations: { a: 'x'.repeat(262_144) } }, 'metadata.annotations: they take 262145 bytes, at most 262144 fit'],
    [{ labels: [] }, 'metadata.labels: a list is not a set of fields'],
    [{ labels: { a: 1 } }, 'metadata.labels.a: 1 is not text'],
    [{ nam: 'x' }, 'metadata.nam: field in document is not recognized or is in the wrong location: nam'],
    [
      { namespace: 'x' },
      'metadata.namespace: namespace should not be specified for a non-namespaced resource. IPPool is not a namespaced resource',
    ],
  ])('%j', (metadata, message) => {
    expect(said('IPPool', undefined, metadata)).toEqual([message]);
  });

  test('a namespace is a DNS name', () => {
    expect(said('NetworkSet', undefined, { namespace: 'A' })).toEqual([`metadata.namespace: "A" ${DNS_NAME}`]);
  });
});

type Row = readonly [kind: PublicKind, spec: object, ...messages: string[]];

const allow = (more: object): object => ({ action: 'Allow', ...more });
const ingress = (more: object): object => ({ ingress: [allow(more)] });
const services = { name: 'web', namespace: 'shop' };
const pool = (more: object): object => ({ cidr: '192.0.2.0/24', ...more });
const balancer = (more: object): object => pool({ allowedUses: ['LoadBalancer'], ...more });

const ROWS: readonly Row[] = [
  ['NetworkPolicy', { tier: 'A' }, `spec.tier: "A" ${TIER_NAME}`],
  ['NetworkPolicy', { types: ['Ingress', 'Ingress'] }, 'spec.types: one type stands there twice'],
  [
    'NetworkPolicy',
    { performanceHints: ['AssumeNeededOnEveryNode', 'AssumeNeededOnEveryNode'] },
    'spec.performanceHints: one hint stands there twice',
  ],
  ['NetworkPolicy', ingress({ protocol: 'ICMP', icmp: { code: 1 } }), 'spec.ingress[0].icmp.code: a code needs a type'],
  ['NetworkPolicy', ingress({ notICMP: { type: 1 } }), 'spec.ingress[0].notICMP: it needs protocol ICMP or ICMPv6'],
  [
    'NetworkPolicy',
    ingress({ notProtocol: 'ICMPv6', ipVersion: 4 }),
    'spec.ingress[0].ipVersion: notProtocol ICMPv6 needs ipVersion 6',
  ],
  [
    'NetworkPolicy',
    ingress({ ipVersion: 6, destination: { nets: ['192.0.2.0/24'] } }),
    'spec.ingress[0].destination.nets[0]: "192.0.2.0/24" is IPv4, but the rule is for IPv6',
  ],
  [
    'NetworkPolicy',
    ingress({ source: { notNets: ['::/0'] } }),
    'spec.ingress[0].source.notNets[0]: "::/0" leaves no address to match',
  ],
  [
    'NetworkPolicy',
    ingress({ source: { notPorts: ['1:2'] } }),
    'spec.ingress[0].source.notPorts[0]: a port by number needs a protocol: TCP, UDP or SCTP',
  ],
  [
    'NetworkPolicy',
    ingress({ protocol: 47, source: { ports: ['http'] } }),
    'spec.ingress[0].source.ports[0]: protocol 47 has no ports: only TCP, UDP and SCTP have',
  ],
  ['NetworkPolicy', ingress({ source: { services: {} } }), 'spec.ingress[0].source.services.name: it is missing'],
  [
    'NetworkPolicy',
    ingress({ destination: { services } }),
    'spec.ingress[0].destination.services: in ingress rules services stand under source only',
  ],
  ...['selector', 'notSelector', 'namespaceSelector'].map((field): Row => [
    'NetworkPolicy',
    ingress({ source: { services, [field]: 'all()' } }),
    `spec.ingress[0].source.${field}: it excludes services: give one of the two`,
  ]),
  ...['nets', 'notNets'].map((field): Row => [
    'NetworkPolicy',
    ingress({ source: { services, [field]: ['192.0.2.0/24'] } }),
    `spec.ingress[0].source.${field}: it excludes services: give one of the two`,
  ]),
  [
    'NetworkPolicy',
    ingress({ source: { services, serviceAccounts: { names: ['a'] } } }),
    'spec.ingress[0].source.serviceAccounts: it excludes services: give one of the two',
  ],
  ...['ports', 'notPorts'].map((field): Row => [
    'NetworkPolicy',
    { egress: [allow({ protocol: 'TCP', destination: { services, [field]: [80] } })] },
    `spec.egress[0].destination.${field}: it excludes services: give one of the two`,
  ]),
  ['NetworkPolicy', ingress({ protocol: 17, http: {} }), 'spec.ingress[0].http: it needs protocol TCP'],
  ['NetworkPolicy', { ingress: [{ action: 'Deny', http: {} }] }, 'spec.ingress[0].http: it needs action Allow'],
  [
    'NetworkPolicy',
    ingress({ http: { methods: ['GET', 'GET'] } }),
    'spec.ingress[0].http.methods: one method stands there twice',
  ],
  ...['/a b', '/a?b', '/a#b', 'a', `/${'a'.repeat(1024)}`].map((prefix): Row => [
    'NetworkPolicy',
    ingress({ http: { paths: [{ prefix }] } }),
    `spec.ingress[0].http.paths[0]: "${prefix}" is not a path: it begins with "/", without "?", "#" or blanks`,
  ]),
  [
    'NetworkPolicy',
    ingress({ http: { paths: [{ exact: '/a', prefix: '/b' }] } }),
    'spec.ingress[0].http.paths[0]: give exactly one of exact and prefix',
  ],
  [
    'Profile',
    ingress({ source: { ports: [1] } }),
    'spec.ingress[0].source.ports[0]: a port by number needs a protocol: TCP, UDP or SCTP',
  ],
  [
    'Profile',
    { labelsToApply: { 'a b': '', web: 'x y', net1: '', 'pcns.projectcalico.org/name': 'shop' } },
    'spec.labelsToApply["a b"]: "a b" is not a label key: letters, digits, "-", "_" and ".", at most 63',
    'spec.labelsToApply.web: "x y" is not a label value: letters, digits, "-", "_" and ".", at most 63',
  ],
  ['GlobalNetworkPolicy', { doNotTrack: true }, 'spec.applyOnForward: it must be true where doNotTrack is true'],
  ['GlobalNetworkPolicy', { preDNAT: true }, 'spec.applyOnForward: it must be true where preDNAT is true'],
  [
    'StagedGlobalNetworkPolicy',
    { stagedAction: 'Delete', order: 1, namespaceSelector: 'all()' },
    'spec.order: it must be empty where stagedAction is Delete',
    'spec.namespaceSelector: it must be empty where stagedAction is Delete',
  ],
  ['IPPool', pool({ blockSize: 116 }), 'spec.blockSize: 116 is not from 20 to 32, as IPv4 needs'],
  ['IPPool', { cidr: '2001:db8::/64', blockSize: 26 }, 'spec.blockSize: 26 is not from 116 to 128, as IPv6 needs'],
  ['IPPool', { cidr: '192.0.2.0/27' }, 'spec.cidr: "192.0.2.0/27" is smaller than one block of /26'],
  ['IPPool', { cidr: '192.0.2.0/27', disabled: true }],
  ['IPPool', { cidr: '169.254.0.0/17' }, 'spec.cidr: "169.254.0.0/17" overlaps with link-local addresses'],
  ['IPPool', { cidr: 'fe80::/9' }, 'spec.cidr: "fe80::/9" overlaps with link-local addresses'],
  ['IPPool', { cidr: 'fe80::/10' }, 'spec.cidr: "fe80::/10" overlaps with link-local addresses'],
  [
    'IPPool',
    { cidr: '2001:db8::/64', ipipMode: 'CrossSubnet' },
    'spec.ipipMode: IP in IP not supported for IPv6 pools',
  ],
  [
    'IPPool',
    pool({ ipipMode: 'Always', vxlanMode: 'Always' }),
    'spec.vxlanMode: it excludes ipipMode: one of the two is Never',
  ],
  ['IPPool', pool({ namespaceSelector: 'all()' }), 'spec.namespaceSelector: it excludes the use Tunnel'],
  ['IPPool', balancer({ allowedUses: ['LoadBalancer', 'Workload'] }), 'spec.allowedUses: LoadBalancer stands alone'],
  ['IPPool', balancer({ vxlanMode: 'Always' }), 'spec.allowedUses: LoadBalancer excludes ipipMode and vxlanMode'],
  ['IPPool', balancer({ disableBGPExport: true }), 'spec.disableBGPExport: LoadBalancer excludes it'],
  ['IPPool', balancer({ nodeSelector: 'has(a)' }), 'spec.nodeSelector: LoadBalancer needs all()'],
  ['IPAMConfiguration', { maxBlocksPerHost: 1 }, 'spec.maxBlocksPerHost: it needs strictAffinity'],
  ['BGPPeer', { node: 'a', nodeSelector: 'all()' }, 'spec.nodeSelector: it excludes node: give one of the two'],
  [
    'BGPPeer',
    { peerIP: '192.0.2.1', peerSelector: 'all()' },
    'spec.peerSelector: it excludes peerIP: give one of the two',
  ],
  [
    'BGPPeer',
    { localWorkloadSelector: 'all()', asNumber: 1, peerIP: '192.0.2.1' },
    'spec.localWorkloadSelector: it excludes peerIP: give one of the two',
  ],
  [
    'BGPPeer',
    { keepOriginalNextHop: true, nextHopMode: 'Self' },
    'spec.nextHopMode: it excludes keepOriginalNextHop: give one of the two',
  ],
  [
    'BGPConfiguration',
    { nodeToNodeMeshEnabled: false, nodeMeshPassword: {} },
    'spec.nodeMeshPassword: it needs nodeToNodeMeshEnabled',
  ],
  [
    'CalicoNodeStatus',
    { node: 'a', classes: ['BGP', 'BGP'], updatePeriodSeconds: 0 },
    'spec.classes: one class stands there twice',
  ],
  ['Node', { bgp: {} }, 'spec.bgp: it is empty: give at least one of its fields, or leave it out'],
  ['HostEndpoint', { node: 'a', expectedIPs: [] }, 'spec.interfaceName: it is missing: give it or expectedIPs'],
  [
    'HostEndpoint',
    { node: 'a', interfaceName: '*', ports: [{ name: 'x', protocol: 'ICMP', port: 1 }] },
    'spec.ports[0].protocol: protocol ICMP has no ports: only TCP, UDP and SCTP have',
  ],
  [
    'FelixConfiguration',
    { nodeSelector: 'all()' },
    'spec.nodeSelector: "default" needs none: its name says whom it is for',
  ],
  [
    'FelixConfiguration',
    { routeTableRange: { min: 1, max: 2 }, routeTableRanges: [{ min: 1, max: 2 }] },
    'spec.routeTableRange: it excludes routeTableRanges: give one of the two',
  ],
];

describe('rules between fields', () => {
  test.each(ROWS.map(([kind, spec, ...messages]) => ({ kind, spec, messages })))(
    '$kind $spec',
    ({ kind, spec, messages }) => {
      expect(said(kind, spec)).toEqual(messages);
    },
  );

  test('settings of the whole cluster stand in "default" alone', () => {
    const values = {
      nodeToNodeMeshEnabled: true,
      asNumber: 64512,
      serviceClusterIPs: [],
      serviceExternalIPs: [],
      serviceLoadBalancerIPs: [],
      nodeMeshPassword: {},
      nodeMeshMaxRestartTime: '90s',
    };
    expect(said('BGPConfiguration', values, { name: 'node.a' })).toEqual(
      Object.keys(values).map((field) => `spec.${field}: it may stand in "default" only`),
    );
  });

  test('a workload endpoint is named by its fields', () => {
    const endpoint = publicKinds.WorkloadEndpoint.examples.valid.spec;
    expect(said('WorkloadEndpoint', { ...endpoint, endpoint: 'eth1' })).toEqual([
      'metadata.name: "calico--01-cni-a1b2-eth0" is not "calico--01-cni-a1b2-eth1", which its fields give',
    ]);
    expect(said('WorkloadEndpoint', { ...endpoint, node: 'a-' })).toEqual(['spec.node: "a-" begins or ends with "-"']);
    const nat = { internalIP: '192.0.2.9', externalIP: '2001:db8::1' };
    expect(said('WorkloadEndpoint', { ...endpoint, ipNATs: [nat] })).toEqual([
      'spec.ipNATs[0].internalIP: "192.0.2.9" is not in ipNetworks',
      'spec.ipNATs[0].externalIP: "2001:db8::1" is of the other IP version than internalIP',
    ]);
  });
});
