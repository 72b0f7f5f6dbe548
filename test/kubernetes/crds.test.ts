import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { isPublicKind, type PublicKind, publicKinds } from '../../src/api/registry.js';
import { CEL_RULES } from '../../scripts/crd-rules.js';
import { customResourceDefinitions } from '../../scripts/crds.js';
import { type Answer, TestApiServer } from './api-server.js';

interface Definition {
  readonly metadata: { readonly name: string };
  readonly spec: { readonly scope: string; readonly names: { readonly kind: string; readonly plural: string } };
}

const GROUP = '/apis/crd.projectcalico.org/v1';
const DEFINITIONS = '/apis/apiextensions.k8s.io/v1/customresourcedefinitions';

const definitions = [...customResourceDefinitions().values()].map((text) => parse(text) as Definition);
let server: TestApiServer;

beforeAll(async () => {
  server = await TestApiServer.start();
  await server.call('POST', '/api/v1/namespaces', { metadata: { name: 'shop' } });
  for (const definition of definitions) {
    const { status, body } = await server.call('POST', DEFINITIONS, definition);
    if (status !== 201) throw new Error(`${definition.metadata.name}: ${JSON.stringify(body['message'])}`);
  }
}, 120_000);

afterAll(() => server.stop());

/** Kubernetes has IPAM's settings under another name. */
function namesOf(kind: PublicKind): Definition['spec'] {
  const wanted = kind === 'IPAMConfiguration' ? 'IPAMConfig' : kind;
  const found = definitions.find(({ spec }) => spec.names.kind === wanted);
  if (found === undefined) throw new Error(`no definition of ${kind}`);
  return found.spec;
}

function pathOf(kind: PublicKind, name?: string): string {
  const { scope, names } = namesOf(kind);
  const within = scope === 'Namespaced' ? '/namespaces/shop' : '';
  return `${GROUP}${within}/${names.plural}${name === undefined ? '' : `/${name}`}`;
}

function objectOf(kind: PublicKind, name: string, spec: object, more: object = {}): object {
  const metadata = { name, ...more };
  return { apiVersion: 'crd.projectcalico.org/v1', kind: namesOf(kind).names.kind, metadata, spec };
}

/** What stands in the way of creating it; nothing is kept. */
async function refusal(kind: PublicKind, name: string, spec: object): Promise<string> {
  const answer = await server.call('POST', `${pathOf(kind)}?dryRun=All`, objectOf(kind, name, spec));
  return answer.status === 201 ? '' : String(answer.body['message']);
}

async function establishedOf(name: string): Promise<string> {
  const { body } = await server.call('GET', `${DEFINITIONS}/${name}`);
  const status = (body['status'] ?? {}) as {
    conditions?: readonly { type: string; status: string; message: string }[];
  };
  const conditions = status.conditions ?? [];
  const bad = conditions.filter(({ type }) => type !== 'Established' && type !== 'NamesAccepted');
  const isEstablished = conditions.some((condition) => condition.type === 'Established' && condition.status === 'True');
  return isEstablished && bad.length === 0 ? 'Established' : JSON.stringify(conditions);
}

const kinds = Object.values(publicKinds).filter(({ kind }) => !['Node', 'WorkloadEndpoint', 'Profile'].includes(kind));

describe('the CRDs', () => {
  test.each(definitions)('$metadata.name is established, without a complaint', async ({ metadata }) => {
    await expect.poll(() => establishedOf(metadata.name), { timeout: 20_000 }).toBe('Established');
  });

  test.each(kinds)('take the example of $kind', async ({ kind, examples }) => {
    if (!isPublicKind(kind)) throw new Error(kind);
    expect(await refusal(kind, examples.valid.metadata.name, examples.valid.spec)).toBe('');
  });
});

const services = { name: 'web', namespace: 'shop' };
const allow = (more: object): object => ({ action: 'Allow', ...more });
const inRule = (more: object): object => ({ ingress: [allow(more)] });
const outRule = (more: object): object => ({ egress: [allow(more)] });
const template = (more: object): object => ({
  controllers: { node: { hostEndpoint: { templates: [{ generateName: 'a', ...more }] } } },
});
const SECRET = { secretKeyRef: { name: 's', key: 'k' } };

