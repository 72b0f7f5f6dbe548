import {
  choice,
  choiceOrEmpty,
  type ParameterForm,
  pattern,
  portSpan,
  span,
  text,
  truth,
  whole,
} from './felix-parameter-forms.js';
import type { FelixParameter } from './felix-parameters.js';
import {
  cidrList,
  conntrackTimeouts,
  dscp,
  interfaceText,
  optional,
  portRanges,
  rateLimit,
  settings,
  tableRange,
  tableRanges,
  textMap,
  wordList,
} from './felix-structured-forms.js';

/** A parameter without effect on this agent, so far. */
export type UnusedFelixParameter<T = unknown> = Pick<
  FelixParameter<T>,
  'form' | 'default' | 'meaning' | 'alias' | 'isLocal'
>;

function unused<T>(
  form: ParameterForm<T>,
  initial: T,
  meaning: string,
  options: Pick<FelixParameter, 'alias' | 'isLocal'> = {},
): UnusedFelixParameter<T> {
  return { form, default: initial, meaning, ...options };
}

const LOCAL = { isLocal: true } as const;
const seconds = span(1000);
const port = whole(0, 65535);
const metric = whole(1, 2147483646);
const size = whole(0, 2147483647);
const maglev = whole(1, 3000);
const switching = choice('Enabled', 'Disabled');
const goTuning = whole(-1, 2147483647);

const UPLINKS = '^((en|wl|ww|sl|ib)[Popsx].*|(eth|wlan|wwan|bond).*)';
const CONNTRACK_TIMEOUTS = {
  creationGracePeriod: '10s',
  tcpSynSent: '20s',
  tcpEstablished: '1h',
  tcpFinsSeen: 'Auto',
  tcpResetSeen: '40s',
  udpTimeout: '60s',
  genericTimeout: '10m',
  icmpTimeout: '5s',
};

const dataplane = {
  useInternalDataplaneDriver: unused(truth, true, 'whether the agent programs the kernel itself'),
  dataplaneDriver: unused(text, 'calico-iptables-plugin', 'executable of an external dataplane'),
  dataplaneWatchdogTimeout: unused(seconds, 90_000, 'health time-out of the dataplane; superseded'),
  requireMTUFile: unused(truth, false, 'whether start-up fails when the MTU file cannot be written'),
  cgroupV2Path: unused(text, '', 'where the version 2 control groups are mounted'),
  featureDetectOverride: unused(settings, '', 'kernel features taken as given or missing: Name=true,…'),
  featureGates: unused(settings, '', 'features that are tried out: Name=Enabled,…'),
  floatingIPs: unused(switching, 'disabled', 'whether floating addresses of workloads are honoured'),
  kubeNodePortRanges: unused(portRanges, [{ first: 30_000, last: 32_767 }], 'ports of Kubernetes node ports'),
  serviceLoopPrevention: unused(
    choice('Drop', 'Reject', 'Disabled'),
    'drop',
    'fate of traffic to service addresses that no service has',
  ),
  sidecarAccelerationEnabled: unused(truth, false, 'whether sockets of side cars are short-circuited'),
  policySyncPathPrefix: unused(text, '', 'folder of the sockets that hand policy to applications'),
  localSubnetL2Reachability: unused(
    choice('Disabled', 'PodsAndLoadBalancers'),
    'disabled',
    "whether ARP and NDP are answered for addresses in the host's own subnet",
  ),
  localSubnetL2ReachabilityRefreshInterval: unused(seconds, 120_000, 'how often those addresses are announced'),
  liveMigrationRouteConvergenceTime: unused(seconds, 30_000, 'how long a migrated workload keeps its better route'),
  istioAmbientMode: unused(switching, 'disabled', 'whether connections of an ambient mesh are marked'),
  istioDSCPMark: unused(dscp, 23, 'DSCP of that mark'),
  awsSrcDstCheck: unused(
    choice('DoNothing', 'Enable', 'Disable'),
    'donothing',
    'what becomes of the source check of AWS instances',
  ),
  windowsManageFirewallRules: unused(switching, 'disabled', 'whether rules of the Windows firewall are written'),
};

