import { describe, expect, test } from 'vitest';
import { parseAllDocuments } from 'yaml';
import type { PublicResourceByKind } from '../../api/registry.js';
import { Client } from '../../client/client.js';
import { MemoryDatastore } from '../../datastore/memory/memory-datastore.js';
import { Ipam } from '../../ipam/ipam.js';
import { CalicoctlFake } from '../calicoctl.fake.js';

async function setUp() {
  const datastore = new MemoryDatastore();
  const calicoctl = new CalicoctlFake(datastore).type;
  const client = new Client(datastore);
  await client.ensureInitialized();
  return { datastore, calicoctl, client };
}

function document(kind: string, name: string, spec: string): string {
  return `apiVersion: projectcalico.org/v3\nkind: ${kind}\nmetadata: {name: ${name}}\nspec: ${spec}\n---\n`;
}

describe('calicoctl datastore migrate export', () => {
  async function filled() {
    const set = await setUp();
    const { stderr } = await set.calicoctl(
      'apply -f -',
      [
        document('Node', 'h1', '{orchRefs: [{orchestrator: k8s, nodeName: kube-1}], ipv4VXLANTunnelAddr: 192.0.2.1}'),
        document('IPPool', 'office', '{cidr: 192.0.2.0/24}'),
        document('NetworkPolicy', 'web', '{order: 7}'),
        document('FelixConfiguration', 'node.h1', '{logSeverityScreen: Info}'),
        document('BGPPeer', 'router', '{node: h1, peerIP: 198.51.100.1, asNumber: 64512}'),
        document('HostEndpoint', 'eth0', '{node: h1, interfaceName: eth0}'),
        document('IPAMConfiguration', 'default', '{strictAffinity: true}'),
      ].join(''),
    );
    expect(stderr).not.toContain('failed');
    const copied: PublicResourceByKind['NetworkPolicy'] = {
      apiVersion: 'projectcalico.org/v3',
      kind: 'NetworkPolicy',
      metadata: { name: 'knp.default.copied', namespace: 'default' },
      spec: {},
    };
    await set.datastore.put({ kind: 'NetworkPolicy', namespace: 'default', name: 'knp.default.copied' }, copied);
    const attributes = { node: 'h1', type: 'vxlanTunnelAddress' };
    const handleId = 'vxlan-tunnel-addr-h1';
    await new Ipam(set.datastore).assignIp({ address: '192.0.2.1', hostname: 'h1', handleId, attributes });
    return set;
  }

  test('writes everything of a locked datastore, nodes by the names of Kubernetes', async () => {
    const { calicoctl } = await filled();
    await calicoctl('datastore migrate lock');
    const { status, stdout } = await calicoctl('datastore migrate export');
    expect(status).toBe(0);
    const [resources = '', cluster = '', ipam = ''] = stdout.split('===\n');
    const lists = parseAllDocuments(resources.replace(/---\n$/, '')).map((each) => each.toJS() as ListOfResources);
    expect(lists.map(({ kind }) => kind)).toEqual([
      'IPPoolList',
      'BGPPeerList',
      'TierList',
      'HostEndpointList',
      'NetworkPolicyList',
      'NodeList',
      'FelixConfigurationList',
    ]);
    const names = lists.flatMap(({ items }) => items.map(({ metadata }) => metadata['name']));
    expect(names).toEqual(expect.arrayContaining(['kube-1', 'node.kube-1', 'web']));
    expect(names).not.toContain('knp.default.copied');
    expect(lists.flatMap(({ items }) => items.map(({ spec }) => spec?.['node'] ?? 'kube-1'))).not.toContain('h1');
    const metadata = lists.flatMap(({ items }) => items.map((each) => Object.keys(each.metadata))).flat();
    expect(new Set(metadata)).toEqual(new Set(['name', 'namespace', 'labels']));
    expect(JSON.parse(cluster)).toMatchObject({ kind: 'ClusterInformation', spec: { datastoreReady: false } });
    expect(JSON.parse(ipam)).toMatchObject({
      blocks: [
        {
          cidr: '192.0.2.0/26',
          affinity: 'host:kube-1',
          attributes: [{ handle_id: 'vxlan-tunnel-addr-kube-1', secondary: { node: 'kube-1' } }],
        },
      ],
      affinities: [{ cidr: '192.0.2.0/26', deleted: false, node: 'kube-1', state: 'confirmed', type: 'host' }],
      handles: [{ handleID: 'vxlan-tunnel-addr-kube-1', block: { '192.0.2.0/26': 1 }, deleted: false }],
      config: { strictAffinity: true },
    });
  });

  interface ListOfResources {
    readonly kind: string;
    readonly items: readonly {
      readonly metadata: Readonly<Record<string, unknown>>;
      readonly spec?: Readonly<Record<string, unknown>>;
    }[];
  }

  test('refuses an open datastore, and nodes that Kubernetes does not know', async () => {
    const { calicoctl } = await filled();
    expect((await calicoctl('datastore migrate export')).stderr).toContain('datastore is not locked');
    await calicoctl('apply -f -', document('Node', 'h2', '{}'));
    await calicoctl('datastore migrate lock');
    const { status, stdout, stderr } = await calicoctl('datastore migrate export');
    expect([status, stdout, stderr]).toEqual([
      1,
      '',
      expect.stringContaining('nodes without reference to a Kubernetes node: h2'),
    ]);
  });

  test('import says that it cannot', async () => {
    const { calicoctl } = await setUp();
    const { status, stderr } = await calicoctl('datastore migrate import -f x.yaml');
    expect([status, stderr]).toEqual([1, expect.stringContaining('fills the Kubernetes datastore only')]);
  });
});

describe('calicoctl datastore migrate-policy-names', () => {
  function policy(name: string, tier?: string): PublicResourceByKind['GlobalNetworkPolicy'] {
    const spec = tier === undefined ? {} : { tier };
    return { apiVersion: 'projectcalico.org/v3', kind: 'GlobalNetworkPolicy', metadata: { name }, spec };
  }

  test('stores policies under their own names, unless the name is taken', async () => {
    const { calicoctl, datastore } = await setUp();
    const kind = 'GlobalNetworkPolicy' as const;
    await datastore.put({ kind, name: 'default.web' }, policy('web'));
    await datastore.put({ kind, name: 'security.db' }, policy('db', 'security'));
    await datastore.put({ kind, name: 'security.own' }, policy('security.own', 'security'));
    await datastore.put({ kind, name: 'default.twice' }, policy('twice'));
    await datastore.put({ kind, name: 'twice' }, policy('twice'));
    expect(await calicoctl('datastore migrate-policy-names')).toEqual({
      status: 1,
      stdout: [
        'GlobalNetworkPolicy(default.web) is stored as "web" now',
        'GlobalNetworkPolicy(security.db) is stored as "db" now',
        'Migrated the names of 2 policies.',
        '',
      ].join('\n'),
      stderr: 'GlobalNetworkPolicy(default.twice) stays as it is: there is a "twice" already; delete one of the two\n',
    });
    const keys = (await datastore.list(kind)).items.map(({ key }) => key.name);
    expect(keys).toEqual(['db', 'default.twice', 'security.own', 'twice', 'web']);
    await datastore.delete({ kind, name: 'default.twice' });
    expect((await calicoctl('datastore migrate-policy-names')).stdout).toBe('Migrated the names of 0 policies.\n');
  });
});
