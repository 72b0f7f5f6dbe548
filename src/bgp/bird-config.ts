import { type Address, addressBits, type Family } from '../net/address.js';
import { tryParsePrefix } from '../net/prefix.js';
import type { BgpPeerPlan, BgpPlan, BgpPoolPlan } from '../plan/host-plan.js';

export interface BirdConfigOptions {
  /** Path; turned over at 10 MB, one older file is kept. */
  readonly logFile: string;
}

const LOG_FILE_BYTES = 10 * 1024 * 1024;

/** Metric of every route that goes into the kernel, and what other hosts read as such in a local preference. */
const ROUTE_METRIC = 1024;
/** Local preference is the better the higher, a metric the lower: hosts tell each other this number less the metric. */
const PREFERENCE_OF_METRIC_0 = 2_147_483_647;

/** Interfaces whose addresses are nobody's way to another host. */
const FOREIGN_INTERFACES = ['cali*', 'kube-ipvs*'];

const FAMILIES: readonly Family[] = [4, 6];

/**
 * The configuration of BIRD 2 (2.0.12 or newer) that does what the plan says, both families in one daemon. A session carries one family, that
 * of the peer's address, so that hosts which run a daemon per family are peers like any other. The same plan gives the same text.
 *
 * Blocks are announced whole; what is inside them is this host's affair. The blackholes that keep packets to unused addresses of a block
 * from circling are the dataplane's: BIRD programs only what other hosts told it.
 *
 * @see https://bird.network.cz/?get_doc&f=bird-6.html
 */
export function birdConfig(plan: BgpPlan, { logFile }: BirdConfigOptions): string {
  const debug = { none: 'off', states: '{ states }', all: 'all' }[plan.debug];
  const sections = [
    [
      '# Written by calico-node, and written again when the datastore changes.',
      `log ${quoted(logFile)} ${LOG_FILE_BYTES} ${quoted(`${logFile}.1`)} all;`,
      `router id ${plan.routerId};`,
      'timeformat protocol iso long;',
      `debug protocols ${debug};`,
      // How long a BIRD that starts again waits for its peers before it removes what they told its predecessor.
      'graceful restart wait 30;',
    ],
    ['protocol device {', '  scan time 2;', '}'],
    ['protocol direct {', '  ipv4;', '  ipv6;', `  interface ${foreign(plan)}, "*";`, '}'],
    ...FAMILIES.flatMap((family) => familySections(plan, family)),
    ...plan.peers.map((peer) => peerSection(peer, plan)),
  ];
  return `${sections.map((lines) => lines.join('\n')).join('\n\n')}\n`;
}

function foreign({ ignoredInterfaces = [] }: BgpPlan): string {
  return [...ignoredInterfaces, ...FOREIGN_INTERFACES].map((pattern) => `-${quoted(pattern)}`).join(', ');
}

function quoted(text: string): string {
  // BIRD's strings know no escapes: what would end one is left out.
  return `"${text.replace(/["\n\r]/g, '')}"`;
}

function ofFamily(text: string, family: Family): boolean {
  return tryParsePrefix(text)?.address.family === family;
}

function isOneAddress(cidr: string): boolean {
  const prefix = tryParsePrefix(cidr);
  return prefix !== undefined && prefix.length === addressBits(prefix.address.family);
}

function familySections(plan: BgpPlan, family: Family): string[][] {
  const pools = plan.pools.filter(({ cidr }) => ofFamily(cidr, family));
  const blocks = plan.blocks.filter((block) => ofFamily(block, family));
  const communities = (plan.communities ?? []).filter(({ cidr }) => ofFamily(cidr, family));
  return [
    exportFunction(family, pools, blocks, communities),
    kernelProtocol(plan, family, pools),
    staticBlocks(family, blocks),
    ...staticGateways(plan, family),
    peerTemplate(family),
  ];
}

/** What a peer is told: this host's blocks as wholes, and what lies in pools but not in them, such as addresses lent by other hosts. */
function exportFunction(
  family: Family,
  pools: readonly BgpPoolPlan[],
  blocks: readonly string[],
  communities: NonNullable<BgpPlan['communities']>,
): string[] {
  const silent = pools.filter((pool) => !pool.export);
  return [
    `function calico_export${family}(bool same_as) {`,
    ...silent.map(({ cidr }) => `  if net ~ ${cidr} then reject;`),
    // What goes through our tunnels every host of the same AS reaches by tunnels of its own.
    '  if same_as && defined(ifname) && (ifname ~ "*.cali" || ifname ~ "*.calico") then reject;',
    '  if defined(ifname) && ifname ~ "bpf*.cali" then reject;',
    `  if source != RTS_BGP then bgp_local_pref = ${PREFERENCE_OF_METRIC_0 - ROUTE_METRIC};`,
    ...communities.flatMap(({ cidr, values }) =>
      values.map((value) => `  if net ~ ${cidr} then ${communityList(value)}.add((${value.replaceAll(':', ', ')}));`),
    ),
    ...blocks.flatMap((block) => [`  if net = ${block} then accept;`, `  if net ~ ${block} then reject;`]),
    ...pools.filter((pool) => pool.export).map(({ cidr }) => `  if net ~ ${cidr} then accept;`),
    '  reject;',
    '}',
  ];
}