const iptables = {
  iptablesBackend: unused(choice('Auto', 'Legacy', 'NFT'), 'auto', 'which iptables commands are run'),
  iptablesLockProbeInterval: unused(span(1), 50, 'how often the lock of iptables is tried', {
    alias: 'IptablesLockProbeIntervalMillis',
  }),
  iptablesPostWriteCheckInterval: unused(seconds, 5_000, 'how long after a write it is read back', {
    alias: 'IptablesPostWriteCheckIntervalSecs',
  }),
  iptablesNATOutgoingInterfaceFilter: unused(interfaceText, '', 'only interface at which traffic is masqueraded'),
  ipsetsRefreshInterval: unused(seconds, 90_000, 'how often IP sets are read back; 0: never'),
  maxIpsetSize: unused(whole(1, 2147483647), 1_048_576, 'most members of an IP set'),
  xdpEnabled: unused(truth, true, 'whether XDP drops what untracked policy denies'),
  genericXDPEnabled: unused(truth, false, 'whether XDP may run without help of the driver'),
  xdpRefreshInterval: unused(seconds, 90_000, 'how often XDP state is read back; 0: never'),
  nftablesFlowTableOffload: unused(choice('All', 'Disabled'), 'disabled', 'whether flows by-pass the ruleset'),
  nftablesFlowTableDataIfacePattern: unused(pattern, '', 'uplinks whose flows by-pass the ruleset'),
};

const routes = {
  externalNodesList: unused(cidrList, [], 'addresses outside the cluster that may send through tunnels', {
    alias: 'ExternalNodesCIDRList',
  }),
  ipv4ElevatedRoutePriority: unused(metric, 512, 'metric of the route to a workload that just migrated here'),
  ipv6ElevatedRoutePriority: unused(metric, 512, 'the same for IPv6'),
  routeSource: unused(choice('CalicoIPAM', 'WorkloadIPs'), 'calicoipam', 'what routes to other hosts are made from'),
  routeSyncDisabled: unused(truth, false, 'whether somebody else writes the routes of workloads'),
  routeTableRange: unused(optional(tableRange), null, 'routing tables that are ours; superseded by routeTableRanges'),
  routeTableRanges: unused(tableRanges, [{ min: 1, max: 250 }], 'routing tables that are ours'),
  wireguardEnabled: unused(truth, false, 'whether traffic between workloads is encrypted'),
  wireguardEnabledV6: unused(truth, false, 'the same for IPv6'),
  wireguardHostEncryptionEnabled: unused(truth, false, 'whether traffic between hosts is encrypted too'),
  wireguardThreadingEnabled: unused(truth, false, 'whether NAPI of the WireGuard device runs in threads'),
  wireguardListeningPort: unused(port, 51_820, 'UDP port of WireGuard'),
  wireguardListeningPortV6: unused(port, 51_821, 'the same for IPv6'),
  wireguardInterfaceName: unused(interfaceText, 'wireguard.cali', 'name of the WireGuard device'),
  wireguardInterfaceNameV6: unused(interfaceText, 'wg-v6.cali', 'the same for IPv6'),
  wireguardMTU: unused(port, 0, 'MTU of the WireGuard device; 0: automatic'),
  wireguardMTUV6: unused(port, 0, 'the same for IPv6'),
  wireguardKeepAlive: unused(seconds, 0, 'how often an idle peer is called; 0: never', {
    alias: 'WireguardPersistentKeepAlive',
  }),
  wireguardRoutingRulePriority: unused(whole(1, 32_765), 99, 'priority of the routing rule of WireGuard'),
};