/** The rules of policies, each broken once. */
const POLICY_BREAKS: readonly (readonly [message: string, spec: object])[] = [
  ['code needs type', inRule({ protocol: 'ICMP', icmp: { code: 1 } })],
  ['http needs action Allow', { ingress: [{ action: 'Deny', http: { methods: ['GET'] } }] }],
  ['http may stand in ingress rules only', outRule({ http: { methods: ['GET'] } })],
  ['give exactly one of exact and prefix', inRule({ http: { paths: [{ exact: '/a', prefix: '/b' }] } })],
  ['in ingress rules services stand under source only', inRule({ destination: { services } })],
  ['in egress rules services stand under destination only', outRule({ source: { services } })],
  ['services excludes selector', inRule({ source: { services, selector: 'all()' } })],
  ['services excludes selector', outRule({ destination: { services, ports: [80] } })],
  ['name is missing', inRule({ source: { services: { namespace: 'shop' } } })],
];

const GLOBAL_BREAKS: typeof POLICY_BREAKS = [
  ...POLICY_BREAKS,
  ['namespace is missing: a global policy has none of its own', inRule({ source: { services: { name: 'web' } } })],
  ['preDNAT excludes doNotTrack', { preDNAT: true, doNotTrack: true, applyOnForward: true }],
  ['applyOnForward must be true where doNotTrack is true', { doNotTrack: true }],
  ['applyOnForward must be true where preDNAT is true', { preDNAT: true }],
  ['preDNAT excludes egress rules', { preDNAT: true, applyOnForward: true, ...outRule({}) }],
  ['preDNAT excludes type Egress', { preDNAT: true, applyOnForward: true, types: ['Egress'] }],
  ['Duplicate value', { types: ['Ingress', 'Ingress'] }],
];

const DELETES = 'everything but tier must be empty where stagedAction is Delete';

/** An object that breaks a rule, and a part of what is said. */
interface Break {
  readonly kind: PublicKind;
  readonly message: string;
  readonly spec: object;
  readonly name: string;
}

const breaks = (kind: PublicKind, message: string, spec: object, name = 'default'): Break => ({
  kind,
  message,
  spec,
  name,
});

const cases = (kind: PublicKind, list: typeof POLICY_BREAKS): readonly Break[] =>
  list.map(([message, spec]) => breaks(kind, message, spec));

