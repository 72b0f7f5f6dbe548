import fc from 'fast-check';
import { Address4, Address6 } from 'ip-address';
import { describe, expect, test } from 'vitest';
import {
  addressBytes,
  addressFromBytes,
  addToAddress,
  compareAddresses,
  formatAddress,
  parseAddress,
  tryParseAddress,
} from './address.js';
import {
  addressInPrefix,
  bareAddress,
  explainBadPrefix,
  canonicalPrefix,
  formatPrefix,
  isNetwork,
  networkOf,
  parsePrefix,
  prefixContains,
  prefixesOverlap,
  tryParsePrefix,
} from './prefix.js';

const ipv4Text = fc.ipV4();
const ipv6Text = fc.ipV6();
const anyText = fc.oneof(ipv4Text, ipv6Text);
const bytes = fc.oneof(fc.uint8Array({ minLength: 4, maxLength: 4 }), fc.uint8Array({ minLength: 16, maxLength: 16 }));
const address = bytes.map(addressFromBytes);
const prefix = fc
  .tuple(address, fc.nat({ max: 128 }))
  .map(([of, length]) => ({ address: of, length: of.family === 4 ? length % 33 : length }));

/** The same question to another implementation. */
function reference(text: string): string | undefined {
  if (Address4.isValid(text) && !text.includes('/')) return new Address4(text).correctForm();
  if (!Address6.isValid(text) || /[/%]/.test(text)) return undefined;
  return new Address6(text).correctForm();
}

describe('tryParseAddress()', () => {
  test('reads and prints what another implementation does', () => {
    fc.assert(
      fc.property(anyText, (text) => {
        const parsed = tryParseAddress(text);
        expect(parsed === undefined ? undefined : formatAddress(parsed)).toBe(reference(text));
      }),
    );
  });

  test.each([
    '',
    '1.2.3',
    '1.2.3.4.5',
    '010.0.0.1',
    '256.0.0.1',
    '0x7f.1',
    '1.2.3.4/8',
    ':',
    ':::',
    '1::2::3',
    'fe80::1%eth0',
    '12345::',
    '::1.2.3',
  ])('refuses "%s"', (text) => {
    expect(tryParseAddress(text)).toBeUndefined();
  });

  test('survives any text', () => {
    fc.assert(
      fc.property(fc.string(), (text) => {
        const parsed = tryParseAddress(text);
        expect(parsed === undefined || parseAddress(formatAddress(parsed)).family === parsed.family).toBe(true);
      }),
    );
  });
});

describe('addresses', () => {
  test('are their bytes', () => {
    fc.assert(
      fc.property(bytes, (raw) => {
        expect([...addressBytes(addressFromBytes(raw))]).toEqual([...raw]);
      }),
    );
  });

  test('are ordered as their bytes are', () => {
    fc.assert(
      fc.property(bytes, bytes, (a, b) => {
        const order = a.length - b.length || Buffer.compare(a, b);
        expect(Math.sign(compareAddresses(addressFromBytes(a), addressFromBytes(b)))).toBe(Math.sign(order));
      }),
    );
  });

  test('are counted on, and wrap at the end', () => {
    expect(formatAddress(addToAddress(parseAddress('255.255.255.255'), 2))).toBe('0.0.0.1');
    expect(formatAddress(addToAddress(parseAddress('2001:db8::ffff:ffff:ffff'), 1))).toBe('2001:db8:0:0:1::');
  });
});

describe('prefixes', () => {
  test('are printed as they are read', () => {
    fc.assert(
      fc.property(prefix, (some) => {
        expect(tryParsePrefix(formatPrefix(some))).toEqual(some);
      }),
    );
  });

  test('hold what shares their first bits', () => {
    fc.assert(
      fc.property(prefix, address, (some, other) => {
        const [ours, theirs] = [some.address, other].map((each) =>
          [...addressBytes(each)]
            .map((byte) => byte.toString(2).padStart(8, '0'))
            .join('')
            .slice(0, some.length),
        );
        expect(addressInPrefix(other, some)).toBe(other.family === some.address.family && ours === theirs);
      }),
    );
  });

  test('overlap when one holds the other', () => {
    fc.assert(
      fc.property(prefix, prefix, (a, b) => {
        expect(prefixesOverlap(a, b)).toBe(prefixContains(a, b) || prefixContains(b, a));
        expect(prefixContains(networkOf(a), a)).toBe(true);
        expect(isNetwork(networkOf(a))).toBe(true);
      }),
    );
  });

  test.each([
    ['10.0.0.0/33', 'the prefix is at most 32'],
    ['10.0.0.0/x', '"x" is not a prefix length'],
    ['10.0.0.0/8/8', 'it has more than one "/"'],
    ['10.0.0/8', '"10.0.0" is not an IP address'],
    ['10.0.0.1/8', undefined],
  ])('%s: %s', (text, why) => {
    expect(explainBadPrefix(text)).toBe(why);
    expect(tryParsePrefix(text) === undefined).toBe(why !== undefined);
  });

  test('have an address without their length', () => {
    expect(['192.0.2.7/24', '2001:DB8::0:1/128', '192.0.2.7'].map(bareAddress)).toEqual([
      '192.0.2.7',
      '2001:db8::1',
      '192.0.2.7',
    ]);
    expect(['', '192.0.2', '192.0.2.7/33'].map(bareAddress)).toEqual([undefined, undefined, undefined]);
  });

  test('a bare address is one of full length', () => {
    expect(formatPrefix(parsePrefix('192.0.2.7'))).toBe('192.0.2.7/32');
    expect(canonicalPrefix('2001:DB8:0::7')).toBe('2001:db8::7/128');
    expect(canonicalPrefix('anywhere')).toBe('anywhere');
    expect(() => parsePrefix('192.0.2.7/99')).toThrow('"192.0.2.7/99" is not a CIDR: the prefix is at most 32');
  });
});