const reports = {
  logDebugFilenameRegex: unused(pattern, '', 'source files whose debug messages are logged'),
  logActionRateLimit: unused(rateLimit, '', 'most lines that rules with action Log write: 10/second'),
  logActionRateLimitBurst: unused(whole(0, 9_999), 5, 'how many of those lines may come at once'),
  metadataAddr: unused(text, '127.0.0.1', "address of OpenStack's metadata server; none: there is none"),
  metadataPort: unused(port, 8_775, 'its port'),
  prometheusGoMetricsEnabled: unused(truth, true, 'whether metrics of the Go runtime are served'),
  prometheusProcessMetricsEnabled: unused(truth, true, 'whether metrics of the process are served'),
  prometheusWireGuardMetricsEnabled: unused(truth, true, 'whether metrics of WireGuard are served'),
  prometheusMetricsCAFile: unused(text, '', 'certificates that sign those who read metrics'),
  prometheusMetricsCertFile: unused(text, '', 'certificate of the metrics server'),
  prometheusMetricsKeyFile: unused(text, '', 'key of the metrics server'),
  prometheusMetricsClientAuth: unused(
    choice('RequireAndVerifyClientCert', 'RequireAnyClientCert', 'VerifyClientCertIfGiven', 'NoClientCert'),
    'noclientcert',
    'which certificate a reader of metrics shows',
  ),
  usageReportingEnabled: unused(truth, true, 'whether use is reported; this agent reports nothing to anybody'),
  usageReportingInitialDelay: unused(seconds, 300_000, 'time to the first report', {
    alias: 'UsageReportingInitialDelaySecs',
  }),
  usageReportingInterval: unused(seconds, 86_400_000, 'time between reports', { alias: 'UsageReportingIntervalSecs' }),
  flowLogsFlushInterval: unused(seconds, 300_000, 'how often flows are written out'),
  flowLogsPolicyEvaluationMode: unused(
    choice('None', 'Continuous'),
    'continuous',
    'whether flows are judged anew while they last',
  ),
  flowLogsCollectorDebugTrace: unused(truth, false, 'whether the collector of flows logs each step'),
  flowLogsGoldmaneServer: unused(text, '', 'host:port that flows are sent to'),
  flowLogsLocalReporter: unused(switching, 'disabled', 'whether flows are told over a local socket'),
  goGCThreshold: unused(goTuning, 40, 'memory that may be added before Go collects garbage, in per cent'),
  goMemoryLimitMB: unused(goTuning, -1, 'memory limit of the Go runtime; -1: none'),
  goMaxProcs: unused(goTuning, -1, 'processors of the Go runtime; -1: all'),
  debugHost: unused(text, 'localhost', 'address of the debug server'),
  debugPort: unused(optional(port), null, 'port of the debug server; none: there is none'),
  debugMemoryProfilePath: unused(text, '', 'file that a memory profile is written to'),
  debugDisableLogDropping: unused(truth, false, 'whether logging waits rather than drops'),
  debugSimulateCalcGraphHangAfter: unused(seconds, 0, 'for tests: when deciding stops'),
  debugSimulateDataplaneHangAfter: unused(seconds, 0, 'for tests: when programming stops'),
  debugSimulateDataplaneApplyDelay: unused(seconds, 0, 'for tests: how long programming takes more'),
};

const bpf = {
  bpfEnabled: unused(truth, false, 'whether eBPF programs take the place of rules'),
  bpfAttachType: unused(choice('TC', 'TCX', 'Netkit'), 'netkit', 'how programs are attached'),
  bpfLogLevel: unused(choiceOrEmpty('Off', 'Info', 'Debug'), 'off', 'what programs log'),
  bpfLogFilters: unused(textMap, {}, 'which packets are logged, by interface'),
  bpfCTLBLogFilter: unused(optional(choice('All')), null, 'what connect-time load balancing logs'),
  bpfConntrackLogLevel: unused(choice('Off', 'Debug'), 'off', 'what the cleaner of connections logs'),
  bpfConntrackMode: unused(choice('Auto', 'Userspace', 'BPFProgram'), 'auto', 'who cleans connections', {
    alias: 'BPFConntrackCleanupMode',
  }),
  bpfConntrackTimeouts: unused(conntrackTimeouts, CONNTRACK_TIMEOUTS, 'when idle connections go; Auto: as the kernel'),
  bpfDataIfacePattern: unused(pattern, UPLINKS, 'uplinks that programs are attached to'),
  bpfL3IfacePattern: unused(pattern, '', 'devices without link-layer headers that programs are attached to'),
  bpfDisableUnprivileged: unused(truth, true, 'whether unprivileged users may not load programs'),
  bpfJITHardening: unused(choice('Auto', 'Strict'), 'auto', 'whether hardening of the compiler may be relaxed'),
  bpfEnforceRPF: unused(choice('Disabled', 'Strict', 'Loose'), 'loose', 'how the way back of packets is checked'),
  bpfRedirectToPeer: unused(choice('Enabled', 'Disabled', 'L2Only'), 'enabled', 'the short way to workloads'),
  bpfPolicyDebugEnabled: unused(truth, true, 'whether policy programs can be shown'),
  bpfProfiling: unused(switching, 'disabled', 'whether programs are profiled'),
  bpfHostConntrackBypass: unused(truth, false, 'whether conntrack of Linux is by-passed'),
  bpfIPFragmentReassemblyEnabled: unused(truth, true, 'whether fragments are put together'),
  bpfIPFragTimeout: unused(seconds, 0, 'how long fragments are kept; 0: as the kernel'),
  bpfForceTrackPacketsFromIfaces: unused(wordList, ['docker+'], 'interfaces whose packets Linux goes on tracking'),
  bpfDisableGROForIfaces: unused(pattern, '', 'interfaces whose packets are not joined'),
  bpfOverlayHostSourceIP: unused(
    choice('TunnelAddress', 'HostAddress'),
    'tunneladdress',
    'source of what hosts send into tunnels',
  ),
  bpfExportBufferSizeMB: unused(whole(1, 1024), 1, 'buffer for events, in MB'),
  bpfConnectTimeLoadBalancing: unused(choice('TCP', 'Enabled', 'Disabled'), 'tcp', 'whose services connect() resolves'),
  bpfConnectTimeLoadBalancingEnabled: unused(optional(truth), null, 'the same, superseded; wins when set'),
  bpfHostNetworkedNATWithoutCTLB: unused(switching, 'enabled', 'whether sockets of the host reach services otherwise'),
  bpfExternalServiceMode: unused(choice('Tunnel', 'DSR'), 'tunnel', 'how answers of services get back'),
  bpfDSROptoutCIDRs: unused(cidrList, [], 'clients that are answered through the tunnel'),
  bpfExtToServiceConnmark: unused(whole(0, 0xffffffff), 0, 'mark of connections from outside to services'),
  bpfExcludeCIDRsFromNAT: unused(cidrList, [], 'services that are left to the host'),
  bpfKubeProxyIptablesCleanupEnabled: unused(truth, true, 'whether rules of kube-proxy are removed'),
  bpfKubeProxyMinSyncPeriod: unused(seconds, 1_000, 'least time between two updates of services'),
  bpfKubeProxyHealthzPort: unused(port, 10_256, 'port that health of services is served on'),
  bpfPSNATPorts: unused(portSpan, { first: 20_000, last: 29_999 }, 'source ports where two connections collide'),
  bpfMaglevMaxEndpointsPerService: unused(maglev, 100, 'most endpoints of a Maglev service'),
  bpfMaglevMaxServices: unused(maglev, 100, 'most Maglev services'),
  bpfMapSizeNATFrontend: unused(size, 65_536, 'room for services'),
  bpfMapSizeNATBackend: unused(size, 262_144, 'room for endpoints of services'),
  bpfMapSizeNATAffinity: unused(size, 65_536, 'room for affinities of clients'),
  bpfMapSizeRoute: unused(size, 262_144, 'room for routes'),
  bpfMapSizeConntrack: unused(size, 512_000, 'room for connections'),
  bpfMapSizePerCpuConntrack: unused(size, 0, 'the same, for each processor; 0: not'),
  bpfMapSizeConntrackScaling: unused(choice('Disabled', 'DoubleIfFull'), 'doubleiffull', 'whether that room grows'),
  bpfMapSizeConntrackCleanupQueue: unused(size, 100_000, 'room for connections to be cleaned'),
  bpfMapSizeIPSets: unused(size, 1_048_576, 'room for members of IP sets'),
  bpfMapSizeIfState: unused(size, 1_000, 'room for interfaces'),
};

