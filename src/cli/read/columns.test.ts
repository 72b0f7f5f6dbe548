import { describe, expect, test } from 'vitest';
import { isPublicKind, type PublicKind, publicKinds, type PublicResourceByKind } from '../../api/registry.js';
import { columnsOf, headingsOf } from './columns.js';
import { resolveKind } from '../kind-names.js';

const facts = { globalAsNumber: 64512 };

function row(kind: PublicKind, isWide: boolean): readonly string[] {
  const { metadata, spec } = publicKinds[kind].examples.valid;
  const resource = { apiVersion: 'projectcalico.org/v3', kind, metadata, spec };
  return columnsOf(kind, isWide).map(
    ({ heading, cell }) => `${heading}=${cell(resource as unknown as PublicResourceByKind[typeof kind], facts)}`,
  );
}

describe('columnsOf()', () => {
  test.each<readonly [PublicKind, string, string]>([
    ['BGPFilter', 'NAME=no-lab NUMEXPORTV4=1 NUMIMPORTV4=1 NUMEXPORTV6=0 NUMIMPORTV6=0', ''],
    ['HostEndpoint', 'NAME=calico-01-eth0 NODE=calico-01', ' INTERFACE=eth0 IPS=192.0.2.10 PROFILES='],
    ['IPAMConfiguration', 'NAME=default STRICTAFFINITY=true AUTOALLOCATEBLOCKS=true', ' MAXBLOCKSPERHOST=4'],
    ['IPReservation', 'NAME=printers', ' CIDRS=192.168.0.0/29,192.168.1.7'],
    ['KubeControllersConfiguration', 'NAME=default', ''],
    ['CalicoNodeStatus', 'NAME=calico-01 NODE=calico-01', ' CLASSES=Agent,BGP,Routes'],
    ['StagedNetworkPolicy', 'NAME=web TIER=default', " ORDER=<nil> SELECTOR=app == 'web'"],
    ['StagedGlobalNetworkPolicy', 'NAME=deny-telnet TIER=default', ' ORDER=10 SELECTOR='],
    ['StagedKubernetesNetworkPolicy', 'NAME=web', " PODSELECTOR=app == 'web'"],
  ])('of %s', (kind, narrow, more) => {
    expect(row(kind, false).join(' ')).toBe(narrow);
    expect(row(kind, true).join(' ')).toBe(`${narrow}${more}`);
  });
});

/** What stands in the documentation: kind, other words for it, columns, columns with wide. */
const DOCUMENTED: readonly (readonly [PublicKind, string, string, string])[] = [
  [
    'BGPConfiguration',
    'bgpconfigurations bgpconfig bgpconfigs',
    'NAME LOGSEVERITY MESHENABLED ASNUMBER',
    'NAME LOGSEVERITY MESHENABLED ASNUMBER',
  ],
  [
    'BGPFilter',
    'bgpfilters bgpf bgpfs bf bfs',
    'NAME NUMEXPORTV4 NUMIMPORTV4 NUMEXPORTV6 NUMIMPORTV6',
    'NAME NUMEXPORTV4 NUMIMPORTV4 NUMEXPORTV6 NUMIMPORTV6',
  ],
  ['BGPPeer', 'bgppeers bgpp bgpps bp bps', 'NAME PEERIP NODE ASN', 'NAME PEERIP NODE ASN'],
  [
    'ClusterInformation',
    'clusterinformations clusterinfo clusterinfos',
    'NAME CLUSTERGUID CLUSTERTYPE CALICOVERSION DATASTOREREADY',
    'NAME CLUSTERGUID CLUSTERTYPE CALICOVERSION DATASTOREREADY',
  ],
  ['FelixConfiguration', 'felixconfigurations felixconfig felixconfigs', 'NAME', 'NAME'],
  ['GlobalNetworkPolicy', 'globalnetworkpolicies gnp gnps', 'NAME TIER', 'NAME TIER ORDER SELECTOR'],
  ['GlobalNetworkSet', 'globalnetworksets gnetsets', 'NAME', 'NAME NETS'],
  ['HostEndpoint', 'hostendpoints hep heps', 'NAME NODE', 'NAME NODE INTERFACE IPS PROFILES'],
  [
    'IPAMConfiguration',
    'ipamconfigurations ipamconfig ipamconfigs',
    'NAME STRICTAFFINITY AUTOALLOCATEBLOCKS',
    'NAME STRICTAFFINITY AUTOALLOCATEBLOCKS MAXBLOCKSPERHOST',
  ],
  [
    'IPPool',
    'ippools ipp ipps pool pools',
    'NAME CIDR SELECTOR',
    'NAME CIDR NAT IPIPMODE VXLANMODE DISABLED DISABLEBGPEXPORT SELECTOR ASSIGNMENTMODE',
  ],
  ['IPReservation', 'ipreservations reservation reservations', 'NAME', 'NAME CIDRS'],
  [
    'KubeControllersConfiguration',
    'kubecontrollersconfigurations kubecontrollersconfig kubecontrollersconfigs',
    'NAME',
    'NAME',
  ],
  ['NetworkPolicy', 'networkpolicies policy policies np pol pols', 'NAME TIER', 'NAME TIER ORDER SELECTOR'],
  ['NetworkSet', 'networksets netsets', 'NAME', 'NAME NETS'],
  ['Node', 'nodes no nos', 'NAME', 'NAME ASN IPV4 IPV6'],
  ['CalicoNodeStatus', 'caliconodestatuses nodestatus nodestatuses', 'NAME NODE', 'NAME NODE CLASSES'],
  ['Profile', 'profiles pro pros', 'NAME', 'NAME LABELS'],
  ['StagedGlobalNetworkPolicy', 'stagedglobalnetworkpolicies sgnp sgnps', 'NAME TIER', 'NAME TIER ORDER SELECTOR'],
  [
    'StagedNetworkPolicy',
    'stagednetworkpolicies snp stagedpolicy stagedpolicies spol spols',
    'NAME TIER',
    'NAME TIER ORDER SELECTOR',
  ],
  [
    'StagedKubernetesNetworkPolicy',
    'stagedkubernetesnetworkpolicies sknp skpol skpols stagedkubernetespolicy stagedkubernetespolicies',
    'NAME',
    'NAME PODSELECTOR',
  ],
  ['Tier', 'tiers', 'NAME ORDER', 'NAME ORDER'],
  [
    'WorkloadEndpoint',
    'workloadendpoints wep weps',
    'WORKLOAD NODE NETWORKS INTERFACE',
    'NAME WORKLOAD NODE NETWORKS INTERFACE PROFILES NATS',
  ],
];

