import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type Address, addToAddress, compareAddresses, formatAddress, parseAddress } from './address.js';
import { coverRange } from './address-range.js';
import { addressInPrefix, formatPrefix } from './prefix.js';

const cover = (first: string, last: string) => coverRange(parseAddress(first), parseAddress(last)).map(formatPrefix);

describe('coverRange()', () => {
  test.each([
    ['192.168.0.0', '192.168.255.255', ['192.168.0.0/16']],
    ['10.0.0.1', '10.0.0.6', ['10.0.0.1/32', '10.0.0.2/31', '10.0.0.4/31', '10.0.0.6/32']],
    ['0.0.0.0', '255.255.255.255', ['0.0.0.0/0']],
    ['::', 'ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff', ['::/0']],
    ['2001:db8::', '2001:db8:0:1:ffff:ffff:ffff:ffff', ['2001:db8::/63']],
    ['10.0.0.2', '10.0.0.1', []],
  ])('%s to %s', (first, last, expected) => {
    expect(cover(first, last)).toEqual(expected);
  });

  test('holds exactly the range, each address once, and no two prefixes could be one', () => {
    const start = fc.constantFrom<Address>(...['10.0.0.0', '10.0.0.77', '2001:db8::ffff:ffa0'].map(parseAddress));
    fc.assert(
      fc.property(start, fc.nat(300), fc.nat(300), (base, skip, count) => {
        const first = addToAddress(base, skip);
        const last = addToAddress(first, count);
        const prefixes = coverRange(first, last);
        for (let offset = 0; offset <= skip + count + 50; offset += 1) {
          const address = addToAddress(base, offset);
          const holders = prefixes.filter((prefix) => addressInPrefix(address, prefix));
          const isInside = compareAddresses(address, first) >= 0 && compareAddresses(address, last) <= 0;
          expect(holders.length, formatAddress(address)).toBe(isInside ? 1 : 0);
        }
        expect(prefixes.length).toBeLessThanOrEqual(2 * Math.ceil(Math.log2(count + 2)));
      }),
      { numRuns: 50 },
    );
  });
});
