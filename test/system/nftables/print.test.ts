import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import {
  CONNECTION_MARK,
  INPUT_INTERFACE,
  PACKET_MARK,
  destinationPort,
  icmpTypeField,
} from '../../../src/nftables/fields.js';
import { KernelNftables } from '../../../src/nftables/kernel.js';
import {
  arpOperation,
  ctDirection,
  ctState,
  ctStatus,
  daddr,
  daddrIn,
  dport,
  endpointIn,
  icmp,
  iifname,
  isFamily,
  isForThisHost,
  isIn,
  isOneOf,
  markHas,
  markIs,
  oifname,
  protocol,
  reversePathFails,
  saddr,
  saddrIn,
  sport,
  type Statement,
} from '../../../src/nftables/match.js';
import { baseChain, chain, counter, dataMap, elements, set, table, verdictMap } from '../../../src/nftables/objects.js';
import {
  ARP_SENDER_ADDRESS,
  ARP_SENDER_ETHER,
  ARP_TARGET_ADDRESS,
  ARP_TARGET_ETHER,
} from '../../../src/nftables/fields.js';
import { printTable } from '../../../src/nftables/print.js';
import { rule } from '../../../src/nftables/rule.js';
import {
  accept,
  changeMark,
  clearMarkBits,
  count,
  countIn,
  dnatTo,
  drop,
  goTo,
  jump,
  limitPackets,
  log,
  masquerade,
  notrack,
  reject,
  rejectWithReset,
  returnToCaller,
  setMarkBits,
  snatTo,
  verdictFrom,
} from '../../../src/nftables/statements.js';
import { Transaction } from '../../../src/nftables/transaction.js';
import { DROP, gotoChain } from '../../../src/nftables/verdict.js';
import { NetworkNamespace } from '../../../src/sys/namespace.js';

const T = table('inet', 'representative', { comment: 'what policies are made of' });
const ARP = table('arp', 'representative');

const RULES: readonly (readonly Statement[])[] = [
  [iifname('cali*'), verdictFrom(INPUT_INTERFACE, 'dispatch')],
  [iifname('cali1a2b3c'), oifname('eth0', { not: true }), drop],
  [ctState(['established', 'related']), accept],
  [ctState(['invalid']), drop],
  [ctState(['established'], { not: true }), count],
  [ctStatus(['dnat']), ctDirection('original'), accept],
  [saddr(4, '192.0.2.0/24'), daddr(4, '198.51.100.0/25'), dport('tcp', [80, 443, '1000-2000']), accept],
  [saddr(4, '192.0.2.7', { not: true }), dport('udp', '53'), accept],
  [saddr(4, '0.0.0.0/0'), daddr(4, '10.0.0.0/8', { not: true }), drop],
  [saddr(6, 'fe80::/10'), daddr(6, ['2001:db8::/32', '2001:db9::1']), accept],
  [saddr(6, '2001:db8::/32'), drop],
  [dport('tcp', '5-10'), sport('tcp', [1, 2], { not: true }), dport('tcp', '7-9', { not: true }), accept],
  [saddrIn(4, 'hosts'), daddrIn(4, 'nets', { not: true }), countIn('hits'), accept],
  [endpointIn('destination', 4, 'endpoints'), accept],
  [endpointIn('source', 6, 'endpoints6', { not: true }), drop],
  [isIn([destinationPort('tcp'), INPUT_INTERFACE], 'concat'), accept],
  [icmp(4, 'echo-request'), accept],
  [icmp(4, 3, 4), accept],
  [icmp(6, 'nd-neighbor-solicit'), accept],
  [isOneOf(icmpTypeField(6), ['133', '134', 'nd-neighbor-advert']), accept],
  [protocol('tcp'), accept],
  [protocol(4, { not: true }), isFamily(6), accept],
  [isFamily(4), protocol('sctp'), dport('sctp', 9), jump('shared')],
  [protocol('udp'), dport(undefined, 4789), goTo('shared')],
  [markHas(0x10000), setMarkBits(0x20000), clearMarkBits(0x10000), changeMark(0xff0000, 0x50000)],
  [markIs(0x30000, 0, { not: true }), returnToCaller],
  [limitPackets(10), log({ prefix: 'calico: ', level: 'info' })],
  [limitPackets(100, 200), log({ prefix: 'x', group: 5, snaplen: 64, queueThreshold: 10 })],
  [isOneOf(CONNECTION_MARK, ['0x5']), isOneOf(PACKET_MARK, ['0x1', '0x2']), accept],
  [isForThisHost(), accept],
  [protocol('tcp'), rejectWithReset],
  [iifname('tap*'), reject],
];

