import type { FieldMeaning, KindMeaning } from './kind-meaning.js';

const rule: Readonly<Record<string, FieldMeaning>> = {
  ingress: 'rules for traffic to the endpoints, tried in order',
  egress: 'rules for traffic from the endpoints, tried in order',
  action: 'fate of what the rule matches; Pass goes on with the next tier, Log notes it and goes on',
  ipVersion: ['IP version matched', 'both'],
  protocol: 'protocol matched',
  notProtocol: 'protocol not matched',
  icmp: 'ICMP messages matched; protocol says of which version',
  notICMP: 'ICMP messages not matched',
  'icmp.type': 'type of the message',
  'icmp.code': 'code of the message',
  'notICMP.type': 'type of the message',
  'notICMP.code': 'code of the message',
  source: 'who sends; all given fields must hold',
  destination: 'who receives; all given fields must hold',
  nets: 'networks matched',
  notNets: 'networks not matched',
  notSelector: 'endpoints not matched; addresses of nobody known are matched',
  namespaceSelector: 'namespaces of the endpoints that selector speaks of; global() for those in none',
  ports: 'ports matched',
  notPorts: 'ports not matched',
  serviceAccounts: 'service accounts of the endpoints',
  'serviceAccounts.names': 'their names, any of which matches',
  'serviceAccounts.selector': 'their labels',
  services:
    'a Kubernetes service, whose endpoints and ports are meant; not there yet, so an Allow with it lets nothing through',
  'services.name': 'name of the service',
  'services.namespace': ['namespace of the service', "the policy's own"],
  'source.selector': 'endpoints and sets matched',
  'destination.selector': 'endpoints and sets matched',
  http: 'requests matched; nothing looks at requests yet, so an Allow with it lets nothing through',
  methods: 'methods, any of which matches',
  paths: 'paths, any of which matches',
  exact: 'the whole path',
  prefix: 'how the path begins',
  metadata: 'what is shown with the rule',
  annotations: 'any text by name',
};

const policy: Readonly<Record<string, FieldMeaning>> = {
  ...rule,
  tier: ['tier in which the policy stands', 'default'],
  order: ['place in its tier, lowest first; equal ones by name', 'after all that have one'],
  selector: ['endpoints that the policy is for', 'all in scope'],
  serviceAccountSelector: ['service accounts of those endpoints, by label', 'all'],
  types: ['directions that the policy is for', 'those it has rules for; Ingress without rules'],
  performanceHints: 'AssumeNeededOnEveryNode: hosts need not wait to learn whether they need it',
};

const globalPolicy: Readonly<Record<string, FieldMeaning>> = {
  ...policy,
  'services.namespace': 'namespace of the service; it must be given',
  namespaceSelector: ['namespaces of the endpoints that the policy is for', 'all, and none'],
  'source.namespaceSelector': 'namespaces of the endpoints that selector speaks of; global() for those in none',
  'destination.namespaceSelector': 'namespaces of the endpoints that selector speaks of; global() for those in none',
  doNotTrack: ['judges host endpoints before connections are tracked', 'false'],
  preDNAT: ['judges host endpoints before destinations are rewritten', 'false'],
  applyOnForward: ['judges traffic through the host too', 'false'],
};

const stagedAction: FieldMeaning = ['what enforcing it would do to the policy of that name', 'Set'];

/** Kubernetes' own fields (networking.k8s.io/v1). */
const kubernetesPolicy: Readonly<Record<string, FieldMeaning>> = {
  stagedAction,
  podSelector: ['pods meant', 'all of the namespace'],
  namespaceSelector: 'namespaces meant',
  matchLabels: 'labels they must have, all of them',
  matchExpressions: 'conditions on labels, all of which must hold',
  key: 'the label',
  operator: 'the condition',
  values: 'values it speaks of',
  ingress: 'what may reach the pods',
  egress: 'what the pods may reach',
  ports: ['ports, any of which matches', 'all'],
  protocol: ['protocol of the port', 'TCP'],
  port: ['number or name', 'all'],
  endPort: 'last port, where a range is meant',
  from: ['who may reach them', 'everybody'],
  to: ['whom they may reach', 'everybody'],
  ipBlock: 'addresses meant',
  cidr: 'the block',
  except: 'parts of it that are not meant',
  policyTypes: ['directions that the policy is for', 'Ingress, and Egress where it has such rules'],
};

export const policyMeanings = {
  NetworkPolicy: {
    about: 'What the endpoints of one namespace may send and receive.',
    fields: policy,
  },
  GlobalNetworkPolicy: {
    about: 'What endpoints of all namespaces, and hosts, may send and receive.',
    fields: globalPolicy,
  },
  StagedNetworkPolicy: {
    about: 'A NetworkPolicy that is tried out: it is shown and not enforced.',
    isKeptOnly: true,
    fields: { ...policy, stagedAction },
  },
  StagedGlobalNetworkPolicy: {
    about: 'A GlobalNetworkPolicy that is tried out: it is shown and not enforced.',
    isKeptOnly: true,
    fields: { ...globalPolicy, stagedAction },
  },
  StagedKubernetesNetworkPolicy: {
    about: "Kubernetes' own NetworkPolicy that is tried out: it is shown and not enforced.",
    isKeptOnly: true,
    fields: kubernetesPolicy,
  },
  Tier: {
    about: 'A stage of policy. Tiers are passed in their order; the first verdict counts.',
    fields: {
      order: ['place among the tiers, lowest first', '1000000'],
      defaultAction: ['fate of traffic that a policy of the tier is for and no rule of it matches', 'Deny'],
    },
  },
  Profile: {
    about: 'Rules and labels that endpoints name. Its rules count where no policy decided.',
    fields: { ...rule, labelsToApply: 'labels that its endpoints inherit; their own win' },
  },
  NetworkSet: {
    about: 'Networks with labels, so that rules of its namespace can select them.',
    fields: { nets: 'networks and addresses of the set' },
  },
  GlobalNetworkSet: {
    about: 'Networks with labels, so that rules can select them.',
    fields: { nets: 'networks and addresses of the set' },
  },
  HostEndpoint: {
    about: 'An interface of a host, or all of them, which policy is for then.',
    isKeptOnly: true,
    fields: {
      node: 'the host',
      interfaceName: 'its interface; * for all',
      expectedIPs: 'addresses by which it is found and known to rules',
      profiles: 'profiles of the endpoint',
      ports: 'names for ports, which rules may use',
      'ports.name': 'name of the port',
      'ports.protocol': 'its protocol',
      'ports.port': 'its number',
    },
  },
} as const satisfies Readonly<Record<string, KindMeaning>>;