describe('what is documented of every kind', () => {
  test('leaves no kind out', () => {
    expect(DOCUMENTED.map(([kind]) => kind).toSorted()).toEqual(Object.keys(publicKinds).toSorted());
  });

  test.each(DOCUMENTED)('%s', (kind, words, narrow, wide) => {
    const headings = (isWide: boolean) => columnsOf(kind, isWide).map(({ heading }) => heading);
    expect(headings(false).join(' ')).toBe(narrow);
    expect(headings(true).join(' ')).toBe(wide);
    for (const word of [kind, ...words.split(' ')]) expect([word, resolveKind(word)]).toEqual([word, kind]);
    for (const heading of wide.split(' ')) expect(headingsOf(kind)).toContain(heading);
  });

  test('cells hold what the stored object says', () => {
    const cells = (kind: PublicKind, spec: object, metadata = { name: 'a' }) =>
      columnsOf(kind, true).map(({ cell }) =>
        cell({ kind, metadata, spec } as unknown as PublicResourceByKind[typeof kind], facts),
      );
    const nets = Array.from({ length: 9 }, (_, index) => `198.51.100.${index}/32`);
    expect(cells('NetworkSet', { nets })[1]).toHaveLength(80);
    expect(cells('NetworkSet', { nets })[1]).toMatch(/^198\.51\.100\.0\/32,.*\.\.\.$/);
    expect(cells('Node', {})).toEqual(['a', '', '', '']);
    expect(cells('Node', { bgp: { ipv6Address: '2001:db8::1/64' } })).toEqual(['a', '(64512)', '', '2001:db8::1/64']);
    expect(cells('BGPConfiguration', {})).toEqual(['a', '', '-', '-']);
    expect(cells('BGPPeer', { nodeSelector: 'all()', asNumber: 65001 })).toEqual(['a', '', 'all()', '65001']);
    expect(cells('BGPPeer', { peerIP: '192.0.2.1' })).toEqual(['a', '192.0.2.1', '(global)', '0']);
    expect(cells('Profile', { labelsToApply: { b: '1', a: '' } })).toEqual(['a', 'a=,b=1']);
    expect(cells('ClusterInformation', {})).toEqual(['a', '', '', '', '<nil>']);
    expect(cells('Tier', { order: 1_234_567 })).toEqual(['a', '1.234567e+06']);
    const endpoint = { node: 'n', pod: 'web', ipNetworks: ['192.168.0.1/32', 'fd80::1/128'], interfaceName: 'cali1' };
    const ipNATs = [{ internalIP: '192.168.0.1', externalIP: '192.0.2.1' }];
    expect(cells('WorkloadEndpoint', { ...endpoint, ipNATs, profiles: ['p', 'q'] })).toEqual([
      'a',
      'web',
      'n',
      '192.168.0.1/32,fd80::1/128',
      'cali1',
      'p,q',
      '{192.168.0.1 192.0.2.1}',
    ]);
  });
});

describe('resolveKind()', () => {
  test('knows every kind by each of its words, and no word means two', () => {
    const words = Object.values(publicKinds).flatMap(({ kind, plural, aliases }) =>
      [kind, plural, ...aliases].map((word) => ({ kind, word })),
    );
    expect(words.filter(({ kind, word }) => !isPublicKind(kind) || resolveKind(word) !== kind)).toEqual([]);
    expect(resolveKind('skpols')).toBe('StagedKubernetesNetworkPolicy');
    expect(resolveKind('nodestatuses')).toBe('CalicoNodeStatus');
  });
});
