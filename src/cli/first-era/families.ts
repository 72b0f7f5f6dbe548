import type { OptionSpec } from '../command.js';
import type { Forms } from './form.js';

/** How `<match>` of a profile's rules is written. */
export const MATCH_DETAILS = `<match> is one of (P: ports such as 80 or 1,2:3; T: a tag; C: a CIDR)
  (tcp|udp) [from [ports P] [tag T] [cidr C]] [to [ports P] [tag T] [cidr C]]
  (icmp|icmpv6) [type N [code N]] [from [tag T] [cidr C]] [to [tag T] [cidr C]]
  [from [tag T] [cidr C]] [to [tag T] [cidr C]]`;

const INTERFACE: OptionSpec = {
  flags: '--interface <name>',
  help: 'interface inside the container (default: eth1, or the one that Calico put there)',
};

const ENDPOINT_FILTERS: readonly OptionSpec[] = [
  { flags: '--host <host>', help: 'endpoints of this host only' },
  { flags: '--orchestrator <name>', help: 'endpoints of this orchestrator only' },
  { flags: '--workload <id>', help: 'endpoints of this workload only' },
];

const GET_ENDPOINT = 'calicoctl get workloadendpoint -A';
const EDIT_ENDPOINT = 'calicoctl replace -f FILE with the WorkloadEndpoint, spec.profiles changed';
const EDIT_PROFILE = 'calicoctl apply -f FILE with Profile';

/** Of one endpoint. @param filters what may stand after the profiles */
function changingProfiles(endpointWord: string, filters = '') {
  return {
    'profile append': {
      pattern: `${endpointWord} profile append <profiles>...${filters}`,
      help: 'add profiles after those it has',
      today: EDIT_ENDPOINT,
    },
    'profile remove': {
      pattern: `${endpointWord} profile remove <profiles>...${filters}`,
      help: 'take profiles away',
      today: EDIT_ENDPOINT,
    },
    'profile set': {
      pattern: `${endpointWord} profile set [<profiles>...]${filters}`,
      help: 'give it exactly these profiles; none without a name',
      today: EDIT_ENDPOINT,
    },
  } as const;
}

const container = {
  add: {
    pattern: 'add <container> <ip> [--interface=<name>]',
    help: 'connect a container and give it an address: one of a pool, ipv4, ipv6, or the CIDR of a pool to take one from',
    today: 'docker run --net NETWORK, CNI, or POST /v1/workloads of the local API',
  },
  remove: {
    pattern: 'remove <container>',
    help: 'take interface and addresses away again',
    today: 'calicoctl delete workloadendpoint NAME, and calicoctl ipam release --ip=IP for each address',
  },
  'ip add': {
    pattern: '<container> ip add <ip> [--interface=<name>]',
    help: 'give a connected container one more address',
    today: 'POST /v1/workloads/default/NAME/addresses of the local API',
  },
  'ip remove': {
    pattern: '<container> ip remove <ip> [--interface=<name>]',
    help: 'take one of its addresses away',
    today: 'calicoctl ipam release --ip=<ip>, which leaves the interface as it is',
  },
  'endpoint show': {
    pattern: '<container> endpoint show',
    help: "show the container's endpoints",
    today: `${GET_ENDPOINT} -o yaml`,
  },
  ...changingProfiles('<container>'),
} as const satisfies Forms;

const endpoint = {
  show: {
    pattern: 'show [--host=<host>] [--orchestrator=<name>] [--workload=<id>] [--endpoint=<id>] [--detailed]',
    help: 'count endpoints by host and orchestrator, or list them',
    today: GET_ENDPOINT,
  },
  'profile show': {
    pattern: '<id> profile show [--host=<host>] [--orchestrator=<name>] [--workload=<id>]',
    help: "show an endpoint's profiles",
    today: `${GET_ENDPOINT} -o yaml`,
  },
  ...changingProfiles('<id>', ' [--host=<host>] [--orchestrator=<name>] [--workload=<id>]'),
} as const satisfies Forms;

