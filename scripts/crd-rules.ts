import { CLUSTER_FIELDS } from '../src/api/kinds/bgp-configuration.js';
import type { PublicKind } from '../src/api/registry.js';

/** A rule in CEL, over the value at its path. */
export interface CelRule {
  readonly rule: string;
  readonly message: string;
}

type Schema = Readonly<Record<string, unknown>>;

/** By path of a kind's spec; the spec itself is ``, the whole object `.`. */
type ByPath<T> = Readonly<Record<string, T>>;

const isText = (field: string): string => `(has(self.${field}) && self.${field} != '')`;
const isTrue = (field: string): string => `(has(self.${field}) && self.${field})`;
const isNotEmpty = (field: string): string => `(has(self.${field}) && size(self.${field}) > 0)`;

function exclusive(field: string, other: string, isGiven: (field: string) => string = isText): CelRule {
  return { rule: `!(${isGiven(field)} && ${isGiven(other)})`, message: `${field} excludes ${other}` };
}

const ONLY_DEFAULT: CelRule = { rule: "self.metadata.name == 'default'", message: 'the only name there is is default' };

const OTHER_MATCHES = ['selector', 'notSelector', 'namespaceSelector', 'nets', 'notNets', 'serviceAccounts'];

function hasAnyOf(fields: readonly string[]): string {
  return fields.map((field) => `has(self.${field})`).join(' || ');
}

/** Of the rules of one direction. */
function ruleRules(direction: 'ingress' | 'egress', isGlobal: boolean): ByPath<readonly CelRule[]> {
  const [served, other] = direction === 'ingress' ? ['source', 'destination'] : ['destination', 'source'];
  const rule = `${direction}[]`;
  const code = [{ rule: '!has(self.code) || has(self.type)', message: 'code needs type' }];
  const excluded = served === 'source' ? OTHER_MATCHES : [...OTHER_MATCHES, 'ports', 'notPorts'];
  const http =
    direction === 'ingress'
      ? { rule: "!has(self.http) || self.action == 'Allow'", message: 'http needs action Allow' }
      : { rule: '!has(self.http)', message: 'http may stand in ingress rules only' };
  const global = { rule: isText('namespace'), message: 'namespace is missing: a global policy has none of its own' };
  return {
    [rule]: [
      http,
      {
        rule: `!has(self.${other}) || !has(self.${other}.services)`,
        message: `in ${direction} rules services stand under ${served} only`,
      },
    ],
    [`${rule}.icmp`]: code,
    [`${rule}.notICMP`]: code,
    [`${rule}.${served}`]: [
      {
        rule: `!has(self.services) || !(${hasAnyOf(excluded)})`,
        message: `services excludes ${excluded.join(', ')}`,
      },
    ],
    [`${rule}.${served}.services`]: [
      { rule: isText('name'), message: 'name is missing' },
      ...(isGlobal ? [global] : []),
    ],
    [`${rule}.http.paths[]`]: [
      { rule: 'has(self.exact) != has(self.prefix)', message: 'give exactly one of exact and prefix' },
    ],
  };
}

function policyRules(isGlobal: boolean): ByPath<readonly CelRule[]> {
  return { ...ruleRules('ingress', isGlobal), ...ruleRules('egress', isGlobal) };
}

const HOOKS: readonly CelRule[] = [
  exclusive('preDNAT', 'doNotTrack', isTrue),
  ...['doNotTrack', 'preDNAT'].map((field) => ({
    rule: `!${isTrue(field)} || ${isTrue('applyOnForward')}`,
    message: `applyOnForward must be true where ${field} is true`,
  })),
  { rule: `!${isTrue('preDNAT')} || !${isNotEmpty('egress')}`, message: 'preDNAT excludes egress rules' },
  {
    rule: `!${isTrue('preDNAT')} || !has(self.types) || !('Egress' in self.types)`,
    message: 'preDNAT excludes type Egress',
  },
];

