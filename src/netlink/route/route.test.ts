import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { CalicoError } from '../../base/errors.js';
import { type Address, parseAddress } from '../../net/address.js';
import { parsePrefix } from '../../net/prefix.js';
import { encodeAttributes } from '../attributes.js';
import { completeRoute, decodeRoute, encodeRoute, formatRoute, type NewRoute, routeKey } from './route.js';

function bytesOf(route: NewRoute): Buffer {
  return encodeAttributes((writer) => encodeRoute(writer, route));
}

const V4_HOST: NewRoute = { destination: parsePrefix('192.0.2.7/32'), interfaceIndex: 5, protocol: 80 };

describe('encodeRoute()', () => {
  test('ip route add 192.0.2.7 dev #5 proto 80', () => {
    // rtmsg: AF_INET /32, table 254, proto 80, scope link, unicast; RTA_DST, RTA_OIF
    expect(bytesOf(V4_HOST).toString('hex')).toBe('02200000fe50fd0100000000' + '08000100c0000207' + '0800040005000000');
  });

  test('ip route add 192.0.2.64/26 via 198.51.100.2 dev #5 onlink metric 7 mtu 1400 table 1000 proto 80', () => {
    const route: NewRoute = {
      destination: parsePrefix('192.0.2.64/26'),
      gateway: parseAddress('198.51.100.2'),
      onlink: true,
      interfaceIndex: 5,
      protocol: 80,
      metric: 7,
      mtu: 1400,
      table: 1000,
    };
    // RTNH_F_ONLINK in the flags; RTA_DST, RTA_TABLE, RTA_PRIORITY, RTA_OIF, RTA_GATEWAY, RTA_METRICS { RTAX_MTU }
    expect(bytesOf(route).toString('hex')).toBe(
      '021a0000005000010400000008000100c000024008000f00e8030000080006000700000008000400050000000' +
        '8000500c63364020c0008800800020078050000',
    );
  });

  test('ip -6 route add blackhole 2001:db8::/64 proto 80', () => {
    // The metric that IPv6 means by none is written out: 1024.
    expect(
      bytesOf({ destination: parsePrefix('2001:db8::/64'), type: 'blackhole', protocol: 80 }).toString('hex'),
    ).toBe('0a400000fe50000600000000' + '1400010020010db8000000000000000000000000' + '0800060000040000');
  });

  test('ip route add default nexthop via 192.0.2.1 dev #5 nexthop via 192.0.2.2 dev #6 weight 3 onlink', () => {
    const route: NewRoute = {
      destination: parsePrefix('0.0.0.0/0'),
      nextHops: [
        { gateway: parseAddress('192.0.2.1'), interfaceIndex: 5, onlink: false, weight: 1 },
        { gateway: parseAddress('192.0.2.2'), interfaceIndex: 6, onlink: true, weight: 3 },
      ],
    };
    expect(bytesOf(route).toString('hex')).toBe(
      '02000000fe03000100000000' +
        '0800010000000000' +
        '24000900' +
        '1000000005000000' +
        '08000500c0000201' +
        '1000040206000000' +
        '08000500c0000202',
    );
  });
});

describe('decodeRoute()', () => {
  const address = (family: 4 | 6): fc.Arbitrary<Address> =>
    family === 4
      ? fc.nat(0xffffffff).map((value): Address => ({ family, value }))
      : fc
          .tuple(fc.nat(0xffffffff), fc.nat(0xffffffff), fc.nat(0xffffffff), fc.nat(0xffffffff))
          .map((words): Address => ({ family, words }));
  const route = fc.constantFrom(4 as const, 6 as const).chain((family) =>
    fc.record(
      {
        destination: fc.record({ address: address(family), length: fc.nat(family === 4 ? 32 : 128) }),
        table: fc.integer({ min: 1, max: 70_000 }),
        type: fc.constantFrom('unicast' as const, 'blackhole' as const, 'local' as const),
        protocol: fc.nat(255),
        metric: fc.nat(0xffffffff),
        interfaceIndex: fc.integer({ min: 1, max: 1_000_000 }),
        gateway: address(family),
        onlink: fc.boolean(),
        preferredSource: address(family),
        mtu: fc.nat(9000),
      },
      { requiredKeys: ['destination'] },
    ),
  );

  test('reads back what was written, completed', () => {
    fc.assert(
      fc.property(route, (wanted: NewRoute) => {
        expect(decodeRoute(bytesOf(wanted))).toEqual(completeRoute(wanted));
      }),
    );
  });

  test('completing twice changes nothing', () => {
    fc.assert(
      fc.property(route, (wanted: NewRoute) => {
        expect(completeRoute(completeRoute(wanted))).toEqual(completeRoute(wanted));
      }),
    );
  });

  test('passes over cached exceptions and other families', () => {
    const cloned = bytesOf(V4_HOST);
    cloned.writeUInt32LE(0x200, 8);
    expect(decodeRoute(cloned)).toBeUndefined();
    const mpls = bytesOf(V4_HOST);
    mpls.writeUInt8(28, 0);
    expect(decodeRoute(mpls)).toBeUndefined();
  });

  test('random bytes give a route, nothing, or a refusal', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 64 }), fc.constantFrom(2, 10), (bytes, family) => {
        try {
          const seen = decodeRoute(Buffer.from([family, ...bytes]));
          expect(seen === undefined || seen.destination.length <= 255).toBe(true);
        } catch (error) {
          expect(error).toBeInstanceOf(CalicoError);
        }
      }),
    );
  });
});

describe('completeRoute()', () => {
  test('fills in what the kernel fills in', () => {
    expect(completeRoute({ destination: parsePrefix('192.0.2.7/24'), interfaceIndex: 5 })).toEqual({
      destination: parsePrefix('192.0.2.0/24'),
      table: 254,
      type: 'unicast',
      protocol: 3,
      scope: 253,
      metric: 0,
      onlink: false,
      interfaceIndex: 5,
    });
    expect(completeRoute({ destination: parsePrefix('2001:db8::/64'), type: 'blackhole', interfaceIndex: 1 })).toEqual({
      destination: parsePrefix('2001:db8::/64'),
      table: 254,
      type: 'blackhole',
      protocol: 3,
      scope: 0,
      metric: 1024,
      onlink: false,
    });
  });
});

describe('routeKey() and formatRoute()', () => {
  test('are short and say what counts', () => {
    expect(routeKey({ destination: parsePrefix('2001:db8::7/128') })).toBe('254 2001:db8::7/128 metric 1024');
    expect(formatRoute({ ...V4_HOST, interfaceName: 'cali1' })).toBe('192.0.2.7/32 dev cali1 in table main');
    expect(formatRoute({ ...V4_HOST, gateway: parseAddress('198.51.100.1'), table: 10, type: 'unicast' })).toBe(
      '192.0.2.7/32 via 198.51.100.1 dev #5 in table 10',
    );
    expect(formatRoute({ destination: parsePrefix('192.0.2.0/26'), type: 'blackhole' })).toBe(
      'blackhole 192.0.2.0/26 in table main',
    );
  });
});
