import {
  addressOf,
  choice,
  failsafePorts,
  type FailsafePort,
  mark,
  type ParameterForm,
  pattern,
  portSpan,
  severity,
  span,
  text,
  textList,
  timeouts,
  truth,
  whole,
} from './felix-parameter-forms.js';
import { label } from './felix-structured-forms.js';

/** One parameter of the agent. */
export interface FelixParameter<T = unknown> {
  readonly form: ParameterForm<T>;
  readonly default: T;
  /** One sentence for documentation and `--help`. */
  readonly meaning: string;
  /** Name in environment and file where it is not that of the field. */
  readonly alias?: string;
  /** Honoured from environment and file only, ignored in the datastore; it is no field of FelixConfiguration. */
  readonly isLocal?: true;
  /** A wrong value stops the agent instead of giving way to the default. */
  readonly isFatal?: true;
  /** Whether a change takes effect in the running agent, or needs a restart, which the agent does by itself. */
  readonly takesEffect: 'live' | 'restart';
  /** First version of this system that uses it. */
  readonly since: string;
}

type Options = Partial<Pick<FelixParameter, 'alias' | 'isLocal' | 'isFatal' | 'takesEffect'>>;

function parameter<T>(form: ParameterForm<T>, initial: T, meaning: string, options: Options = {}): FelixParameter<T> {
  return { form, default: initial, meaning, takesEffect: 'restart', since: '0.1.0', ...options };
}

const FATAL = { isFatal: true } as const;
const LOCAL = { isLocal: true } as const;
const LIVE = { takesEffect: 'live' } as const;

const tcp = (port: number): FailsafePort => ({ protocol: 'tcp', port });
const udp = (port: number): FailsafePort => ({ protocol: 'udp', port });

const MTU_INTERFACES = '^((en|wl|ww|sl|ib)[Pcopsvx].*|(eth|wlan|wwan).*)';
const seconds = span(1000);
const action = choice('Accept', 'Return');
const denial = choice('Drop', 'Reject');
const switching = choice('Enabled', 'Disabled');
const port = whole(0, 65535);
const metric = whole(1, 2147483646);

/**
 * Every parameter that the agent uses, under the name of its FelixConfiguration field. Environment variables are `FELIX_` plus the
 * name (or alias), keys of `/etc/calico/felix.cfg` the name alone, both in any case.
 */
