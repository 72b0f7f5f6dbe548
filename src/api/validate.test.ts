import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { ValidationError } from '../base/errors.js';
import { formatIssue } from './issues.js';
import { isPublicKind, type PublicKind, publicKinds } from './registry.js';
import { parseResource, validate } from './validate.js';

const definitions = Object.values(publicKinds).flatMap(({ kind, examples }) =>
  isPublicKind(kind) ? [{ kind, examples }] : [],
);

function typed(kind: PublicKind, spec: object, metadata: object = publicKinds[kind].examples.valid.metadata): object {
  return { apiVersion: 'projectcalico.org/v3', kind, metadata, spec };
}

function said(object: unknown): readonly string[] {
  return validate(object).map(formatIssue);
}

const ingress = (rule: object) => ({ ingress: [rule] });
const egress = (rule: object) => ({ egress: [rule] });
const wep = publicKinds.WorkloadEndpoint.examples.valid.spec;

describe.each(definitions)('examples of $kind', ({ kind, examples }) => {
  test('the valid one is valid', () => {
    expect(said(typed(kind, examples.valid.spec, examples.valid.metadata))).toEqual([]);
  });

  test('the wrong one is refused in its words', () => {
    expect(said(typed(kind, examples.wrong.spec, examples.wrong.metadata))).toEqual([examples.wrong.message]);
  });

  test('survives being parsed twice', () => {
    const once = parseResource(typed(kind, examples.valid.spec, examples.valid.metadata));
    expect(parseResource(JSON.parse(JSON.stringify(once)))).toEqual(once);
  });
});