/** The attribute that holds communities of this form (RFC 1997, RFC 8092). */
function communityList(value: string): string {
  return value.split(':').length === 3 ? 'bgp_large_community' : 'bgp_community';
}

function kernelProtocol(plan: BgpPlan, family: Family, pools: readonly BgpPoolPlan[]): string[] {
  const subnet = (family === 4 ? plan.ipv4 : plan.ipv6)?.subnet;
  const statements = pools.flatMap(({ cidr, encapsulation }) => {
    if (encapsulation === 'none') return [];
    const near = `if net ~ ${cidr} && bgp_next_hop ~ ${subnet} then accept;`;
    const isNearOurs = encapsulation === 'cross-subnet' && subnet !== undefined;
    return [...(isNearOurs ? [near] : []), `if net ~ ${cidr} then reject;`];
  });
  return [
    `protocol kernel kernel${family} {`,
    '  learn;',
    '  persist;',
    '  scan time 2;',
    '  merge paths on;',
    '  graceful restart;',
    `  metric ${ROUTE_METRIC};`,
    `  ipv${family} {`,
    // The dataplane's blackholes: BIRD has the blocks from its own static protocol, and would announce each twice.
    '    import filter { if dest = RTD_BLACKHOLE then reject; accept; };',
    '    export filter {',
    `      if proto = "gateways${family}" then accept;`,
    '      if source != RTS_BGP then reject;',
    ...statements.map((statement) => `      ${statement}`),
    '      accept;',
    '    };',
    '  };',
    '}',
  ];
}

function staticBlocks(family: Family, blocks: readonly string[]): string[] {
  const wide = blocks.filter((block) => !isOneAddress(block));
  return [
    `protocol static blocks${family} {`,
    `  ipv${family};`,
    ...wide.map((block) => `  route ${block} blackhole;`),
    '}',
  ];
}

/** Routes to peers that said by which gateway they are reached. */
function staticGateways({ peers }: BgpPlan, family: Family): string[][] {
  const routes = new Set<string>();
  for (const { address, reachableBy } of peers) {
    if (reachableBy === undefined || !ofFamily(address, family) || !ofFamily(reachableBy, family)) continue;
    routes.add(`  route ${address}/${addressBits(family)} via ${reachableBy};`);
  }
  if (routes.size === 0) return [];
  return [[`protocol static gateways${family} {`, `  ipv${family};`, ...[...routes].toSorted(), '}']];
}

/**
 * What all sessions of a family share. A call that finds nobody costs a packet every two seconds; two hosts that start together have each
 * other's routes after one second, and most first calls come before the other host has heard of us.
 */
function peerTemplate(family: Family): string[] {
  return [
    `template bgp peer${family} {`,
    '  connect delay time 1;',
    '  connect retry time 2;',
    '  error wait time 1, 30;',
    '  graceful restart on;',
    `  ipv${family} {`,
    '    import all;',
    '    gateway recursive;',
    '    add paths on;',
    '  };',
    '}',
  ];
}

function familyOf(text: string): Family {
  const address: Address | undefined = tryParsePrefix(text)?.address;
  return address?.family ?? 4;
}

function peerSection(peer: BgpPeerPlan, plan: BgpPlan): string[] {
  const family = familyOf(peer.address);
  const source = peer.sourceAddress === undefined ? '' : ` ${peer.sourceAddress}`;
  const localPort = plan.listenPort === undefined ? '' : ` port ${plan.listenPort}`;
  const port = peer.port === undefined ? '' : ` port ${peer.port}`;
  const nextHop = { auto: [], self: ['    next hop self;'], keep: ['    next hop keep;'] }[peer.nextHop];
  return [
    `protocol bgp ${peer.name} from peer${family} {`,
    `  local${source}${localPort} as ${peer.localAsNumber};`,
    `  neighbor ${peer.address}${port} as ${peer.asNumber};`,
    ...(plan.bindsToOwnAddress === true && peer.sourceAddress !== undefined ? ['  strict bind on;'] : []),
    ...peerOptions(peer).map((option) => `  ${option};`),
    `  ipv${family} {`,
    `    export filter { calico_export${family}(${peer.localAsNumber === peer.asNumber}); };`,
    ...nextHop,
    '  };',
    '}',
  ];
}

function peerOptions(peer: BgpPeerPlan): string[] {
  const { routeReflectorClusterId: clusterId, ttlSecurityHops: hops } = peer;
  const options = hops === undefined ? ['multihop'] : ['ttl security on', `multihop ${hops}`];
  if (peer.passive) options.push('passive on');
  if (peer.maxRestartTimeSeconds !== undefined) options.push(`graceful restart time ${peer.maxRestartTimeSeconds}`);
  if (peer.keepaliveTimeSeconds !== undefined) options.push(`keepalive time ${peer.keepaliveTimeSeconds}`);
  if (clusterId !== undefined) options.push('rr client', `rr cluster id ${clusterId}`);
  if (peer.password !== undefined) options.push(`password ${quoted(peer.password)}`);
  if (peer.allowedLocalAsNumbers !== undefined) options.push(`allow local as ${peer.allowedLocalAsNumbers}`);
  return options;
}
