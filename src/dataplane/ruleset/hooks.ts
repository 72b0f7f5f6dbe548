import { INPUT_INTERFACE, OUTPUT_INTERFACE } from '../../nftables/fields.js';
import {
  type Statement,
  ctState,
  daddrIn,
  iifname,
  markHas,
  oifname,
  protocol,
  isOneOf,
  isFamily,
  reversePathFails,
  saddrIn,
} from '../../nftables/match.js';
import { icmpTypeField } from '../../nftables/fields.js';
import { type BaseChain, type Chain, type Rule, baseChain, chain } from '../../nftables/objects.js';
import { rule } from '../../nftables/rule.js';
import {
  accept,
  changeMark,
  clearMarkBits,
  countIn,
  drop,
  goTo,
  masquerade,
  setMarkBits,
  verdictFrom,
} from '../../nftables/statements.js';
import type { Family } from '../../net/address.js';
import type { DataplaneSettings } from '../settings.js';
import type { Marks } from './marks.js';
import {
  CALICO_TABLE,
  FROM_WORKLOAD,
  FROM_WORKLOAD_MAP,
  TO_WORKLOAD,
  TO_WORKLOAD_MAP,
  endOfProfilesCounter,
} from './names.js';

export interface RenderedChain {
  readonly chain: Chain;
  readonly rules: readonly Rule[];
}

/**
 * The way of a packet. An accept ends only the base chain it is in, so each stage is a base chain; the numbers leave room for those
 * of host endpoints. Everything that iptables must find done lies before its own filter priority, 0.
 *
 *     prerouting  -300  raw-prerouting          a workload may send only from addresses that are routed to it
 *     input        -40  input-from-workload     the workload's egress policy
 *     input        -30  input-survivors         marks what got here, when the action is Accept
 *     input         10  input-to-host           DefaultEndpointToHostAction Drop, once more behind iptables' own INPUT
 *     forward      -40  forward-from-workload   egress policy of the workload that sends
 *     forward      -30  forward-to-workload     ingress policy of the workload that receives
 *     forward      -10  forward-survivors       marks what got here, for iptables' own FORWARD
 *     postrouting  110  nat-postrouting         masquerading, after kube-proxy's
 */
const HOOKS = {
  'raw-prerouting': { type: 'filter', hook: 'prerouting', priority: -300 },
  'input-from-workload': { type: 'filter', hook: 'input', priority: -40 },
  'input-survivors': { type: 'filter', hook: 'input', priority: -30 },
  'input-to-host': { type: 'filter', hook: 'input', priority: 10 },
  'forward-from-workload': { type: 'filter', hook: 'forward', priority: -40 },
  'forward-to-workload': { type: 'filter', hook: 'forward', priority: -30 },
  'forward-survivors': { type: 'filter', hook: 'forward', priority: -10 },
  'nat-postrouting': { type: 'nat', hook: 'postrouting', priority: 110 },
} as const satisfies Readonly<Record<string, BaseChain>>;

/** Named counters of the fixed chains. */
export const FIXED_COUNTERS: readonly string[] = [
  'spoofed-source',
  'unknown-interface-from',
  'unknown-interface-to',
  'workload-to-host',
  endOfProfilesCounter('ingress'),
  endOfProfilesCounter('egress'),
];

export const MASQUERADED_POOLS = 'masqueraded-pools';
export const ALL_POOLS = 'all-pools';

/** MLD, router solicitation, neighbour discovery (RFC 4861, RFC 3810): without them the host is no neighbour. */
const ICMPV6_TO_HOST = ['130', '131', '132', '133', '135', '136'];

function render(name: keyof typeof HOOKS, lists: readonly (readonly Statement[])[]): RenderedChain {
  const of = baseChain(CALICO_TABLE, name, HOOKS[name]);
  return { chain: of, rules: lists.map((statements) => rule(of, statements)) };
}

/** A drop that can be told from the others. */
export function countedDrop(counter: string): readonly Statement[] {
  return [countIn(counter), drop];
}

/** The chains that do not depend on the plan. */
export function renderHooks(settings: DataplaneSettings, marks: Marks): readonly RenderedChain[] {
  const from = settings.interfacePrefixes.map((prefix) => iifname(`${prefix}*`));
  const to = settings.interfacePrefixes.map((prefix) => oifname(`${prefix}*`));
  const survived = changeMark(marks.accept | marks.pass, marks.accept);
  const chains = [
    ...renderDispatch(),
    render('raw-prerouting', antiSpoofing(from, marks)),
    render('input-from-workload', inputFromWorkload(from, marks)),
    render(
      'forward-from-workload',
      from.map((match) => [match, goTo(FROM_WORKLOAD)]),
    ),
    render(
      'forward-to-workload',
      to.map((match) => [match, goTo(TO_WORKLOAD)]),
    ),
    render(
      'forward-survivors',
      [...from, ...to].map((match) => [match, survived]),
    ),
  ];
  if (settings.endpointToHostAction === 'accept') {
    chains.push(
      render(
        'input-survivors',
        from.map((match) => [match, survived]),
      ),
    );
  }
  if (settings.endpointToHostAction === 'drop') {
    const lists = from.map((match) => [
      match,
      markHas(marks.accept, { not: true }),
      ...countedDrop('workload-to-host'),
    ]);
    chains.push(render('input-to-host', lists));
  }
  return chains;
}

/** By the interface's name to the chain of its endpoint; an interface that no endpoint has lets nothing through. */
function renderDispatch(): readonly RenderedChain[] {
  const from = chain(CALICO_TABLE, FROM_WORKLOAD);
  const to = chain(CALICO_TABLE, TO_WORKLOAD);
  return [
    {
      chain: from,
      rules: [
        rule(from, [verdictFrom(INPUT_INTERFACE, FROM_WORKLOAD_MAP)]),
        rule(from, countedDrop('unknown-interface-from')),
      ],
    },
    {
      chain: to,
      rules: [
        rule(to, [verdictFrom(OUTPUT_INTERFACE, TO_WORKLOAD_MAP)]),
        rule(to, countedDrop('unknown-interface-to')),
      ],
    },
  ];
}

/** The kernel answers the duplicate-address probe of IPv6 (source `::`) with the right interface by itself (nft_fib_ipv6.c). */
function antiSpoofing(from: readonly Statement[], marks: Marks): readonly (readonly Statement[])[] {
  return from.flatMap((match) => [
    // A veth whose two ends are in one namespace keeps marks: none may arrive that looks like our verdict.
    [match, clearMarkBits(marks.accept | marks.pass)],
    [match, reversePathFails(), ...countedDrop('spoofed-source')],
  ]);
}

function inputFromWorkload(from: readonly Statement[], marks: Marks): readonly (readonly Statement[])[] {
  const allowed = setMarkBits(marks.accept);
  return from.flatMap((match) => [
    [match, isFamily(6), protocol(58), isOneOf(icmpTypeField(6), ICMPV6_TO_HOST), allowed, accept],
    // Only marked: whether the interface is known at all is for the dispatch to say, whose chain accepts it then.
    [match, ctState(['established', 'related']), allowed],
    [match, goTo(FROM_WORKLOAD)],
  ]);
}

/** Masquerades what leaves a pool with natOutgoing for an address in no pool. */
export function renderNat(families: readonly Family[]): RenderedChain {
  return render(
    'nat-postrouting',
    families.map((family) => [
      saddrIn(family, `${MASQUERADED_POOLS}-v${family}`),
      daddrIn(family, `${ALL_POOLS}-v${family}`, { not: true }),
      masquerade(['fully-random']),
    ]),
  );
}