const profile = {
  show: { pattern: 'show [--detailed]', help: 'show the profiles', today: 'calicoctl get profile' },
  add: {
    pattern: 'add <profile>',
    help: 'create a profile: its endpoints talk to each other and reach everything',
    today: `${EDIT_PROFILE} "<profile>"`,
  },
  remove: {
    pattern: 'remove <profile> [--no-check]',
    help: 'delete a profile that no endpoint uses',
    today: 'calicoctl delete profile <profile>',
  },
  'tag show': {
    pattern: '<profile> tag show',
    help: 'show its tags: labels without value that its endpoints get',
    today: 'calicoctl get profile <profile> -o yaml',
  },
  'tag add': {
    pattern: '<profile> tag add <tag>',
    help: 'add a tag',
    today: `${EDIT_PROFILE} "<profile>", spec.labelsToApply {<tag>: ""}`,
  },
  'tag remove': {
    pattern: '<profile> tag remove <tag>',
    help: 'take a tag away',
    today: `${EDIT_PROFILE} "<profile>", spec.labelsToApply without <tag>`,
  },
  'rule add': {
    pattern: '<profile> rule add (inbound|outbound) (allow|deny) [<match>...] [--at=<position>]',
    help: 'add a rule, as the last one or at a position',
    today: `${EDIT_PROFILE} "<profile>", spec.ingress and spec.egress`,
  },
  'rule remove at': {
    pattern: '<profile> rule remove (inbound|outbound) --at=<position>',
    help: 'take the rule at a position away',
    today: `${EDIT_PROFILE} "<profile>", spec.ingress and spec.egress`,
  },
  'rule remove': {
    pattern: '<profile> rule remove (inbound|outbound) (allow|deny) [<match>...]',
    help: 'take the first such rule away',
    today: `${EDIT_PROFILE} "<profile>", spec.ingress and spec.egress`,
  },
  'rule show': {
    pattern: '<profile> rule show',
    help: 'show its rules',
    today: 'calicoctl get profile <profile> -o yaml',
  },
  'rule json': {
    pattern: '<profile> rule json',
    help: 'show its rules as JSON of the first era',
    today: 'calicoctl get profile <profile> -o json',
  },
  'rule update': {
    pattern: '<profile> rule update',
    help: 'replace its rules by JSON of that form, read from standard input',
    today: 'calicoctl replace -f FILE with Profile "<profile>"',
  },
} as const satisfies Forms;

const BGP_CONFIGURATION = 'calicoctl apply -f FILE with BGPConfiguration "default"';

/** @param node the part of the BGPPeer that says whose peer it is */
function peering(help: { readonly add: string; readonly show: string }, node: string) {
  return {
    'peer add': {
      pattern: 'peer add <ip> as <as>',
      help: help.add,
      today: `calicoctl apply -f FILE with a BGPPeer, ${node}peerIP <ip>, asNumber <as>`,
    },
    'peer remove': { pattern: 'peer remove <ip>', help: 'end that', today: 'calicoctl delete bgppeer NAME' },
    'peer show': {
      pattern: 'peer show [--ipv4] [--ipv6]',
      help: help.show,
      today: 'calicoctl get bgppeer -o wide',
    },
  } as const;
}

const bgp = {
  ...peering({ add: 'peer every node with a router', show: 'show these routers' }, ''),
  'node-mesh': {
    pattern: 'node-mesh [on|off]',
    help: 'show or say whether all nodes peer with each other',
    today: `${BGP_CONFIGURATION}, spec.nodeToNodeMeshEnabled`,
  },
  'default-node-as': {
    pattern: 'default-node-as [<as>]',
    help: 'show or set the AS number of nodes that have none of their own',
    today: `${BGP_CONFIGURATION}, spec.asNumber`,
  },
} as const satisfies Forms;

const nodeBgp = peering({ add: 'peer this host with a router', show: "show this host's routers" }, 'node HOST, ');

const FELIX_CONFIGURATION = 'calicoctl apply -f FILE with FelixConfiguration "default"';

const config = {
  'node bgp': {
    pattern: 'node bgp <name> [<value>] [--remove] [--force]',
    help: "show, set or forget a setting of this host's BGP",
    today: 'calicoctl apply -f FILE with BGPConfiguration "node.HOST", spec.logSeverityScreen',
  },
  felix: {
    pattern: 'felix <name> [<value>] [--remove] [--force]',
    help: "show, set or forget a setting of every host's agent",
    today: `${FELIX_CONFIGURATION}, spec.logSeverityScreen`,
  },
  bgp: {
    pattern: 'bgp <name> [<value>] [--remove] [--force]',
    help: "show, set or forget a setting of every host's BGP",
    today: `${BGP_CONFIGURATION}, spec.logSeverityScreen`,
  },
} as const satisfies Forms;