const broken: readonly [PublicKind, object, ...string[]][] = [
  ['IPPool', {}, 'spec.cidr: it is missing'],
  ['IPPool', { cidr: 7 }, 'spec.cidr: 7 is not text'],
  ['IPPool', { cidr: '10.0.0.1/16' }, 'spec.cidr: "10.0.0.1/16" is not a network: it has bits set past its prefix'],
  ['IPPool', { cidr: '10.0.0.0' }, 'spec.cidr: "10.0.0.0" is not a CIDR: it has no prefix length'],
  ['IPPool', { cidr: '10.0.0.0/28' }, 'spec.cidr: "10.0.0.0/28" is smaller than one block of /26'],
  ['IPPool', { cidr: '169.254.0.0/20' }, 'spec.cidr: "169.254.0.0/20" overlaps with link-local addresses'],
  ['IPPool', { cidr: 'fd80::/64', blockSize: 64 }, 'spec.blockSize: 64 is not from 116 to 128, as IPv6 needs'],
  ['IPPool', { cidr: '10.0.0.0/16', blockSize: 19 }, 'spec.blockSize: 19 is not a whole number from 20 to 128'],
  ['IPPool', { cidr: 'fd80::/64', ipipMode: 'Always' }, 'spec.ipipMode: IP in IP not supported for IPv6 pools'],
  [
    'IPPool',
    { cidr: '10.0.0.0/16', ipipMode: 'always' },
    'spec.ipipMode: "always" is not one of Never, Always, CrossSubnet',
  ],
  [
    'IPPool',
    { cidr: '10.0.0.0/16', ipipMode: 'Always', vxlanMode: 'Always' },
    'spec.vxlanMode: it excludes ipipMode: one of the two is Never',
  ],
  [
    'IPPool',
    { cidr: '10.0.0.0/16', namespaceSelector: 'a == "b"' },
    'spec.namespaceSelector: it excludes the use Tunnel',
  ],
  [
    'IPPool',
    { cidr: '10.0.0.0/16', nodeSelector: 'global()' },
    "spec.nodeSelector: global() may stand only in a rule's namespaceSelector",
  ],
  [
    'IPPool',
    { cidr: '10.0.0.0/16', allowedUses: ['LoadBalancer', 'Tunnel'] },
    'spec.allowedUses: LoadBalancer stands alone',
  ],
  [
    'IPPool',
    {
      cidr: '10.0.0.0/16',
      allowedUses: ['LoadBalancer'],
      disableBGPExport: true,
      nodeSelector: 'has(a)',
      vxlanMode: 'Always',
    },
    'spec.allowedUses: LoadBalancer excludes ipipMode and vxlanMode',
    'spec.disableBGPExport: LoadBalancer excludes it',
    'spec.nodeSelector: LoadBalancer needs all()',
  ],
  ['Node', { bgp: { ipv4Address: 'fd80::1/64' } }, 'spec.bgp.ipv4Address: "fd80::1/64" is not an IPv4 CIDR'],
  [
    'Node',
    { bgp: { asNumber: '1.70000' } },
    'spec.bgp.asNumber: "1.70000" is not an AS number: write 0 to 4294967295 or high.low',
  ],
  ['Node', { vxlanTunnelMACAddr: 'ee:ee' }, 'spec.vxlanTunnelMACAddr: "ee:ee" is not a MAC address'],
  [
    'WorkloadEndpoint',
    { ...wep, interfaceName: 'a b' },
    'spec.interfaceName: "a b" is not the name of a network interface',
  ],
  [
    'WorkloadEndpoint',
    { ...wep, endpoint: 'eth1' },
    'metadata.name: "calico--01-cni-a1b2-eth0" is not "calico--01-cni-a1b2-eth1", which its fields give',
  ],
  [
    'WorkloadEndpoint',
    { ...wep, containerID: '' },
    'spec.containerID: it is missing: an endpoint of "cni" is named by it',
  ],
  [
    'WorkloadEndpoint',
    { ...wep, ipNATs: [{ internalIP: '192.168.0.9', externalIP: 'fd80::1' }] },
    'spec.ipNATs[0].internalIP: "192.168.0.9" is not in ipNetworks',
    'spec.ipNATs[0].externalIP: "fd80::1" is of the other IP version than internalIP',
  ],
  ['NetworkPolicy', { types: ['Ingress', 'Ingress'] }, 'spec.types: one type stands there twice'],
  [
    'NetworkPolicy',
    { tier: 'a.b' },
    'spec.tier: "a.b" is not a DNS label: lower-case letters, digits and "-", at most 63, no dot',
  ],
  [
    'NetworkPolicy',
    { selector: 'a' },
    'spec.selector: invalid selector "a": expected operator after label at character 2',
  ],
  ['NetworkPolicy', { order: '10' }, 'spec.order: "10" is not a number'],
  ['NetworkPolicy', ingress({}), 'spec.ingress[0].action: it is missing'],
  ['NetworkPolicy', ingress({ action: 'Allow', ipVersion: 5 }), 'spec.ingress[0].ipVersion: 5 is not one of 4, 6'],
  [
    'NetworkPolicy',
    ingress({ action: 'Allow', protocol: 'tcp' }),
    'spec.ingress[0].protocol: "tcp" is not a protocol: TCP, UDP, ICMP, ICMPv6, SCTP, UDPLite, or a number',
  ],
  [
    'NetworkPolicy',
    ingress({ action: 'Allow', protocol: '256' }),
    'spec.ingress[0].protocol: 256 is not a protocol number from 1 to 255',
  ],
  [
    'NetworkPolicy',
    ingress({ action: 'Allow', protocol: 'ICMP', icmp: { code: 1 } }),
    'spec.ingress[0].icmp.code: a code needs a type',
  ],
  [
    'NetworkPolicy',
    ingress({ action: 'Allow', icmp: { type: 8 } }),
    'spec.ingress[0].icmp: it needs protocol ICMP or ICMPv6',
  ],
  [
    'NetworkPolicy',
    ingress({ action: 'Allow', protocol: 'ICMP', ipVersion: 6 }),
    'spec.ingress[0].ipVersion: protocol ICMP needs ipVersion 4',
  ],
  [
    'NetworkPolicy',
    ingress({ action: 'Allow', source: { nets: ['10.0.0.0/8', 'fd80::/64'] } }),
    'spec.ingress[0].source.nets[1]: "fd80::/64" is IPv6, but the rule is for IPv4',
  ],
  [
    'NetworkPolicy',
    ingress({ action: 'Allow', source: { notNets: ['0.0.0.0/0'] } }),
    'spec.ingress[0].source.notNets[0]: "0.0.0.0/0" leaves no address to match',
  ],
  [
    'NetworkPolicy',
    ingress({ action: 'Allow', destination: { ports: [80] } }),
    'spec.ingress[0].destination.ports[0]: a port by number needs a protocol: TCP, UDP or SCTP',
  ],
  [
    'NetworkPolicy',
    ingress({ action: 'Allow', protocol: 'ICMP', destination: { ports: ['http'] } }),
    'spec.ingress[0].destination.ports[0]: protocol ICMP has no ports: only TCP, UDP and SCTP have',
  ],
  [
    'NetworkPolicy',
    ingress({ action: 'Allow', protocol: 'TCP', destination: { ports: [0, '1:70000', 'a b'] } }),
    'spec.ingress[0].destination.ports[0]: "0" is not a port: write 1 to 65535, first:last, or a port\'s name',
    'spec.ingress[0].destination.ports[1]: "1:70000" is not a port range: ports are 1 to 65535',
    'spec.ingress[0].destination.ports[2]: "a b" is not a port: write 1 to 65535, first:last, or a port\'s name',
  ],
  [
    'NetworkPolicy',
    ingress({ action: 'Allow', source: { namespaceSelector: 'global() && has(a)' } }),
    'spec.ingress[0].source.namespaceSelector: global() stands alone: it cannot be combined',
  ],
  [
    'NetworkPolicy',
    egress({ action: 'Allow', source: { services: { name: 'a' }, selector: 'all()' } }),
    'spec.egress[0].source.services: in egress rules services stand under destination only',
    'spec.egress[0].source.selector: it excludes services: give one of the two',
  ],
  [
    'NetworkPolicy',
    egress({ action: 'Deny', protocol: 'UDP', http: { methods: ['GET', 'GET'], paths: [{ exact: 'a' }, {}] } }),
    'spec.egress[0].http: it may stand in ingress rules only',
    'spec.egress[0].http: it needs action Allow',
    'spec.egress[0].http: it needs protocol TCP',
    'spec.egress[0].http.methods: one method stands there twice',
    'spec.egress[0].http.paths[0]: "a" is not a path: it begins with "/", without "?", "#" or blanks',
    'spec.egress[0].http.paths[1]: give exactly one of exact and prefix',
  ],
  [
    'GlobalNetworkPolicy',
    { doNotTrack: true, preDNAT: true, applyOnForward: true, egress: [{ action: 'Allow' }], types: ['Egress'] },
    'spec.preDNAT: it excludes doNotTrack: one of the two is true',
    'spec.egress: preDNAT excludes egress rules',
    'spec.types: preDNAT excludes Egress',
  ],
  [
    'GlobalNetworkPolicy',
    egress({ action: 'Allow', destination: { services: { name: 'a' } } }),
    'spec.egress[0].destination.services.namespace: it is missing: a global policy has no namespace of its own',
  ],
  ['Tier', { order: 'first' }, 'spec.order: "first" is not a number'],
  [
    'BGPConfiguration',
    { communities: [{ name: 'a', value: '1:2' }] },
    'spec.communities: they need prefixAdvertisements',
  ],
  [
    'BGPConfiguration',
    {
      communities: [{ name: 'a', value: 'x' }],
      prefixAdvertisements: [{ cidr: '10.0.0.0/8', communities: ['a', 'b'] }],
    },
    'spec.communities[0].value: "x" is not a community: aa:nn or aa:nn:mm',
    'spec.prefixAdvertisements[0].communities[1]: "b" is neither a community nor the name of one',
  ],
  [
    'BGPConfiguration',
    { nodeToNodeMeshEnabled: false, nodeMeshMaxRestartTime: '5s' },
    'spec.nodeMeshMaxRestartTime: it needs nodeToNodeMeshEnabled',
  ],
  [
    'BGPConfiguration',
    { nodeMeshMaxRestartTime: '5' },
    'spec.nodeMeshMaxRestartTime: "5" is not a duration such as 90s or 1m30s',
  ],
  ['BGPConfiguration', { ignoredInterfaces: ['*'] }, 'spec.ignoredInterfaces[0]: "*" is not the name of interfaces'],
  [
    'BGPPeer',
    { peerIP: '192.0.2.1:0' },
    'spec.peerIP: "192.0.2.1:0" is not an address, address:port or [address]:port',
  ],
  ['BGPPeer', { peerSelector: 'all()', asNumber: 1 }, 'spec.asNumber: it excludes peerSelector: give one of the two'],
  ['BGPPeer', { localWorkloadSelector: 'all()' }, 'spec.asNumber: it is missing: localWorkloadSelector needs it'],
  ['BGPPeer', { reachableBy: '192.0.2.1' }, 'spec.reachableBy: it needs peerIP'],
  [
    'BGPPeer',
    { peerIP: 'fd80::1', reachableBy: '192.0.2.1' },
    'spec.reachableBy: "192.0.2.1" is of the other IP version than peerIP',
  ],
];

