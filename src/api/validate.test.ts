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
const TEMPLATES = 'spec.controllers.node.hostEndpoint.templates';
const templates = (...list: object[]) => ({ controllers: { node: { hostEndpoint: { templates: list } } } });
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
  ['Profile', { labelsToApply: [] }, 'spec.labelsToApply: a list is not a set of fields'],
  ['Profile', [], 'spec: a list is not a set of fields'],
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
  ['HostEndpoint', { interfaceName: 'eth0' }, 'spec.node: it is missing'],
  ['HostEndpoint', { node: '', interfaceName: '*' }, 'spec.node: it is empty'],
  [
    'HostEndpoint',
    { node: 'a', interfaceName: 'sixteen-letters-' },
    'spec.interfaceName: "sixteen-letters-" is neither "*" nor the name of a network interface',
  ],
  [
    'HostEndpoint',
    { node: 'a', expectedIPs: ['192.0.2.0/24'] },
    'spec.expectedIPs[0]: "192.0.2.0/24" is not an IP address',
  ],
  [
    'HostEndpoint',
    { node: 'a', interfaceName: 'eth0', ports: [{ name: 'a', protocol: 'ICMP', port: 1 }] },
    'spec.ports[0].protocol: protocol ICMP has no ports: only TCP, UDP and SCTP have',
  ],
  [
    'HostEndpoint',
    { node: 'a', interfaceName: 'eth0', ports: [{ protocol: 'TCP', port: 0 }] },
    'spec.ports[0].name: it is missing',
    'spec.ports[0].port: 0 is not a whole number from 1 to 65535',
  ],
  [
    'StagedNetworkPolicy',
    {
      stagedAction: 'Delete',
      tier: 'security',
      order: 0,
      types: ['Ingress'],
      ...ingress({ action: 'Allow' }),
      selector: '',
    },
    'spec.order: it must be empty where stagedAction is Delete',
    'spec.types: it must be empty where stagedAction is Delete',
    'spec.ingress: it must be empty where stagedAction is Delete',
  ],
  ['StagedNetworkPolicy', { types: ['Egress', 'Egress'] }, 'spec.types: one type stands there twice'],
  [
    'StagedNetworkPolicy',
    { performanceHints: ['Fast'] },
    'spec.performanceHints[0]: "Fast" is not one of AssumeNeededOnEveryNode',
  ],
  [
    'StagedNetworkPolicy',
    ingress({ action: 'Allow', destination: { ports: [80] } }),
    'spec.ingress[0].destination.ports[0]: a port by number needs a protocol: TCP, UDP or SCTP',
  ],
  ['StagedGlobalNetworkPolicy', { doNotTrack: true }, 'spec.applyOnForward: it must be true where doNotTrack is true'],
  [
    'StagedGlobalNetworkPolicy',
    { stagedAction: 'Delete', namespaceSelector: 'all()' },
    'spec.namespaceSelector: it must be empty where stagedAction is Delete',
  ],
  [
    'StagedKubernetesNetworkPolicy',
    { stagedAction: 'Delete', podSelector: { matchLabels: { a: 'b' } }, policyTypes: ['Egress'] },
    'spec.podSelector: it must be empty where stagedAction is Delete',
    'spec.policyTypes: it must be empty where stagedAction is Delete',
  ],
  [
    'StagedKubernetesNetworkPolicy',
    {
      podSelector: {
        matchLabels: { 'a b': 'c', d: 'e f' },
        matchExpressions: [
          { key: 'a', operator: 'In' },
          { key: '-', operator: 'Exists', values: ['b'] },
        ],
      },
      policyTypes: ['Ingress', 'Ingress'],
    },
    'spec.podSelector.matchLabels["a b"]: "a b" is not a label key: letters, digits, "-", "_" and ".", at most 63',
    'spec.podSelector.matchLabels.d: "e f" is not a label value: letters, digits, "-", "_" and ".", at most 63',
    'spec.podSelector.matchExpressions[0].values: operator In needs them',
    'spec.podSelector.matchExpressions[1].key: "-" is not a label key: letters, digits, "-", "_" and ".", at most 63',
    'spec.podSelector.matchExpressions[1].values: operator Exists has none',
    'spec.policyTypes: one type stands there twice',
  ],
  [
    'StagedKubernetesNetworkPolicy',
    ingress({
      ports: [{ port: 0 }, { port: 'No' }, { port: 'http', endPort: 90 }, { port: 90, endPort: 80 }],
      from: [{}, { podSelector: {}, ipBlock: { cidr: '192.0.2.0/24', except: ['192.0.2.0/24'] } }],
    }),
    'spec.ingress[0].ports[0].port: 0 is not a port from 1 to 65535',
    'spec.ingress[0].ports[1].port: "No" is not the name of a port',
    'spec.ingress[0].ports[2].endPort: it needs a port by number',
    'spec.ingress[0].ports[3].endPort: 80 is less than port 90',
    'spec.ingress[0].from[0]: give podSelector, namespaceSelector or ipBlock',
    'spec.ingress[0].from[1].ipBlock: it excludes podSelector and namespaceSelector',
    'spec.ingress[0].from[1].ipBlock.except[0]: "192.0.2.0/24" is not a part of 192.0.2.0/24',
  ],
  [
    'StagedKubernetesNetworkPolicy',
    egress({ from: [{}], ports: [{ protocol: 'ICMP' }] }),
    'spec.egress[0].from: field in document is not recognized or is in the wrong location: from',
    'spec.egress[0].ports[0].protocol: "ICMP" is not one of TCP, UDP, SCTP',
  ],
  ['IPReservation', { reservedCIDRs: '192.0.2.0/24' }, 'spec.reservedCIDRs: "192.0.2.0/24" is not a list'],
  ['BGPFilter', { exportV4: [{ action: 'Deny' }] }, 'spec.exportV4[0].action: "Deny" is not one of Accept, Reject'],
  [
    'BGPFilter',
    { importV6: [{ cidr: '192.0.2.0/24', matchOperator: 'Within', action: 'Accept' }] },
    'spec.importV6[0].cidr: "192.0.2.0/24" is not an IPv6 CIDR',
    'spec.importV6[0].matchOperator: "Within" is not one of Equal, NotEqual, In, NotIn',
  ],
  [
    'BGPFilter',
    { importV4: [{ matchOperator: 'In', prefixLength: { min: 8 }, action: 'Accept' }] },
    'spec.importV4[0].cidr: it is missing: matchOperator needs it',
    'spec.importV4[0].prefixLength: it needs cidr',
  ],
  [
    'BGPFilter',
    { exportV4: [{ cidr: '192.0.2.0/24', matchOperator: 'In', prefixLength: { max: 33 }, action: 'Accept' }] },
    'spec.exportV4[0].prefixLength.max: 33 is not a whole number from 0 to 32',
  ],
  [
    'BGPFilter',
    { exportV6: [{ source: 'Peers', interface: 'eth 0', peerType: 'ebgp', priority: 0, action: 'Accept' }] },
    'spec.exportV6[0].source: "Peers" is not one of RemotePeers',
    'spec.exportV6[0].interface: "eth 0" is not the name of interfaces',
    'spec.exportV6[0].peerType: "ebgp" is not one of eBGP, iBGP',
    'spec.exportV6[0].priority: 0 is not a whole number from 1 to 2147483646',
  ],
  [
    'BGPFilter',
    { exportV4: [{ communities: { values: ['1:2', '65536:1'] }, action: 'Accept' }] },
    'spec.exportV4[0].communities.values[1]: "65536:1" is not a community: aa:nn or aa:nn:mm',
  ],
  [
    'BGPFilter',
    {
      exportV4: [
        { communities: { values: ['1:2', '1:2:3'] }, action: 'Reject', operations: [] },
        { action: 'Accept', operations: [{}, { prependASPath: { prefix: [] } }] },
      ],
    },
    'spec.exportV4[0].communities.values: it has 2 entries: one is right',
    'spec.exportV4[0].operations: they need action Accept',
    'spec.exportV4[0].operations: it has 0 entries: 1 to 10 are right',
    'spec.exportV4[1].operations[0]: give exactly one of addCommunity, prependASPath and setPriority',
    'spec.exportV4[1].operations[1].prependASPath.prefix: it has 0 entries: 1 to 10 are right',
  ],
  [
    'CalicoNodeStatus',
    { node: 'a', classes: ['Agent', 'Agent'], updatePeriodSeconds: 0 },
    'spec.classes: one class stands there twice',
  ],
  [
    'CalicoNodeStatus',
    { node: 'a', classes: ['Bgp'], updatePeriodSeconds: 86401 },
    'spec.classes[0]: "Bgp" is not one of Agent, BGP, Routes',
    'spec.updatePeriodSeconds: 86401 is not a whole number from 0 to 86400',
  ],
  [
    'KubeControllersConfiguration',
    { etcdV3CompactionPeriod: '10', prometheusMetricsPort: -1, logSeverityScreen: 'loud' },
    'spec.logSeverityScreen: "loud" is not one of None, Debug, Info, Warning, Error, Fatal, Panic',
    'spec.etcdV3CompactionPeriod: "10" is not a duration such as 90s or 1m30s',
    'spec.prometheusMetricsPort: -1 is not a whole number from 0 to 65535',
  ],
  [
    'KubeControllersConfiguration',
    templates({ generateName: 'a', interfacePattern: '(' }),
    `${TEMPLATES}[0].interfacePattern: "(" is not a regular expression`,
  ],
  [
    'KubeControllersConfiguration',
    templates(
      { generateName: 'a', interfacePattern: 'eth.*', labels: { a: 'b c' } },
      { generateName: 'a', interfacePattern: 'eth.*', interfaceCIDRs: ['192.0.2.0/24'] },
    ),
    `${TEMPLATES}[0].labels.a: "b c" is not a label value: letters, digits, "-", "_" and ".", at most 63`,
    `${TEMPLATES}[1].generateName: "a" stands there twice`,
    `${TEMPLATES}[1]: give exactly one of interfaceCIDRs and interfacePattern`,
  ],
  ['IPAMConfiguration', { maxBlocksPerHost: 2 }, 'spec.maxBlocksPerHost: it needs strictAffinity'],
  [
    'IPAMConfiguration',
    { maxBlocksPerHost: 1000001, ipCooldownSeconds: 1201, kubeVirtVMAddressPersistence: 'On' },
    'spec.maxBlocksPerHost: 1000001 is not a whole number from 0 to 1000000',
    'spec.kubeVirtVMAddressPersistence: "On" is not one of Enabled, Disabled',
    'spec.ipCooldownSeconds: 1201 is not a whole number from 0 to 1200',
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

  test.each(['IPAMConfiguration', 'KubeControllersConfiguration', 'ClusterInformation'] as const)(
    'knows one %s',
    (kind) => {
      expect(said(typed(kind, {}, { name: 'mine' }))).toEqual([
        'metadata.name: "mine" is not "default", the only name there is',
      ]);
    },
  );

  test('takes two names of a staged policy, as of a policy', () => {
    expect(said(typed('StagedGlobalNetworkPolicy', {}, { name: 'security.web.old' }))).toEqual([
      'metadata.name: "security.web.old" is not a policy\'s name: lower-case letters, digits and "-", with at most one dot',
    ]);
    expect(said(typed('StagedNetworkPolicy', {}, { name: 'knp.default.a.b', namespace: 'a' }))).toEqual([]);
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

  test('of a staged policy does the same, unless it deletes', () => {
    const spec = (kind: PublicKind, given: object) => parseResource(typed(kind, given)).spec;
    const asPolicy = { tier: 'default', types: ['Ingress'], stagedAction: 'Set' };
    expect(spec('StagedNetworkPolicy', {})).toEqual(asPolicy);
    expect(spec('StagedGlobalNetworkPolicy', {})).toEqual(asPolicy);
    expect(spec('StagedNetworkPolicy', { stagedAction: 'Delete' })).toEqual({
      tier: 'default',
      stagedAction: 'Delete',
    });
    expect(spec('StagedKubernetesNetworkPolicy', { egress: [{}] })).toMatchObject({
      policyTypes: ['Ingress', 'Egress'],
    });
    expect(spec('StagedKubernetesNetworkPolicy', { stagedAction: 'Delete', podSelector: {} })).toEqual({
      stagedAction: 'Delete',
      podSelector: {},
    });
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
