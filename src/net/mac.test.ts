import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { formatAddress } from './address.js';
import { HOST_SIDE_MAC, linkLocalAddress, macBytes, macFromBytes, parseMac, tryParseMac } from './mac.js';

describe('parseMac()', () => {
  test('gives lower case with colons', () => {
    expect(parseMac('02-00-5E-00-53-01')).toBe('02:00:5e:00:53:01');
  });

  test('refuses anything but six octets', () => {
    for (const text of ['', '02:00:5e:00:53', '02:00:5e:00:53:01:02', '2:0:5e:0:53:1', 'zz:00:5e:00:53:01']) {
      expect(tryParseMac(text)).toBeUndefined();
    }
    expect(() => parseMac('web')).toThrowError('"web" is not a MAC address: write six octets (02:00:5e:00:53:01)');
  });
});

describe('macBytes() and macFromBytes()', () => {
  test('are inverse', () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 6, maxLength: 6 }), (bytes) => {
        expect(macBytes(macFromBytes(bytes) ?? '')).toEqual(bytes);
      }),
    );
    expect(macFromBytes(new Uint8Array(4))).toBeUndefined();
  });
});

describe('linkLocalAddress()', () => {
  test('flips the universal bit and puts ff:fe in the middle', () => {
    expect(formatAddress(linkLocalAddress(HOST_SIDE_MAC))).toBe('fe80::ecee:eeff:feee:eeee');
    expect(formatAddress(linkLocalAddress('02:00:5e:00:53:01'))).toBe('fe80::5eff:fe00:5301');
  });
});
