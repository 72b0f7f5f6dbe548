/** A command whose output helps to understand a host, and the file that keeps it. */
export interface DiagnosticItem {
  readonly file: string;
  readonly command: readonly [string, ...string[]];
  /** Tried when the first is not installed or fails. */
  readonly otherwise?: readonly [string, ...string[]];
}

const item = (file: string, ...command: readonly [string, ...string[]]): DiagnosticItem => ({ file, command });

/** How many lines of a journal or a container's log. */
const LOG_LINES = '20000';
const BIRD_SOCKET = '/var/run/calico/bird.ctl';

/** What `node diags` asks of the host. None of it changes anything. */
export const HOST_ITEMS: readonly DiagnosticItem[] = [
  item('date', 'date'),
  item('hostname', 'hostname'),
  item('kernel', 'uname', '-a'),
  item('uptime', 'uptime'),
  item('ipv4_route', 'ip', '-4', 'route', 'show', 'table', 'all'),
  item('ipv6_route', 'ip', '-6', 'route', 'show', 'table', 'all'),
  item('ip_rule', 'ip', 'rule'),
  item('ipv4_addr', 'ip', '-4', 'addr'),
  item('ipv6_addr', 'ip', '-6', 'addr'),
  item('links', 'ip', '-s', '-d', 'link'),
  item('neighbours', 'ip', 'neigh'),
  item('nft_ruleset', 'nft', '-n', '-a', 'list', 'ruleset'),
  item('iptables-save', 'iptables-save', '-c'),
  item('ip6tables-save', 'ip6tables-save', '-c'),
  item('ipset', 'ipset', 'list'),
  item('journalctl', 'journalctl', '-u', 'calico-node.service', '--no-pager', '-n', LOG_LINES),
  { ...item('netstat', 'netstat', '-a', '-n'), otherwise: ['ss', '-a', '-n'] },
  item('sysctl', 'sysctl', '-a', '--pattern', '^net\\.(ipv[46]\\.(conf|ip_forward|neigh)|netfilter)'),
  item('processes', 'ps', '-eo', 'pid,ppid,user,rss,etime,comm'),
  item('bird_protocols', 'birdc', '-s', BIRD_SOCKET, 'show', 'protocols', 'all'),
  item('bird_routes', 'birdc', '-s', BIRD_SOCKET, 'show', 'route', 'all'),
];

const CONTAINER = 'calico-node';

/** The log of the node's container, by engine. `crictl` wants an id, which it is asked for first. */
export const CONTAINER_ITEMS: readonly DiagnosticItem[] = [
  item('docker-calico-node.log', 'docker', 'logs', '--tail', LOG_LINES, CONTAINER),
  item('nerdctl-calico-node.log', 'nerdctl', 'logs', '--tail', LOG_LINES, CONTAINER),
];

export const CRICTL_FIND = ['crictl', 'ps', '-a', '-q', '--name', `^${CONTAINER}$`] as const;

export function crictlItem(id: string): DiagnosticItem {
  return item(`crictl-${id.slice(0, 12)}.log`, 'crictl', 'logs', '--tail', LOG_LINES, id);
}

/** Requests to the local API, and the files that keep their answers. */
export const API_ITEMS = [
  { file: 'node_status.json', ask: 'status' },
  { file: 'node_health.json', ask: 'health' },
  { file: 'workloads.json', ask: 'workloads' },
] as const;

/** Settings; secrets in them are blanked like everywhere. */
export const SETTINGS_FILES = [
  '/etc/calico/felix.cfg',
  '/etc/calico/calico-node.env',
  '/etc/calico/calicoctl.cfg',
  '/etc/calico/confd/config/bird.cfg',
  '/var/lib/calico/nodename',
] as const;