const BREAKS: readonly Break[] = [
  ...cases('NetworkPolicy', POLICY_BREAKS),
  ...cases('GlobalNetworkPolicy', GLOBAL_BREAKS),
  ...cases('StagedNetworkPolicy', [...POLICY_BREAKS, [DELETES, { stagedAction: 'Delete', selector: 'all()' }]]),
  ...cases('StagedGlobalNetworkPolicy', [...GLOBAL_BREAKS, [DELETES, { stagedAction: 'Delete', order: 1 }]]),
  breaks('StagedKubernetesNetworkPolicy', DELETES, { stagedAction: 'Delete', policyTypes: ['Ingress'] }),
  breaks('HostEndpoint', 'interfaceName is missing: give it or expectedIPs', { node: 'n' }),
  breaks('HostEndpoint', 'should be at least 1 chars long', { node: '', interfaceName: 'eth0' }),
  breaks('IPPool', 'spec.cidr', { cidr: '192.0.2.1' }),
  breaks('IPPool', 'blockSize is 20 to 32 for IPv4, 116 to 128 for IPv6', { cidr: '192.168.0.0/16', blockSize: 120 }),
  breaks('IPPool', 'blockSize is 20 to 32 for IPv4, 116 to 128 for IPv6', { cidr: '2001:db8::/64', blockSize: 26 }),
  breaks('IPPool', 'cidr is smaller than one block', { cidr: '192.0.2.0/27' }),
  breaks('IPPool', 'cidr is smaller than one block', { cidr: '2001:db8::/120', blockSize: 116 }),
  breaks('IPPool', 'IP in IP is not there for IPv6 pools', { cidr: '2001:db8::/64', ipipMode: 'Always' }),
  breaks('IPPool', 'vxlanMode excludes ipipMode', {
    cidr: '192.168.0.0/16',
    ipipMode: 'Always',
    vxlanMode: 'CrossSubnet',
  }),
  breaks('IPPool', 'namespaceSelector excludes the use Tunnel', { cidr: '192.168.0.0/16', namespaceSelector: 'all()' }),
  breaks('IPPool', 'the use LoadBalancer stands alone', {
    cidr: '192.0.2.0/24',
    allowedUses: ['LoadBalancer', 'Workload'],
  }),
  breaks('IPPool', 'the use LoadBalancer excludes ipipMode and vxlanMode', {
    cidr: '192.0.2.0/24',
    allowedUses: ['LoadBalancer'],
    vxlanMode: 'Always',
  }),
  breaks('IPPool', 'the use LoadBalancer excludes disableBGPExport', {
    cidr: '192.0.2.0/24',
    allowedUses: ['LoadBalancer'],
    disableBGPExport: true,
  }),
  breaks('IPPool', 'the use LoadBalancer needs nodeSelector all()', {
    cidr: '192.0.2.0/24',
    allowedUses: ['LoadBalancer'],
    nodeSelector: 'has(x)',
  }),
  breaks('BGPPeer', 'nodeSelector excludes node', { node: 'n', nodeSelector: 'all()' }),
  breaks('BGPPeer', 'peerSelector excludes peerIP', { peerSelector: 'all()', peerIP: '192.0.2.1' }),
  breaks('BGPPeer', 'asNumber excludes peerSelector', { peerSelector: 'all()', asNumber: 64512 }),
  breaks('BGPPeer', 'localWorkloadSelector excludes peerIP', {
    localWorkloadSelector: 'all()',
    asNumber: 1,
    peerIP: '192.0.2.1',
  }),
  breaks('BGPPeer', 'localWorkloadSelector excludes peerSelector', {
    localWorkloadSelector: 'all()',
    peerSelector: 'all()',
  }),
  breaks('BGPPeer', 'nextHopMode excludes keepOriginalNextHop', { nextHopMode: 'Self', keepOriginalNextHop: true }),
  breaks('BGPPeer', 'localWorkloadSelector needs asNumber', { localWorkloadSelector: 'all()' }),
  breaks('BGPPeer', 'reachableBy needs peerIP', { reachableBy: '192.0.2.1' }),
  breaks('BGPPeer', 'reachableBy is of the other IP version than peerIP', {
    peerIP: '[2001:db8::1]:179',
    reachableBy: '192.0.2.1',
  }),
  breaks('BGPFilter', 'cidr and matchOperator belong together', {
    exportV4: [{ action: 'Accept', cidr: '192.0.2.0/24' }],
  }),
  breaks('BGPFilter', 'prefixLength needs cidr', { importV6: [{ action: 'Accept', prefixLength: { max: 64 } }] }),
  breaks('BGPFilter', 'operations need action Accept', {
    importV4: [{ action: 'Reject', operations: [{ setPriority: { value: 1 } }] }],
  }),
  breaks('BGPFilter', 'operations[0]', {
    exportV6: [{ action: 'Accept', operations: [{ setPriority: { value: 1 }, addCommunity: { value: '1:2' } }] }],
  }),
  breaks('BGPConfiguration', 'the name is default or node.<node>', {}, 'other'),
  breaks('BGPConfiguration', 'may stand in default only', { asNumber: 64512 }, 'node.n'),
  breaks('BGPConfiguration', 'nodeMeshPassword needs nodeToNodeMeshEnabled', {
    nodeToNodeMeshEnabled: false,
    nodeMeshPassword: SECRET,
  }),
  breaks('BGPConfiguration', 'nodeMeshMaxRestartTime needs nodeToNodeMeshEnabled', {
    nodeToNodeMeshEnabled: false,
    nodeMeshMaxRestartTime: '90s',
  }),
  breaks('BGPConfiguration', 'communities need prefixAdvertisements', { communities: [{ name: 'a', value: '1:2' }] }),
  breaks('FelixConfiguration', 'default and node.<node> need no nodeSelector', { nodeSelector: 'all()' }),
  breaks('FelixConfiguration', 'routeTableRange excludes routeTableRanges', {
    routeTableRange: { min: 1, max: 2 },
    routeTableRanges: [{ min: 1, max: 2 }],
  }),
  breaks('Tier', 'the name is a DNS label: at most 63 characters, no dot', {}, 'a.b'),
  breaks('Tier', 'tier default has order 1000000 and defaultAction Deny, always', { order: 5 }),
  breaks(
    'Tier',
    'tier kube-admin has order 1000 and defaultAction Pass, always',
    { defaultAction: 'Deny' },
    'kube-admin',
  ),
  breaks('Tier', 'tier kube-baseline has order 10000000 and defaultAction Pass, always', { order: 1 }, 'kube-baseline'),
  breaks('ClusterInformation', 'the only name there is is default', {}, 'mine'),
  breaks('KubeControllersConfiguration', 'the only name there is is default', {}, 'mine'),
  breaks('KubeControllersConfiguration', 'give exactly one of interfaceCIDRs and interfacePattern', template({})),
  breaks('IPAMConfiguration', 'the only name there is is default', {}, 'mine'),
  breaks('IPAMConfiguration', 'autoAllocateBlocks can be false only where strictAffinity is true', {
    autoAllocateBlocks: false,
  }),
  breaks('IPAMConfiguration', 'maxBlocksPerHost needs strictAffinity', { maxBlocksPerHost: 4 }),
  breaks('CalicoNodeStatus', 'Duplicate value', { node: 'n', classes: ['BGP', 'BGP'], updatePeriodSeconds: 1 }),
  breaks('NetworkSet', 'nets[0]', { nets: ['192.0.2.0/33'] }),
  breaks('BGPConfiguration', 'localWorkloadPeeringIPV4', { localWorkloadPeeringIPV4: '2001:db8::1' }),
  breaks('BGPConfiguration', 'nodeMeshMaxRestartTime', { nodeMeshMaxRestartTime: 'soon' }),
];