describe('printTable()', () => {
  let namespace: NetworkNamespace;
  let nftables: KernelNftables;
  beforeEach(() => {
    namespace = NetworkNamespace.create();
    nftables = KernelNftables.open({ namespace });
  });
  afterEach(() => {
    nftables.close();
    namespace.close();
  });

  /** What the real tool says is there. */
  const listed = (...flags: string[]): string =>
    execFileSync('nsenter', [`--net=${namespace.path}`, 'nft', ...flags, 'list', 'ruleset'], { encoding: 'utf8' });

  async function load(): Promise<void> {
    const forward = baseChain(T, 'forward', { type: 'filter', hook: 'forward', priority: -5, policy: 'drop' });
    const raw = baseChain(T, 'early', { type: 'filter', hook: 'prerouting', priority: -300 });
    const odd = baseChain(T, 'odd', { type: 'filter', hook: 'input', priority: 17 });
    const dnat = baseChain(T, 'pre-nat', { type: 'nat', hook: 'prerouting', priority: -100 });
    const snat = baseChain(T, 'post-nat', { type: 'nat', hook: 'postrouting', priority: 110 });
    const policy = chain(T, 'shared', { comment: 'by many' });
    const dispatch = verdictMap(T, 'dispatch', 'ifname');
    const hosts = set(T, 'hosts', 'ipv4_addr', { comment: 'hosts of s:1' });
    const nets = set(T, 'nets', 'ipv4_addr', { interval: true });
    const nets6 = set(T, 'nets6', 'ipv6_addr', { interval: true });
    const ports = set(T, 'ports', 'inet_service', { interval: true });
    const endpoints = set(T, 'endpoints', ['ipv4_addr', 'inet_proto', 'inet_service']);
    const endpoints6 = set(T, 'endpoints6', ['ipv6_addr', 'inet_proto', 'inet_service'], { interval: true });
    const concat = set(T, 'concat', ['inet_service', 'ifname'], { size: 7 });
    const marks = dataMap(T, 'marks', { key: ['ipv4_addr'], data: ['mark'], interval: true });
    const dying = set(T, 'dying', 'ether_addr', { timeoutMs: 5_400_000 });
    const arpIn = baseChain(ARP, 'in', { type: 'filter', hook: 'input', priority: 0 });
    const transaction = new Transaction(nftables)
      .add(T)
      .add(counter(T, 'hits', { comment: 'all of them' }))
      .add(policy);
    for (const made of [dispatch, hosts, nets, nets6, ports, endpoints, endpoints6, concat, marks, dying]) {
      transaction.add(made);
    }
    for (const made of [raw, dnat, odd, forward, snat]) transaction.add(made);
    transaction
      .add(
        elements(dispatch, [
          { key: 'cali1', verdict: gotoChain('shared'), comment: 'shop/web' },
          { key: '*', verdict: DROP },
        ]),
      )
      .add(elements(hosts, ['192.0.2.7']))
      .add(elements(nets, ['10.0.0.0/8', '192.0.2.1-192.0.2.9', '255.255.255.0/24']))
      .add(elements(nets6, ['2001:db8::/32', '::1']))
      .add(elements(ports, ['1', '2', '3-5', '6', '7', '65000-65535']))
      .add(elements(endpoints, ['192.0.2.7 . tcp . 80']))
      .add(elements(endpoints6, ['2001:db8::/64 . udp . 53-54']))
      .add(elements(concat, ['80 . eth0']))
      .add(elements(marks, [{ key: '192.0.2.0/24', data: '0x50000' }]));
    for (const [index, statements] of RULES.entries()) {
      transaction.add(rule(forward, statements, index % 3 === 0 ? { comment: `rule ${index}` } : {}));
    }
    transaction
      .add(rule(raw, [iifname('cali*'), reversePathFails(), drop]))
      .add(rule(raw, [notrack]))
      .add(rule(dnat, [dport('tcp', 80), dnatTo('192.0.2.1', 8080)]))
      .add(rule(dnat, [dport('tcp', 81), dnatTo('2001:db8::1', 8081)]))
      .add(rule(snat, [saddrIn(4, 'nets'), daddrIn(4, 'nets', { not: true }), masquerade()]))
      .add(rule(snat, [saddr(4, '192.0.2.0/24'), masquerade(['fully-random'])]))
      .add(rule(snat, [saddr(4, '192.0.2.0/24'), snatTo('198.51.100.1')]))
      .add(ARP)
      .add(arpIn)
      .add(
        rule(arpIn, [
          iifname('cali*'),
          arpOperation('reply'),
          isOneOf(ARP_SENDER_ADDRESS, ['169.254.1.1']),
          isOneOf(ARP_SENDER_ETHER, ['ee:ee:ee:ee:ee:ee'], { not: true }),
          drop,
        ]),
      )
      .add(
        rule(arpIn, [isOneOf(ARP_TARGET_ETHER, ['ee:ee:ee:ee:ee:ee']), isOneOf(ARP_TARGET_ADDRESS, ['10.0.0.0/8'])]),
      );
    await transaction.commit();
  }

  async function printed(): Promise<string> {
    const tables = [await nftables.readTable(T), await nftables.readTable(ARP)];
    return tables.map((seen) => (seen === undefined ? '' : printTable(seen))).join('');
  }

  test('prints what nft prints of a representative ruleset', async () => {
    await load();
    const said = listed('--stateless');
    expect(await printed()).toBe(said);
    expect(said).toBe(readFileSync(new URL('representative.nft', import.meta.url), 'utf8'));
  });

  test('what it prints, nft reads back as the same ruleset', async () => {
    await load();
    const before = await printed();
    execFileSync('nsenter', [`--net=${namespace.path}`, 'nft', '-f', '-'], { input: `flush ruleset\n${before}` });
    expect(listed('--stateless')).toBe(before);
  });

  test('what a transaction prints, nft runs to the same effect', async () => {
    const blocked = set(T, 'blocked', 'ipv4_addr', { interval: true });
    const input = baseChain(T, 'input', { type: 'filter', hook: 'input', priority: 0 });
    const transaction = new Transaction(nftables)
      .add(T)
      .add(blocked)
      .add(elements(blocked, ['192.0.2.0/24', '198.51.100.7']))
      .add(input)
      .add(rule(input, [saddrIn(4, 'blocked'), dport('tcp', [80, '8000-9000']), count, drop], { comment: 'no web' }));
    await transaction.commit();
    const ours = listed('--stateless');
    execFileSync('nsenter', [`--net=${namespace.path}`, 'nft', '-f', '-'], {
      input: `flush ruleset\n${transaction.print()}`,
    });
    expect(listed('--stateless')).toBe(ours);
  });

  test('the hash beside the comment does not hide it from nft', async () => {
    await load();
    const seen = await nftables.readTable(T);
    const first = seen?.chains.get('forward')?.rules[0];
    expect(first?.hash).toMatch(/^[0-9a-f]{32}$/);
    expect(listed('-a')).toContain(`iifname vmap @dispatch comment "rule 0" # handle ${first?.handle}\n`);
  });

  test('shows counts when asked', async () => {
    await load();
    const seen = await nftables.readTable(T);
    expect(seen === undefined ? '' : printTable(seen, { stateful: true })).toContain('packets 0 bytes 0');
  });
});
