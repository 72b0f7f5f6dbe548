import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { CalicoError } from '../base/errors.js';
import { encodeAttributes, parseAttributeList } from '../netlink/attributes.js';
import { readElementList, readElements, successor, writeMembers } from './element-codec.js';
import { Attributes } from '../netlink/attributes.js';
import { canonicalKey, formatKey, keyRange, printMember } from './elements.js';
import { set, table, verdictMap, dataMap } from './objects.js';
import { jumpTo } from './verdict.js';

const T = table('inet', 't');
const HOSTS = set(T, 'hosts', 'ipv4_addr');
const NETS = set(T, 'nets', 'ipv4_addr', { interval: true });
const NETS6 = set(T, 'nets6', 'ipv6_addr', { interval: true });
const PORTS = set(T, 'ports', 'inet_service', { interval: true });
const NAMED = set(T, 'named', ['ipv4_addr', 'inet_proto', 'inet_service'], { interval: true });
const DISPATCH = verdictMap(T, 'dispatch', 'ifname');

const address = fc.nat(0xffffffff).map((value) => [24, 16, 8, 0].map((bits) => (value >>> bits) & 255).join('.'));

describe('canonicalKey()', () => {
  test.each([
    [NETS, '192.0.2.7/32', '192.0.2.7'],
    [NETS, '192.0.2.7/24', '192.0.2.0/24'],
    [NETS, '192.0.2.0-192.0.2.255', '192.0.2.0/24'],
    [NETS, '192.0.2.1-192.0.2.9', '192.0.2.1-192.0.2.9'],
    [NETS, '0.0.0.0/0', '0.0.0.0/0'],
    [NETS6, '2001:DB8:0::/32', '2001:db8::/32'],
    [NETS6, '::/0', '::/0'],
    [NETS6, '2001:db8::1/128', '2001:db8::1'],
    [PORTS, '080', '80'],
    [PORTS, '80-80', '80'],
    [NAMED, '10.0.0.0/8 . 6 . 80-90', '10.0.0.0/8 . tcp . 80-90'],
    [DISPATCH, 'cali1a2b3c', 'cali1a2b3c'],
    [DISPATCH, '*', '*'],
  ])('%#: %o of it', (of, given, canonical) => {
    expect(canonicalKey(of, given)).toBe(canonical);
  });

  test.each([
    [HOSTS, '192.0.2.0/24'],
    [HOSTS, '2001:db8::1'],
    [HOSTS, '192.0.2.256'],
    [NETS, '192.0.2.9-192.0.2.1'],
    [NETS, '192.0.2.0/33'],
    [NETS, '2001:db8::/32'],
    [PORTS, '65536'],
    [PORTS, '90-80'],
    [NAMED, '10.0.0.0/8 . tcp'],
    [DISPATCH, 'cali5678901234567'],
    [DISPATCH, ''],
  ])('%#: refuses what is no member: %o', (of, given) => {
    expect(() => canonicalKey(of, given)).toThrow(CalicoError);
  });

  test('is its own canonical form', () => {
    fc.assert(
      fc.property(address, fc.integer({ min: 0, max: 32 }), (text, length) => {
        const once = canonicalKey(NETS, `${text}/${length}`);
        expect(canonicalKey(NETS, once)).toBe(once);
      }),
    );
  });
});

describe('keyRange()', () => {
  test('takes bytes as they are, and checks their length', () => {
    const start = Uint8Array.of(192, 0, 2, 0);
    const keyEnd = Uint8Array.of(192, 0, 2, 255);
    expect(keyRange(HOSTS, { key: start })).toEqual({ start });
    expect(formatKey(NETS.key, keyRange(NETS, { key: start, keyEnd }))).toBe('192.0.2.0/24');
    expect(() => keyRange(HOSTS, { key: Uint8Array.of(1, 2) })).toThrow(CalicoError);
  });

  test('says of any range what a naive reading says', () => {
    fc.assert(
      fc.property(fc.nat(65535), fc.nat(65535), (a, b) => {
        const [from, to] = a < b ? [a, b] : [b, a];
        const range = keyRange(PORTS, { key: `${from}-${to}` });
        expect(range && Buffer.from(range.start).readUInt16BE(0)).toBe(from);
        expect(range?.end && Buffer.from(range.end).readUInt16BE(0)).toBe(to);
      }),
    );
  });
});