describe('validate()', () => {
  test.each(broken)('%s %j', (kind, spec, ...messages) => {
    expect(said(typed(kind, spec))).toEqual(messages);
  });

  test('finds several issues at once, unknown fields included, each with its suggestion', () => {
    const issues = validate(
      typed('IPPool', { cidrs: 'x', natOutgoin: true, cidr: '10.0.0.0/33' }, { name: 'A', labels: { 'a b': 'c' } }),
    );
    expect(issues.map((issue) => [formatIssue(issue), issue.hint])).toEqual([
      ['spec.cidrs: field in document is not recognized or is in the wrong location: cidrs', 'did you mean "cidr"?'],
      [
        'spec.natOutgoin: field in document is not recognized or is in the wrong location: natOutgoin',
        'did you mean "natOutgoing"?',
      ],
      ['spec.cidr: "10.0.0.0/33" is not a CIDR: the prefix is at most 32', undefined],
      [
        'metadata.name: "A" is not a DNS name: lower-case letters, digits, "-" and ".", beginning and ending with a letter or digit',
        undefined,
      ],
      ['metadata.labels["a b"]: "a b" is not a label key: letters, digits, "-", "_" and ".", at most 63', undefined],
    ]);
  });

  test('suggests the kind that was meant', () => {
    expect(validate({ apiVersion: 'projectcalico.org/v3', kind: 'NetwrokPolicy' })).toEqual([
      {
        code: 'unknown_kind',
        path: 'kind',
        message: 'unknown resource type (NetwrokPolicy) and/or version (projectcalico.org/v3)',
        hint: 'did you mean "NetworkPolicy"?',
      },
    ]);
  });

  test('refuses a namespace on a cluster-wide kind', () => {
    expect(said(typed('Tier', {}, { name: 'a', namespace: 'b' }))).toEqual([
      'metadata.namespace: namespace should not be specified for a non-namespaced resource. Tier is not a namespaced resource',
    ]);
  });

  test('keeps the values of the built-in tiers', () => {
    expect(said(typed('Tier', { order: 5 }, { name: 'kube-admin' }))).toEqual([
      'spec.order: tier "kube-admin" has 1000, always',
      'spec.defaultAction: tier "kube-admin" has Pass, always',
    ]);
  });

  test('throws at nothing', () => {
    const kind = fc.constantFrom(...Object.keys(publicKinds));
    const apiVersion = fc.constant('projectcalico.org/v3');
    const json = fc.jsonValue();
    const objects = fc.oneof(json, fc.record({ kind, apiVersion, metadata: json, spec: json }));
    fc.assert(
      fc.property(objects, (object) => {
        expect(Array.isArray(validate(object))).toBe(true);
      }),
    );
  });
});