describe('the rules of the CRDs', () => {
  test.each(BREAKS)('$kind: $message: $spec', async ({ kind, message, spec, name }) => {
    expect(await refusal(kind, name, spec)).toContain(message);
  });

  test('are each broken here', () => {
    const transitions = ['cidr cannot change', 'blockSize cannot change'];
    const broken = (kind: string, message: string): boolean =>
      BREAKS.some((each) => each.kind === kind && message.includes(each.message)) || transitions.includes(message);
    const missed = Object.entries(CEL_RULES).flatMap(([kind, byPath]) =>
      Object.values(byPath)
        .flat()
        .filter(({ message }) => !broken(kind, message))
        .map(({ message }) => `${kind}: ${message}`),
    );
    expect(missed).toEqual([]);
  });

  test('keep a pool what it is', async () => {
    const created = await server.call(
      'POST',
      pathOf('IPPool'),
      objectOf('IPPool', 'p', { cidr: '192.168.0.0/16', blockSize: 26 }),
    );
    expect(created.status).toBe(201);
    const { metadata } = created.body as { metadata: { resourceVersion: string } };
    const change = (spec: object): Promise<Answer> =>
      server.call('PUT', pathOf('IPPool', 'p'), objectOf('IPPool', 'p', spec, metadata));
    expect(String((await change({ cidr: '192.168.0.0/17', blockSize: 26 })).body['message'])).toContain(
      'cidr cannot change',
    );
    expect(String((await change({ cidr: '192.168.0.0/16', blockSize: 27 })).body['message'])).toContain(
      'blockSize cannot change',
    );
    expect((await change({ cidr: '192.168.0.0/16', blockSize: 26, disabled: true })).status).toBe(200);
  });
});