/** @param fields what must be empty, by the test that finds it full */
function deletesNothingElse(fields: readonly string[]): CelRule {
  return {
    rule: `!has(self.stagedAction) || self.stagedAction != 'Delete' || !(${fields.join(' || ')})`,
    message: 'everything but tier must be empty where stagedAction is Delete',
  };
}

const STAGED_FIELDS = [
  'has(self.order)',
  isText('selector'),
  isText('serviceAccountSelector'),
  isNotEmpty('ingress'),
  isNotEmpty('egress'),
];
const STAGED_GLOBAL_FIELDS = [
  ...STAGED_FIELDS,
  isText('namespaceSelector'),
  ...['doNotTrack', 'preDNAT', 'applyOnForward'].map(isTrue),
];

/** What a tier that every cluster has is like, always. */
function fixedTier(name: string, order: string, action: string): CelRule {
  const isSo = `(!has(self.spec.order) || self.spec.order == ${order}) && (!has(self.spec.defaultAction) || self.spec.defaultAction == '${action}')`;
  return {
    rule: `self.metadata.name != '${name}' || !has(self.spec) || (${isSo})`,
    message: `tier ${name} has order ${Number(order)} and defaultAction ${action}, always`,
  };
}

const isSix = "self.cidr.contains(':')";
const poolLength = "int(self.cidr.split('/')[1])";
const encapsulates = (field: string): string => `(has(self.${field}) && self.${field} != 'Never')`;
const isForLoadBalancers = "(has(self.allowedUses) && 'LoadBalancer' in self.allowedUses)";

const POOL: readonly CelRule[] = [
  { rule: 'self.cidr == oldSelf.cidr', message: 'cidr cannot change' },
  {
    rule: '!has(self.blockSize) || !has(oldSelf.blockSize) || self.blockSize == oldSelf.blockSize',
    message: 'blockSize cannot change',
  },
  {
    rule: `!has(self.blockSize) || (${isSix} ? self.blockSize >= 116 : self.blockSize <= 32)`,
    message: 'blockSize is 20 to 32 for IPv4, 116 to 128 for IPv6',
  },
  {
    rule: `${isTrue('disabled')} || ${poolLength} <= (has(self.blockSize) ? self.blockSize : (${isSix} ? 122 : 26))`,
    message: 'cidr is smaller than one block',
  },
  { rule: `!${encapsulates('ipipMode')} || !${isSix}`, message: 'IP in IP is not there for IPv6 pools' },
  exclusive('vxlanMode', 'ipipMode', encapsulates),
  {
    rule: `!${isText('namespaceSelector')} || (has(self.allowedUses) && !('Tunnel' in self.allowedUses))`,
    message: 'namespaceSelector excludes the use Tunnel',
  },
  { rule: `!${isForLoadBalancers} || size(self.allowedUses) == 1`, message: 'the use LoadBalancer stands alone' },
  {
    rule: `!${isForLoadBalancers} || !(${encapsulates('ipipMode')} || ${encapsulates('vxlanMode')})`,
    message: 'the use LoadBalancer excludes ipipMode and vxlanMode',
  },
  {
    rule: `!${isForLoadBalancers} || !${isTrue('disableBGPExport')}`,
    message: 'the use LoadBalancer excludes disableBGPExport',
  },
  {
    rule: `!${isForLoadBalancers} || !has(self.nodeSelector) || self.nodeSelector == 'all()'`,
    message: 'the use LoadBalancer needs nodeSelector all()',
  },
];

const PEER: readonly CelRule[] = [
  exclusive('nodeSelector', 'node'),
  exclusive('peerSelector', 'peerIP'),
  { rule: `!(has(self.asNumber) && ${isText('peerSelector')})`, message: 'asNumber excludes peerSelector' },
  exclusive('localWorkloadSelector', 'peerIP'),
  exclusive('localWorkloadSelector', 'peerSelector'),
  {
    rule: `!(${isText('nextHopMode')} && ${isTrue('keepOriginalNextHop')})`,
    message: 'nextHopMode excludes keepOriginalNextHop',
  },
  {
    rule: `!${isText('localWorkloadSelector')} || has(self.asNumber)`,
    message: 'localWorkloadSelector needs asNumber',
  },
  { rule: `!has(self.reachableBy) || ${isText('peerIP')}`, message: 'reachableBy needs peerIP' },
  {
    rule: "!has(self.reachableBy) || !has(self.peerIP) || self.reachableBy.contains('.') == self.peerIP.contains('.')",
    message: 'reachableBy is of the other IP version than peerIP',
  },
];