/** Names of environment and file that are no fields. */
const local = {
  DebugBPFCgroupV2: unused(text, '', 'for tests: control group of programs', LOCAL),
  DebugCPUProfilePath: unused(text, '/tmp/felix-cpu-<timestamp>.pprof', 'file that a CPU profile is written to', LOCAL),
  DebugPanicAfter: unused(seconds, 0, 'for tests: when the agent crashes', LOCAL),
  DebugSimulateDataRace: unused(truth, false, 'for tests: a data race', LOCAL),
  TyphaAddr: unused(text, '', 'host:port of Typha', LOCAL),
  TyphaK8sNamespace: unused(text, 'kube-system', "namespace of Typha's service", LOCAL),
  TyphaK8sServiceName: unused(text, '', 'name of that service', LOCAL),
  TyphaReadTimeout: unused(seconds, 30_000, 'how long Typha may be silent', LOCAL),
  TyphaWriteTimeout: unused(seconds, 10_000, 'how long a write to Typha may take', LOCAL),
  TyphaCAFile: unused(text, '', "certificates that sign Typha's", LOCAL),
  TyphaCertFile: unused(text, '', "the agent's certificate for Typha", LOCAL),
  TyphaKeyFile: unused(text, '', "the agent's key for Typha", LOCAL),
  TyphaCN: unused(text, '', "common name in Typha's certificate", LOCAL),
  TyphaURISAN: unused(text, '', "URI in Typha's certificate", LOCAL),
};

/**
 * The rest of the table: parameters that other agents know. Fields of theirs are checked like the others and kept, so that
 * configurations may be shared, and have no effect here so far. One that comes into use moves to `felix-parameters.ts`; nothing reads values of these.
 */
export const unusedFelixParameters: Readonly<Record<string, UnusedFelixParameter>> = {
  ...dataplane,
  ...iptables,
  ...routes,
  ...reports,
  ...bpf,
  ...local,
};
