import { describe, expect, test } from 'vitest';
import { parseMessages } from '../netlink/message.js';
import { Batch } from './batch.js';
import { ctState, dport, iifname, markHas, saddr, saddrIn } from './match.js';
import type { Operation } from './nftables.js';
import { baseChain, chain, counter, elements, set, table, verdictMap } from './objects.js';
import { rule } from './rule.js';
import { accept, countIn, drop, masquerade, setMarkBits } from './statements.js';
import { DROP } from './verdict.js';

const T = table('inet', 't');
const X = chain(T, 'x');
const S = set(T, 's', 'ipv4_addr');

/** Payloads of a batch's messages but the first and the last: sixteen bytes a line, so that a difference shows where it is. */
function messagesOf(...operations: Operation[]): string[] {
  const batch = Batch.of(operations);
  const { requests } = batch;
  const datagram = requests.datagram({ from: 0, to: requests.count, sequence: 1, lastFlags: 0 });
  return parseMessages(datagram)
    .slice(1, -1)
    .map(({ type, flags, payload }) => {
      const lines = payload.toString('hex').match(/.{1,32}/g) ?? [];
      return [`type ${type} flags ${flags.toString(16)}`, ...lines].join('\n');
    });
}

function hex(head: string, ...lines: string[]): string {
  return [head, ...lines.map((line) => line.replaceAll(' ', ''))].join('\n');
}

// What `nft --debug=mnl` shows for the command above each, except where said; the flags have NLM_F_ACK (4) on the last message.
describe('Batch.of()', () => {
  test('a table', () => {
    // nft add table inet t
    expect(messagesOf({ verb: 'add', object: T })).toEqual([
      hex('type 2560 flags 405', '01000000 06000100 74000000 08000200', '00000000'),
    ]);
  });

  test('a base chain', () => {
    // nft add chain inet t f '{ type filter hook forward priority -5; policy accept; }'
    const forward = baseChain(T, 'f', { type: 'filter', hook: 'forward', priority: -5 });
    expect(messagesOf({ verb: 'add', object: forward })).toEqual([
      hex(
        'type 2563 flags 405',
        '01000000 06000100 74000000 06000300',
        '66000000 14000480 08000100 00000002',
        '08000200 fffffffb 08000500 00000001',
        '0b000700 66696c74 65720000',
      ),
    ]);
  });

  test('a hash set, an interval of a concatenation and a verdict map', () => {
    // nft add set inet t s '{ type ipv4_addr; }' (nft adds nothing else but user data of its own)
    expect(messagesOf({ verb: 'create', object: S })).toEqual([
      hex(
        'type 2569 flags 605',
        '01000000 06000100 74000000 06000200',
        '73000000 08000300 00000000 08000400',
        '00000007 08000500 00000004 08000a00',
        '00000001 0a000d00 00040200 00000000',
      ),
    ]);
    // nft add set inet t c '{ type ipv4_addr . inet_service; flags interval; }'
    const concatenation = set(T, 'c', ['ipv4_addr', 'inet_service'], { interval: true });
    expect(messagesOf({ verb: 'add', object: concatenation })).toEqual([
      hex(
        'type 2569 flags 405',
        '01000000 06000100 74000000 06000200',
        '63000000 08000300 00000084 08000400',
        '000001cd 08000500 00000008 08000a00',
        '00000001 20000980 1c000280 0c000180',
        '08000100 00000004 0c000180 08000100',
        '00000002 0a000d00 00040000 00000000',
      ),
    ]);
    // nft add map inet t m '{ type ifname : verdict; }'
    expect(messagesOf({ verb: 'add', object: verdictMap(T, 'm', 'ifname') })).toEqual([
      hex(
        'type 2569 flags 405',
        '01000000 06000100 74000000 06000200',
        '6d000000 08000300 00000008 08000400',
        '00000029 08000500 00000010 08000600',
        'ffffff00 08000700 00000000 08000a00',
        '00000001 0a000d00 00040100 00000000',
      ),
    ]);
  });

  test('elements: an address, a prefix as its two ends, the catch-all with a verdict', () => {
    // nft add element inet t s '{ 192.0.2.7 }'
    expect(messagesOf({ verb: 'add', object: elements(S, ['192.0.2.7']) })).toEqual([
      hex(
        'type 2572 flags 405',
        '01000000 06000100 74000000 06000200',
        '73000000 14000380 10000180 0c000180',
        '08000100 c0000207',
      ),
    ]);
    // nft delete element inet t n '{ 192.0.2.0/24 }'
    const nets = set(T, 'n', 'ipv4_addr', { interval: true });
    expect(messagesOf({ verb: 'delete', object: elements(nets, ['192.0.2.0/24']) })).toEqual([
      hex(
        'type 2574 flags 5',
        '01000000 06000100 74000000 06000200',
        '6e000000 2c000380 10000180 0c000180',
        '08000100 c0000200 18000180 0c000180',
        '08000100 c0000300 08000300 00000001',
      ),
    ]);
    // nft add element inet t m '{ * : drop }'
    const members = elements(verdictMap(T, 'm', 'ifname'), [{ key: '*', verdict: DROP }]);
    expect(messagesOf({ verb: 'add', object: members })).toEqual([
      hex(
        'type 2572 flags 405',
        '01000000 06000100 74000000 06000200',
        '6d000000 20000380 1c000180 08000300',
        '00000002 10000280 0c000280 08000100',
        '00000000',
      ),
    ]);
  });

  test('a rule with a truncated prefix and a verdict', () => {
    // nft add rule inet t x ip saddr 192.0.2.0/24 drop (our user data instead of none)
    const made = { ...rule(X, [saddr(4, '192.0.2.0/24'), drop]), hash: '000102030405060708090a0b0c0d0e0f' };
    expect(messagesOf({ verb: 'add', object: made })).toEqual([
      hex(
        'type 2566 flags c05',
        '01000000 06000100 74000000 06000200',
        '78000000 e4000480 24000180 09000100',
        '6d657461 00000000 14000280 08000200',
        '0000000f 08000100 00000001 2c000180',
        '08000100 636d7000 20000280 08000100',
        '00000001 08000200 00000000 0c000380',
        '05000100 02000000 34000180 0c000100',
        '7061796c 6f616400 24000280 08000100',
        '00000001 08000200 00000001 08000300',
        '0000000c 08000400 00000003 2c000180',
        '08000100 636d7000 20000280 08000100',
        '00000001 08000200 00000000 0c000380',
        '07000100 c0000200 30000180 0e000100',
        '696d6d65 64696174 65000000 1c000280',
        '08000100 00000000 10000280 0c000280',
        '08000100 00000000 16000700 80100001',
        '02030405 06070809 0a0b0c0d 0e0f0000',
      ),
    ]);
  });

  test('a rule with an anonymous set: the set, its elements, then the rule that names it by its number', () => {
    const types = messagesOf({ verb: 'add', object: rule(X, [dport('tcp', [80, 443]), accept]) });
    expect(types.map((text) => text.split('\n')[0])).toEqual([
      'type 2569 flags 401',
      'type 2572 flags 401',
      'type 2566 flags c05',
    ]);
    // Name __set%d (5f5f…2564), flags anonymous and constant, id 1; the lookup has set id 1 (attribute 4).
    expect(types[0]?.replaceAll('\n', '')).toContain('5f5f7365742564000800030000000003');
    expect(types[2]?.replaceAll('\n', '')).toContain('0800040000000001');
  });

  test('two rules with the same list have a set each', () => {
    const match = dport('tcp', [80, 443]);
    const types = messagesOf(
      { verb: 'add', object: rule(X, [match, accept]) },
      { verb: 'add', object: rule(X, [match, drop]) },
    );
    expect(types).toHaveLength(6);
    expect(types[5]?.replaceAll('\n', '')).toContain('0800040000000002');
  });

  test('binds the batch to a generation when asked', () => {
    const batch = Batch.of([{ verb: 'add', object: T }], 0x1234);
    expect(batch.message(0).subarray(16).toString('hex')).toBe('0000000a' + '08000100' + '00001234');
    expect(
      Batch.of([{ verb: 'add', object: T }])
        .message(0)
        .subarray(16)
        .toString('hex'),
    ).toBe('0000000a');
  });

  test('deletes and flushes by name', () => {
    const names = messagesOf(
      { verb: 'flush', object: X },
      { verb: 'flush', object: S },
      { verb: 'delete-rule', chain: X, handle: 7 },
      { verb: 'delete', object: counter(T, 'c') },
      { verb: 'delete', object: X },
      { verb: 'delete', object: S },
      { verb: 'delete', object: T },
    ).map((text) => Number(text.match(/type (\d+)/)?.[1]) & 255);
    // DELRULE, DELSETELEM, DELRULE, DELOBJ, DELCHAIN, DELSET, DELTABLE.
    expect(names).toEqual([8, 14, 8, 20, 5, 11, 2]);
  });
});