const FILTER_RULE: readonly CelRule[] = [
  { rule: 'has(self.cidr) == has(self.matchOperator)', message: 'cidr and matchOperator belong together' },
  { rule: '!has(self.prefixLength) || has(self.cidr)', message: 'prefixLength needs cidr' },
  { rule: "!has(self.operations) || self.action == 'Accept'", message: 'operations need action Accept' },
];
const FILTER_LISTS = ['exportV4', 'importV4', 'exportV6', 'importV6'];

/**
 * What needs two fields, the object's name, or the object as it was. Rules that need arithmetic on addresses, other objects or whole
 * lists live in the client alone.
 */
export const CEL_RULES: Readonly<Partial<Record<PublicKind, ByPath<readonly CelRule[]>>>> = {
  NetworkPolicy: policyRules(false),
  StagedNetworkPolicy: { ...policyRules(false), '': [deletesNothingElse(STAGED_FIELDS)] },
  GlobalNetworkPolicy: { ...policyRules(true), '': HOOKS },
  StagedGlobalNetworkPolicy: { ...policyRules(true), '': [...HOOKS, deletesNothingElse(STAGED_GLOBAL_FIELDS)] },
  StagedKubernetesNetworkPolicy: {
    '': [deletesNothingElse([isNotEmpty('ingress'), isNotEmpty('egress'), isNotEmpty('policyTypes')])],
  },
  HostEndpoint: {
    '': [
      {
        rule: `${isText('interfaceName')} || ${isNotEmpty('expectedIPs')}`,
        message: 'interfaceName is missing: give it or expectedIPs',
      },
    ],
  },
  IPPool: { '': POOL },
  BGPPeer: { '': PEER },
  BGPFilter: Object.fromEntries(FILTER_LISTS.map((list) => [`${list}[]`, FILTER_RULE])),
  BGPConfiguration: {
    '.': [
      {
        rule: "self.metadata.name == 'default' || self.metadata.name.startsWith('node.')",
        message: 'the name is default or node.<node>',
      },
      {
        rule: `self.metadata.name == 'default' || !has(self.spec) || !(${CLUSTER_FIELDS.map((field) => `has(self.spec.${field})`).join(' || ')})`,
        message: `${CLUSTER_FIELDS.join(', ')} may stand in default only`,
      },
    ],
    '': [
      ...['nodeMeshPassword', 'nodeMeshMaxRestartTime'].map((field) => ({
        rule: `!has(self.${field}) || !has(self.nodeToNodeMeshEnabled) || self.nodeToNodeMeshEnabled`,
        message: `${field} needs nodeToNodeMeshEnabled`,
      })),
      {
        rule: `!${isNotEmpty('communities')} || ${isNotEmpty('prefixAdvertisements')}`,
        message: 'communities need prefixAdvertisements',
      },
    ],
  },
  FelixConfiguration: {
    '.': [
      {
        rule: "!(self.metadata.name == 'default' || self.metadata.name.startsWith('node.')) || !has(self.spec) || !has(self.spec.nodeSelector)",
        message: 'default and node.<node> need no nodeSelector: their name says whom they are for',
      },
    ],
    '': [
      {
        rule: '!(has(self.routeTableRange) && has(self.routeTableRanges))',
        message: 'routeTableRange excludes routeTableRanges',
      },
    ],
  },
  Tier: {
    '.': [
      {
        rule: "!self.metadata.name.contains('.') && size(self.metadata.name) <= 63",
        message: 'the name is a DNS label: at most 63 characters, no dot',
      },
      fixedTier('default', '1000000.0', 'Deny'),
      fixedTier('kube-admin', '1000.0', 'Pass'),
      fixedTier('kube-baseline', '10000000.0', 'Pass'),
    ],
  },
  ClusterInformation: { '.': [ONLY_DEFAULT] },
  KubeControllersConfiguration: {
    '.': [ONLY_DEFAULT],
    'controllers.node.hostEndpoint.templates[]': [
      {
        rule: `${isNotEmpty('interfaceCIDRs')} != ${isText('interfacePattern')}`,
        message: 'give exactly one of interfaceCIDRs and interfacePattern',
      },
    ],
  },
  IPAMConfiguration: {
    '.': [ONLY_DEFAULT],
    '': [
      {
        rule: `!has(self.autoAllocateBlocks) || self.autoAllocateBlocks || ${isTrue('strictAffinity')}`,
        message: 'autoAllocateBlocks can be false only where strictAffinity is true',
      },
      {
        rule: `!has(self.maxBlocksPerHost) || self.maxBlocksPerHost == 0 || ${isTrue('strictAffinity')}`,
        message: 'maxBlocksPerHost needs strictAffinity',
      },
    ],
  },
};