describe('printMember()', () => {
  test('prints key, timeout, comment and value in nft’s order', () => {
    expect(
      printMember(DISPATCH, { key: 'cali1', timeoutMs: 90_061_001, comment: 'web', verdict: jumpTo('in-web') }),
    ).toBe('"cali1" timeout 1d1h1m1s1ms comment "web" : jump in-web');
    const marks = dataMap(T, 'marks', { key: ['ipv4_addr'], data: ['mark'] });
    expect(printMember(marks, { key: '192.0.2.1', data: Uint8Array.of(5, 0, 0, 0) })).toBe('192.0.2.1 : 0x00000005');
  });
});

describe('successor()', () => {
  test('carries, and ends after the last key', () => {
    expect(successor(Uint8Array.of(10, 0, 255, 255))).toEqual(Uint8Array.of(10, 1, 0, 0));
    expect(successor(Uint8Array.of(255, 255))).toBeUndefined();
  });
});

describe('readElements()', () => {
  const roundTrip = (of: typeof HOSTS | typeof DISPATCH, members: Parameters<typeof writeMembers>[3]['members']) => {
    const head = { tableName: 't', setName: of.name };
    const bytes = encodeAttributes((into) => {
      writeMembers(into, head, of, { members, from: 0 });
    });
    return readElements(of, readElementList(new Attributes(bytes)).elements);
  };

  test('reads back any disjoint prefixes, ascending', () => {
    const bases = fc.uniqueArray(fc.nat(0xffff), { minLength: 1, maxLength: 40 });
    fc.assert(
      fc.property(bases, fc.integer({ min: 16, max: 32 }), (list, length) => {
        const members = list.map((base) => canonicalKey(NETS, `${base >>> 8}.${base & 255}.0.0/${length}`));
        const ascending = [...list].sort((a, b) => a - b);
        const wanted = ascending.map((base) => canonicalKey(NETS, `${base >>> 8}.${base & 255}.0.0/${length}`));
        expect(roundTrip(NETS, members).map(({ key }) => key)).toEqual(wanted);
      }),
    );
  });

  test('reads back verdicts, comments, timeouts and the catch-all', () => {
    const members = [
      { key: 'cali1', verdict: jumpTo('a'), comment: 'one', timeoutMs: 5000 },
      { key: '*', verdict: { code: 'drop' as const } },
    ];
    expect(roundTrip(DISPATCH, members)).toEqual(members);
  });

  test('reads back addresses given as text and as bytes alike', () => {
    fc.assert(
      fc.property(fc.uniqueArray(address, { minLength: 1, maxLength: 20 }), (texts) => {
        const asBytes = texts.map((text) => Uint8Array.from(text.split('.').map(Number)));
        expect(roundTrip(HOSTS, texts)).toEqual(texts.map((key) => ({ key })));
        expect(roundTrip(HOSTS, asBytes)).toEqual(texts.map((key) => ({ key })));
      }),
    );
  });

  test('splits what does not fit one message', () => {
    const members = Array.from({ length: 10_000 }, (_, i) => `10.0.${i >> 8}.${i & 255}`);
    let from = 0;
    let messages = 0;
    while (from < members.length) {
      const bytes = encodeAttributes((into) => {
        from = writeMembers(into, { tableName: 't', setName: 'hosts' }, HOSTS, { members, from });
      });
      expect(bytes.length).toBeLessThan(65_536);
      messages += 1;
    }
    expect(messages).toBe(3);
  });

  test('survives random bytes', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), fc.constantFrom(HOSTS, NETS, NAMED, DISPATCH), (random, of) => {
        try {
          expect(Array.isArray(readElements(of, parseAttributeList(random)))).toBe(true);
        } catch (error) {
          expect(error).toBeInstanceOf(CalicoError);
        }
      }),
    );
  });
});
