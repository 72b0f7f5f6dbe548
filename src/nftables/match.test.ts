import { describe, expect, test } from 'vitest';
import { CalicoError } from '../base/errors.js';
import { INPUT_INTERFACE, destinationPort, icmpTypeField, sourceAddress } from './fields.js';
import { type Statement, ctState, icmp, iifname, isOneOf, markIs, saddr } from './match.js';
import { chain, table } from './objects.js';
import { printRule } from './print.js';
import { rule } from './rule.js';
import { changeMark, clearMarkBits, dnatTo, setMarkBits } from './statements.js';

const X = chain(table('inet', 't'), 'x');
const print = (...statements: Statement[]): string => printRule(rule(X, statements));

describe('isOneOf()', () => {
  test('compares one value, looks several up', () => {
    expect(print(isOneOf(destinationPort('tcp'), ['80']))).toBe('tcp dport 80');
    expect(print(isOneOf(destinationPort('tcp'), ['443', '80']))).toBe('tcp dport { 80, 443 }');
    expect(print(isOneOf(destinationPort('tcp'), ['80-90']))).toBe('tcp dport 80-90');
  });

  test('takes a dash in a name for a part of the name', () => {
    expect(print(isOneOf(icmpTypeField(4), ['echo-request']))).toBe('icmp type echo-request');
    const [, found] = isOneOf(INPUT_INTERFACE, ['eth-0', 'eth-1']).expressions;
    expect(found).toMatchObject({ type: 'lookup', set: { key: ['ifname'], constant: true } });
    expect(found).not.toHaveProperty('set.interval');
  });

  test('refuses values of another type', () => {
    expect(() => isOneOf(sourceAddress(4), ['2001:db8::1'])).toThrow(CalicoError);
    expect(() => isOneOf(destinationPort(), ['90-80'])).toThrow('"90-80" is not a value of type inet_service');
    expect(() => iifname('cali567890123456')).toThrow('"cali567890123456" is not a value of type ifname');
  });
});

describe('saddr()', () => {
  test('loads only the bytes a prefix covers when it ends on one', () => {
    const [load] = saddr(6, '2001:db8::/32').expressions;
    expect(load).toMatchObject({ type: 'payload', length: 4 });
    expect(saddr(6, '2001:db8::/33').expressions).toHaveLength(3);
  });

  test.each(['0.0.0.0/0', '192.0.2.0/25', '192.0.2.7', '128.0.0.0/1', '192.0.2.1-192.0.2.9'])('prints %s', (text) => {
    expect(print(saddr(4, text))).toBe(`ip saddr ${text}`);
    expect(print(saddr(4, text, { not: true }))).toBe(`ip saddr != ${text}`);
  });

  test('clears the host bits of a prefix', () => {
    expect(print(saddr(4, '192.0.2.7/24'))).toBe('ip saddr 192.0.2.0/24');
  });
});

describe('icmp()', () => {
  test('negates type and code together', () => {
    // Not (3 and 4) is not the same as (not 3) and (not 4).
    expect(icmp(4, 3, 4, { not: true }).expressions).toMatchObject([
      { type: 'payload', offset: 0, length: 2 },
      { type: 'cmp', op: 'neq', data: Uint8Array.of(3, 4) },
    ]);
  });
});

describe('marks and states', () => {
  test.each([
    [markIs(0xff0000, 0x10000), 'meta mark & 0x00ff0000 == 0x00010000'],
    [setMarkBits(0x10000), 'meta mark set meta mark | 0x00010000'],
    [clearMarkBits(0x10000), 'meta mark set meta mark & 0xfffeffff'],
    [changeMark(0xff0000, 0x50000), 'meta mark set meta mark & 0xff05ffff | 0x00050000'],
    [ctState(['new', 'untracked']), 'ct state new,untracked'],
    [dnatTo('192.0.2.1'), 'meta nfproto ipv4 dnat ip to 192.0.2.1'],
  ])('%#: prints %o', (statement, text) => {
    expect(print(statement)).toBe(text);
  });
});