describe('parseResource()', () => {
  test("computes a policy's types and tier", () => {
    const types = (spec: object) => parseResource(typed('NetworkPolicy', spec)).spec;
    const rule = { action: 'Allow' };
    expect(types({})).toEqual({ tier: 'default', types: ['Ingress'] });
    expect(types({ egress: [rule] })).toMatchObject({ types: ['Egress'] });
    expect(types({ egress: [rule], ingress: [rule] })).toMatchObject({ types: ['Ingress', 'Egress'] });
    expect(types({ egress: [rule], types: ['Ingress'] })).toMatchObject({ types: ['Ingress'] });
  });

  test("fills in a pool's modes and writes its CIDR in canonical form", () => {
    expect(parseResource(typed('IPPool', { cidr: 'FD80:0::/64' })).spec).toEqual({
      cidr: 'fd80::/64',
      blockSize: 122,
      ipipMode: 'Never',
      vxlanMode: 'Never',
      nodeSelector: 'all()',
      allowedUses: ['Workload', 'Tunnel'],
      assignmentMode: 'Automatic',
    });
  });

  test('takes null for a field that is not set', () => {
    expect(parseResource(typed('Tier', { order: null }, { name: 'a', creationTimestamp: null }))).toMatchObject({
      metadata: { name: 'a' },
      spec: { order: 1_000_000, defaultAction: 'Deny' },
    });
  });

  test.each(['__proto__', 'constructor', 'prototype'])('refuses a label %s rather than lose it', (key) => {
    const labels: unknown = JSON.parse(`{"${key}": "x"}`);
    expect(said(typed('GlobalNetworkSet', {}, { name: 'a', labels }))).toEqual([
      `metadata.labels.${key}: "${key}" cannot be a key here`,
    ]);
  });

  test('carries every issue, the resource and the hint of the first', () => {
    let error: unknown;
    try {
      parseResource(
        typed('NetworkPolicy', ingress({ action: 'Allow', protocol: 'TCP', destination: { ports: ['90:80'] } })),
      );
    } catch (thrown) {
      error = thrown;
    }
    expect(error).toBeInstanceOf(ValidationError);
    expect(error).toMatchObject({
      message: 'spec.ingress[0].destination.ports[0]: "90:80" is not a port range: it ends before it begins',
      hint: 'write 80:90',
      where: { resource: 'NetworkPolicy "shop/web"' },
    });
  });
});