describe('rule()', () => {
  test('checks family and protocol once, before the first field that needs them', () => {
    const types = rule(X, [saddr(4, '192.0.2.1'), saddrIn(4, 's'), dport('tcp', 80), dport('tcp', '90-99')]);
    const keys = types.expressions.flatMap((expression) => (expression.type === 'meta' ? [expression.key] : []));
    expect(keys).toEqual(['nfproto', 'l4proto']);
  });

  test('needs no family check in a table of one family', () => {
    const made = rule(chain(table('ip', 't'), 'x'), [saddr(4, '192.0.2.1'), drop]);
    expect(made.expressions.some((expression) => expression.type === 'meta')).toBe(false);
  });

  test('refuses what can never match', () => {
    expect(() => rule(X, [saddr(4, '192.0.2.1'), saddr(6, '2001:db8::1')])).toThrow('IPv4 and IPv6 at once');
    expect(() => rule(X, [dport('tcp', 1), dport('udp', 1)])).toThrow('two transport protocols');
  });

  test('has the same hash for the same content, another for another', () => {
    const make = (port: number, comment: string): string =>
      rule(X, [iifname('cali*'), ctState(['new']), dport('tcp', [port, 9]), countIn('c'), accept], { comment }).hash;
    expect(make(80, 'a')).toBe(make(80, 'a'));
    expect(new Set([make(80, 'a'), make(81, 'a'), make(80, 'b')]).size).toBe(3);
    const marks = [markHas(1), setMarkBits(1), masquerade()].map((statement) => rule(X, [statement]).hash);
    expect(new Set(marks).size).toBe(3);
  });

  test('refuses a comment that nft would not print', () => {
    expect(() => rule(X, [drop], { comment: 'x'.repeat(129) })).toThrow('longer than 128 bytes');
  });
});
