import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { CalicoError } from '../../base/errors.js';
import { parseAddress } from '../../net/address.js';
import { parsePrefix } from '../../net/prefix.js';
import { encodeAttributes } from '../attributes.js';
import { decodeInterfaceAddress, encodeInterfaceAddress } from './address.js';
import { decodeLink, encodeNewLink } from './link.js';
import { decodeNeighbour, encodeNeighbour } from './neighbour.js';

describe('links', () => {
  test('ip link add cali0 mtu 1400 address 02:00:5e:00:53:07 type veth', () => {
    const bytes = encodeAttributes((w) =>
      encodeNewLink(w, { name: 'cali0', kind: 'veth', mtu: 1400, mac: '02:00:5e:00:53:07' }),
    );
    // ifinfomsg; IFLA_IFNAME, IFLA_ADDRESS, IFLA_MTU, IFLA_LINKINFO { IFLA_INFO_KIND }
    expect(bytes.toString('hex')).toBe(
      '00000000000000000000000000000000' +
        '0a00030063616c6930000000' +
        '0a00010002005e0053070000' +
        '0800040078050000' +
        '10001280' +
        '090001007665746800000000',
    );
  });

  test('refuses a name that the kernel would refuse or cut', () => {
    for (const name of ['', 'cali0123456789abc', 'a b', 'a/b', '..']) {
      expect(() => encodeAttributes((w) => encodeNewLink(w, { name, kind: 'veth' }))).toThrowError(
        /cannot name an interface/,
      );
    }
  });

  test('are running only with carrier and operational', () => {
    const link = (flags: number, state: number): Buffer =>
      encodeAttributes((w) => {
        w.header(16).writeUInt32LE(flags, 8);
        w.string(3, 'eth0')
          .u8(16, state)
          .s32(37, -1)
          .blob(1, Uint8Array.of(192, 0, 2, 1));
      });
    expect(decodeLink(link(0x10001, 6))).toEqual({ index: 0, name: 'eth0', mtu: 0, isUp: true, isRunning: true });
    expect(decodeLink(link(0x1, 2))).toMatchObject({ isUp: true, isRunning: false });
    expect(decodeLink(link(0x10001, 7))).toMatchObject({ isUp: true, isRunning: false });
    expect(decodeLink(link(0x10000, 6))).toMatchObject({ isUp: false, isRunning: false });
  });
});

describe('addresses', () => {
  test('ip -6 addr add 2001:db8::7/128 dev #5 nodad', () => {
    const bytes = encodeAttributes((w) =>
      encodeInterfaceAddress(w, { interfaceIndex: 5, prefix: parsePrefix('2001:db8::7/128'), noDad: true }),
    );
    // ifaddrmsg; IFA_LOCAL, IFA_ADDRESS, IFA_FLAGS
    expect(bytes.toString('hex')).toBe(
      '0a80000005000000' +
        '1400020020010db8000000000000000000000007' +
        '1400010020010db8000000000000000000000007' +
        '0800080002000000',
    );
    expect(decodeInterfaceAddress(bytes)).toEqual({
      interfaceIndex: 5,
      prefix: parsePrefix('2001:db8::7/128'),
      scope: 0,
      flags: 2,
    });
  });
});

describe('neighbours', () => {
  const neighbour = { interfaceIndex: 5, destination: parseAddress('192.0.2.7'), mac: '02:00:5e:00:53:07' };

  test('ip neigh replace 192.0.2.7 lladdr 02:00:5e:00:53:07 dev #5', () => {
    const bytes = encodeAttributes((w) => encodeNeighbour(w, neighbour));
    // ndmsg: AF_INET, index, NUD_PERMANENT; NDA_DST, NDA_LLADDR
    expect(bytes.toString('hex')).toBe('020000000500000080000000' + '08000100c0000207' + '0a00020002005e0053070000');
    expect(decodeNeighbour(bytes)).toEqual({ ...neighbour, state: 0x80, isProxy: false, isForwarding: false });
  });

  test('bridge fdb replace 02:00:5e:00:53:07 dst 192.0.2.7 dev #5 self', () => {
    const bytes = encodeAttributes((w) => encodeNeighbour(w, { ...neighbour, isForwarding: true }));
    // ndmsg: AF_BRIDGE, NTF_SELF
    expect(bytes.toString('hex')).toBe('070000000500000080000200' + '08000100c0000207' + '0a00020002005e0053070000');
    expect(decodeNeighbour(bytes)).toMatchObject({ isForwarding: true });
  });
});

describe('random bytes', () => {
  test('give an object, nothing, or a refusal', () => {
    const decoders = [decodeLink, decodeInterfaceAddress, decodeNeighbour];
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 64 }), fc.constantFrom(0, 2, 7, 10), (bytes, family) => {
        for (const decode of decoders) {
          try {
            expect(decode(Buffer.from([family, ...bytes])) === null).toBe(false);
          } catch (error) {
            expect(error).toBeInstanceOf(CalicoError);
          }
        }
      }),
    );
  });
});