const FAMILY_OPTIONS: readonly OptionSpec[] = [
  { flags: '--ipv4', help: 'IPv4 only' },
  { flags: '--ipv6', help: 'IPv6 only' },
];

export const CONTAINER = {
  name: 'container',
  help: 'first era: connect containers of this host, by Docker name or id, or by the path of a network namespace',
  forms: container,
  options: [INTERFACE],
} as const;

export const ENDPOINT = {
  name: 'endpoint',
  help: 'first era: show endpoints and choose their profiles',
  forms: endpoint,
  options: [
    ...ENDPOINT_FILTERS,
    { flags: '--endpoint <id>', help: 'this endpoint only' },
    { flags: '--detailed', help: 'each endpoint with addresses and profiles' },
  ],
} as const;

export const PROFILE = {
  name: 'profile',
  help: 'first era: profiles with their tags and rules',
  forms: profile,
  options: [
    { flags: '--detailed', help: 'with the endpoints that use them' },
    { flags: '--no-check', help: 'remove it even while endpoints use it' },
    { flags: '--at <position>', help: 'counted from 1' },
  ],
} as const;

export const BGP = {
  name: 'bgp',
  help: 'first era: BGP of the whole cluster',
  forms: bgp,
  options: FAMILY_OPTIONS,
} as const;

export const NODE_BGP = {
  name: 'node bgp',
  help: 'first era: BGP of this host',
  forms: nodeBgp,
  options: FAMILY_OPTIONS,
} as const;

export const CONFIG = {
  name: 'config',
  help: 'first era: log levels, by the name loglevel',
  forms: config,
  options: [
    { flags: '--remove', help: 'forget the setting' },
    { flags: '--force', help: 'take any name and value that the resource takes' },
  ],
} as const;

/** Commands whose words the usual parser reads, by what each does today. */
export const PLAIN_FORMS = {
  'pool add': {
    pattern: '<cidr>... [--ipip] [--nat-outgoing]',
    help: 'add address pools; the same CIDR again sets its flags',
    today: 'calicoctl apply -f FILE with an IPPool: cidr, ipipMode, natOutgoing',
  },
  'pool remove': {
    pattern: '<cidr>...',
    help: 'remove address pools; addresses in use stay',
    today: 'calicoctl delete ippool NAME',
  },
  'pool range add': {
    pattern: '<start> <end> [--ipip] [--nat-outgoing]',
    help: 'add the pools that cover a range of addresses',
    today: 'calicoctl apply -f FILE with an IPPool for each CIDR',
  },
  'pool show': {
    pattern: '[--ipv4] [--ipv6]',
    help: 'show the address pools and their flags',
    today: 'calicoctl get ippool -o wide',
  },
  'ipam release': {
    pattern: '<ip>',
    help: 'release an address',
    today: 'calicoctl ipam release --ip=<ip>',
  },
  'ipam info': {
    pattern: '<ip>',
    help: 'show what is stored with an address',
    today: 'calicoctl ipam show --ip=<ip>',
  },
  'node show': {
    pattern: '',
    help: 'show the nodes with their BGP addresses and peers',
    today: 'calicoctl get node -o wide, and calicoctl get bgppeer -o wide',
  },
  'node remove': {
    pattern: '[--hostname=<host>] [--remove-endpoints]',
    help: 'forget a node that does not run any more',
    today: 'calicoctl delete node <host>',
  },
  'node stop': {
    pattern: '[--force]',
    help: "stop this host's calico-node",
    today: 'docker stop calico-node, or systemctl stop calico-node',
  },
} as const satisfies Forms;

/** What help shows as usage: the patterns as people write them. */
export function usageOf({ forms }: { readonly forms: Forms }): readonly string[] {
  return Object.values(forms).map(({ pattern }) => pattern);
}

/** Every command of the first era, for its page in the documentation. */
export const FIRST_ERA: readonly { readonly name: string; readonly forms: Forms }[] = [
  ...Object.entries(PLAIN_FORMS).map(([name, form]) => ({ name, forms: { [name]: form } })),
  CONTAINER,
  ENDPOINT,
  PROFILE,
  BGP,
  NODE_BGP,
  CONFIG,
];