export const felixParameters = {
  // Datastore connection and identity.
  DatastoreType: parameter(choice('etcdv3', 'kubernetes'), 'etcdv3', 'datastore to connect to', { ...LOCAL, ...FATAL }),
  EtcdAddr: parameter(text, '', 'host:port of etcd, where EtcdEndpoints is not set', LOCAL),
  EtcdScheme: parameter(choice('http', 'https'), 'http', 'scheme to go with EtcdAddr', LOCAL),
  EtcdEndpoints: parameter(textList, [], 'URLs of etcd', LOCAL),
  EtcdCaFile: parameter(text, '', "file with the certificates that sign etcd's", LOCAL),
  EtcdCertFile: parameter(text, '', "file with the agent's certificate for etcd", LOCAL),
  EtcdKeyFile: parameter(text, '', "file with the agent's key for etcd", LOCAL),
  FelixHostname: parameter(text, '', "the host's name in the datastore; empty: the kernel's, in lower case", LOCAL),
  // Logs.
  logFilePath: parameter(text, '/var/log/calico/felix.log', 'log file; none: no file', FATAL),
  logSeverityFile: parameter(severity, 'info', 'level of the log file', LIVE),
  logSeverityScreen: parameter(severity, 'info', 'level of the log on stderr', LIVE),
  logSeveritySys: parameter(severity, 'info', 'level of the log to syslog', LIVE),
  logPrefix: parameter(text, 'calico-packet', 'prefix of the lines that rules with action Log write'),
  // Interfaces and workloads.
  interfacePrefix: parameter(textList, ['cali'], 'prefixes of the names of workload interfaces', FATAL),
  interfaceExclude: parameter(
    textList,
    ['kube-ipvs0'],
    'interfaces that are never the host itself; /regex/ is allowed',
  ),
  ipv6Support: parameter(truth, true, 'whether IPv6 is programmed'),
  ipForwarding: parameter(switching, 'enabled', 'whether the agent turns on forwarding'),
  mtuIfacePattern: parameter(pattern, MTU_INTERFACES, "interfaces that the host's MTU is taken from"),
  workloadSourceSpoofing: parameter(
    choice('Disabled', 'Any'),
    'disabled',
    'whether workloads may ask to send from other addresses',
  ),
  endpointStatusPathPrefix: parameter(
    text,
    '/var/run/calico',
    'folder of the files that say which endpoints are ready; none: no files',
  ),
  // What happens to packets.
  defaultEndpointToHostAction: parameter(
    choice('Drop', 'Return', 'Accept'),
    'drop',
    'fate of traffic from workloads to their host, after their egress policy',
    FATAL,
  ),
  iptablesFilterAllowAction: parameter(action, 'accept', 'fate of allowed traffic in the filter table', FATAL),
  iptablesMangleAllowAction: parameter(action, 'accept', 'fate of allowed traffic in the mangle table', FATAL),
  iptablesFilterDenyAction: parameter(denial, 'drop', 'how traffic is denied', FATAL),
  nftablesFilterAllowAction: parameter(action, 'accept', 'fate of allowed traffic in the filter hooks', FATAL),
  nftablesMangleAllowAction: parameter(action, 'accept', 'fate of allowed traffic in the mangle hooks', FATAL),
  nftablesFilterDenyAction: parameter(denial, 'drop', 'how traffic is denied', FATAL),
  nftablesMode: parameter(choice('Auto', 'Enabled', 'Disabled'), 'auto', 'whether nf_tables is used'),
  chainInsertMode: parameter(choice('Insert', 'Append'), 'insert', 'where rules in the tables of others stand', FATAL),
  iptablesMarkMask: parameter(mark, 0xffff0000, 'bits of the packet mark that are ours', FATAL),
  nftablesMarkMask: parameter(mark, 0xffff0000, 'bits of the packet mark that are ours', FATAL),
  disableConntrackInvalidCheck: parameter(truth, false, 'whether packets that conntrack calls invalid are let through'),
  allowVXLANPacketsFromWorkloads: parameter(truth, false, 'whether workloads may send VXLAN themselves'),
  allowIPIPPacketsFromWorkloads: parameter(truth, false, 'whether workloads may send IP in IP themselves'),
  failsafeInboundHostPorts: parameter(
    failsafePorts,
    [tcp(22), udp(68), tcp(179), tcp(2379), tcp(2380), tcp(5473), tcp(6443), tcp(6666), tcp(6667)],
    'ports of the host that stay open to the outside',
    FATAL,
  ),
  failsafeOutboundHostPorts: parameter(
    failsafePorts,
    [udp(53), udp(67), tcp(179), tcp(2379), tcp(2380), tcp(5473), tcp(6443), tcp(6666), tcp(6667)],
    'ports outside that the host may always reach',
    FATAL,
  ),
  // NAT.
  natOutgoingAddress: parameter(
    addressOf(4),
    '',
    'source address of masqueraded traffic; empty: that of the interface',
  ),
  natOutgoingExclusions: parameter(
    choice('IPPoolsOnly', 'IPPoolsAndHostIPs'),
    'ippoolsonly',
    'destinations that are not masqueraded',
  ),
  natPortRange: parameter(portSpan, null, 'source ports of masqueraded traffic; none: any'),
  // Routes and tunnels.
  deviceRouteProtocol: parameter(whole(0, 255), 3, 'protocol number of workload routes'),
  deviceRouteSourceAddress: parameter(addressOf(4), '', 'source address hint of workload routes'),
  deviceRouteSourceAddressIPv6: parameter(addressOf(6), '', 'source address hint of IPv6 workload routes'),
  ipv4NormalRoutePriority: parameter(metric, 1024, 'metric of workload routes'),
  ipv6NormalRoutePriority: parameter(metric, 1024, 'metric of IPv6 workload routes'),
  removeExternalRoutes: parameter(truth, true, 'whether foreign routes on workload interfaces are removed'),
  programClusterRoutes: parameter(
    choice('Enabled', 'Disabled', 'EnabledIPIPOnly', 'EnabledNoEncapOnly'),
    'enabledipiponly',
    "which routes to other hosts' blocks the agent writes itself",
  ),
  ipipEnabled: parameter(truth, false, 'whether the IP in IP device is forced; unset: as pools need', {
    alias: 'IpInIpEnabled',
  }),
  ipipMTU: parameter(whole(0, 65535), 0, 'MTU of the IP in IP device; 0: automatic', { alias: 'IpInIpMtu' }),
  vxlanEnabled: parameter(truth, false, 'whether the VXLAN device is forced; unset: as pools need'),
  vxlanMTU: parameter(whole(0, 65535), 0, 'MTU of the VXLAN device; 0: automatic'),
  vxlanMTUV6: parameter(whole(0, 65535), 0, 'MTU of the IPv6 VXLAN device; 0: automatic'),
  vxlanPort: parameter(whole(1, 65535), 4789, 'UDP port of VXLAN'),
  vxlanVNI: parameter(whole(1, 0xffffff), 4096, 'VXLAN network identifier'),
  // Refresh: the agent listens to the kernel, so these are only a second look.
  routeRefreshInterval: parameter(seconds, 90_000, 'how often routes are read back; 0: never'),
  interfaceRefreshInterval: parameter(seconds, 90_000, 'how often links are read back; 0: never'),
  nftablesRefreshInterval: parameter(seconds, 180_000, 'how often the ruleset is read back; 0: never'),
  iptablesRefreshInterval: parameter(seconds, 180_000, 'how often rules in tables of others are read back; 0: never'),
  netlinkTimeout: parameter(seconds, 10_000, 'time-out of a kernel call', { alias: 'NetlinkTimeoutSecs' }),
  // Health, status, metrics.
  healthEnabled: parameter(truth, false, 'whether /liveness and /readiness are served'),
  healthHost: parameter(text, 'localhost', 'address that health is served on'),
  healthPort: parameter(port, 9099, 'port that health is served on'),
  healthTimeoutOverrides: parameter(timeouts, new Map(), 'time-outs of single health reporters', LIVE),
  prometheusMetricsEnabled: parameter(truth, false, 'whether metrics are served'),
  prometheusMetricsHost: parameter(text, '', 'address that metrics are served on; empty: loopback'),
  prometheusMetricsPort: parameter(port, 9091, 'port that metrics are served on'),
  reportingInterval: parameter(seconds, 30_000, "how often the host's status is written; 0: never", {
    alias: 'ReportingIntervalSecs',
    ...LIVE,
  }),
  reportingTTL: parameter(seconds, 90_000, "how long the host's status holds", {
    alias: 'ReportingTTLSecs',
    ...LIVE,
  }),
  endpointReportingEnabled: parameter(
    truth,
    false,
    'whether the status of endpoints is written to the datastore',
    LIVE,
  ),
  endpointReportingDelay: parameter(seconds, 1_000, 'least time between two such writes', {
    alias: 'EndpointReportingDelaySecs',
    ...LIVE,
  }),
  openstackRegion: parameter(label, '', "OpenStack region that keys of this agent's status carry"),
} as const;

export type FelixParameterName = keyof typeof felixParameters;

/** The values of all parameters; durations in milliseconds, choices in lower case. */
export type FelixValues = {
  readonly [N in FelixParameterName]: (typeof felixParameters)[N] extends FelixParameter<infer T> ? T : never;
};