const SET = { 'x-kubernetes-list-type': 'set' };
const policyLists = { types: SET, performanceHints: SET };

/** Bounds that the kinds check by code: no entry twice, how many there may be. */
export const LIMITS: Readonly<Partial<Record<PublicKind, ByPath<Schema>>>> = {
  NetworkPolicy: policyLists,
  GlobalNetworkPolicy: policyLists,
  StagedNetworkPolicy: policyLists,
  StagedGlobalNetworkPolicy: policyLists,
  CalicoNodeStatus: { classes: SET },
  HostEndpoint: { node: { minLength: 1 } },
  IPPool: { allowedUses: { maxItems: 10 } },
  BGPFilter: Object.fromEntries<Schema>(
    FILTER_LISTS.flatMap((list): readonly (readonly [string, Schema])[] => [
      [`${list}[].operations`, { minItems: 1, maxItems: 10 }],
      // Exactly one of its fields; as a rule it would cost more than a server allows.
      [`${list}[].operations[]`, { minProperties: 1, maxProperties: 1 }],
      [`${list}[].operations[].prependASPath.prefix`, { minItems: 1, maxItems: 10 }],
      [`${list}[].communities.values`, { minItems: 1, maxItems: 1 }],
    ]),
  ),
  KubeControllersConfiguration: {
    'controllers.node.hostEndpoint.templates': {
      'x-kubernetes-list-type': 'map',
      'x-kubernetes-list-map-keys': ['generateName'],
    },
  },
};

/** By the words of a form: what of it a schema can say. The lengths bound what rules cost. */
export const TEXT_FORMS: Readonly<Record<string, Schema>> = {
  'an IP address': { anyOf: [{ format: 'ipv4' }, { format: 'ipv6' }], maxLength: 45 },
  'an IPv4 address': { format: 'ipv4', maxLength: 15 },
  'an IPv6 address': { format: 'ipv6', maxLength: 45 },
  'a CIDR': { format: 'cidr', maxLength: 49 },
  'an IPv4 CIDR': { format: 'cidr', maxLength: 18 },
  'an IPv6 CIDR': { format: 'cidr', maxLength: 49 },
  'a CIDR without bits past its prefix': { format: 'cidr', maxLength: 49 },
  'a CIDR or an IP address': { anyOf: [{ format: 'cidr' }, { format: 'ipv4' }, { format: 'ipv6' }], maxLength: 49 },
  'a MAC address': { format: 'mac' },
  'a duration such as 90s or 1m30s': { pattern: '^(0|([0-9]+(\\.[0-9]+)?(ns|us|µs|ms|s|m|h))+)$' },
  'a community, aa:nn or aa:nn:mm': { pattern: '^[0-9]{1,10}:[0-9]{1,10}(:[0-9]{1,10})?$' },
  'an address, address:port or [address]:port': {
    pattern: '^[0-9a-fA-F:.]+$|^\\[[0-9a-fA-F:.]+\\]:[0-9]{1,5}$',
    maxLength: 53,
  },
};
