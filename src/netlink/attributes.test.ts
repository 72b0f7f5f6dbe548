import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { CalicoError } from '../base/errors.js';
import { parseAddress } from '../net/address.js';
import { Attributes, AttributeWriter, encodeAttributes, parseAttributeList } from './attributes.js';

function hex(body: (writer: AttributeWriter) => void): string {
  return encodeAttributes(body).toString('hex');
}

describe('AttributeWriter', () => {
  test('pads each attribute to four bytes with zeros', () => {
    expect(hex((w) => w.u8(1, 7).u16(2, 0x1234))).toBe('0500010007000000' + '0600020034120000');
    expect(hex((w) => w.string(3, 'eth0').flag(4))).toBe('09000300' + '6574683000000000' + '04000400');
  });

  test('writes host order unless told otherwise', () => {
    expect(hex((w) => w.u32(1, 1).u32BE(1, 1))).toBe('0800010001000000' + '0800010000000001');
    expect(hex((w) => w.u64(1, 2n).u64BE(1, 2n))).toBe('0c0001000200000000000000' + '0c0001000000000000000002');
    expect(hex((w) => w.s32(1, -1).u16BE(2, 80))).toBe('08000100ffffffff' + '0600020000500000');
    expect(hex((w) => w.address(1, parseAddress('192.0.2.7')))).toBe('08000100c0000207');
  });

  test('nests, and knows the length of what is inside', () => {
    expect(hex((w) => w.nest(18, (info) => info.string(1, 'veth')))).toBe('10001280' + '090001007665746800000000');
    expect(hex((w) => w.nestPlain(9, () => undefined))).toBe('04000900');
  });

  test('refuses what does not fit', () => {
    expect(() => encodeAttributes((w) => w.u8(1, 256))).toThrowError(RangeError);
    expect(() => encodeAttributes((w) => w.blob(1, new Uint8Array(65_532)))).toThrowError(
      'attribute 1 has 65532 bytes',
    );
    const tooMuch = (w: AttributeWriter): unknown =>
      w.nest(2, (inner) => inner.blob(1, new Uint8Array(40_000)).blob(1, new Uint8Array(40_000)));
    expect(() => encodeAttributes(tooMuch)).toThrowError(/nested attribute 2 has 80012 bytes/);
    expect(() => new AttributeWriter().patchU32(0, 1)).toThrowError(RangeError);
  });

  test('grows, and can be used again', () => {
    const writer = new AttributeWriter(4);
    for (let i = 0; i < 1000; i += 1) writer.u32(1, i);
    expect(writer.length).toBe(8000);
    expect(parseAttributeList(writer.bytes()).map(({ payload }) => payload.readUInt32LE(0))).toEqual([
      ...Array(1000).keys(),
    ]);
    writer.clear();
    expect(writer.u8(1, 1).bytes().toString('hex')).toBe('0500010001000000');
  });
});

describe('Attributes', () => {
  test('reads what was written', () => {
    fc.assert(
      fc.property(fc.nat(0xff), fc.nat(0xffff), fc.nat(0xffffffff), fc.bigInt(0n, 2n ** 64n - 1n), (a, b, c, d) => {
        const attributes = new Attributes(
          encodeAttributes((w) =>
            w
              .u8(1, a)
              .u16(2, b)
              .u16BE(3, b)
              .u32(4, c)
              .u32BE(5, c)
              .u64(6, d)
              .u64BE(7, d)
              .nest(8, (n) => n.u32(1, c)),
          ),
        );
        const { u8, u16, u32, u64 } = {
          u8: attributes.u8(1),
          u16: attributes.u16(2),
          u32: attributes.u32(4),
          u64: attributes.u64(6),
        };
        expect([u8, u16, u32, u64]).toEqual([a, b, c, d]);
        expect([attributes.u16BE(3), attributes.u32BE(5), attributes.u64BE(7)]).toEqual([b, c, d]);
        expect(attributes.nested(8)?.u32(1)).toBe(c);
      }),
    );
  });

  test('gives undefined for what is absent and takes the last of duplicates', () => {
    const attributes = new Attributes(encodeAttributes((w) => w.u32(1, 1).u32(1, 2).string(2, 'web')));
    expect([attributes.u32(1), attributes.u32(9), attributes.string(2), attributes.nested(9)]).toEqual([
      2,
      undefined,
      'web',
      undefined,
    ]);
    expect([attributes.has(2), attributes.types(), attributes.list(9)]).toEqual([true, [1, 2], []]);
  });

  test('refuses a wrong length', () => {
    const attributes = new Attributes(encodeAttributes((w) => w.u16(1, 1)));
    expect(() => attributes.u32(1)).toThrowError('malformed netlink data: attribute 1 has 2 bytes, not 4');
    expect(() => attributes.address(1)).toThrowError('an address has 2 bytes');
  });
});

describe('parseAttributeList()', () => {
  test('refuses lengths that reach outside, and bytes left over', () => {
    expect(() => parseAttributeList(Buffer.from('08000100', 'hex'))).toThrowError(
      'attribute 1 says 8 bytes, 4 are left',
    );
    expect(() => parseAttributeList(Buffer.from('03000100', 'hex'))).toThrowError(
      'attribute 1 says 3 bytes, 4 are left',
    );
    expect(() => parseAttributeList(Buffer.from('0400010000', 'hex'))).toThrowError('1 bytes after the last attribute');
    expect(parseAttributeList(Buffer.from('0500010007', 'hex'))).toHaveLength(1);
  });

  test('random bytes give attributes or a refusal, never anything else', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 64 }), (bytes) => {
        try {
          expect(parseAttributeList(bytes).every(({ payload }) => payload.length <= bytes.length)).toBe(true);
        } catch (error) {
          expect(error).toBeInstanceOf(CalicoError);
        }
      }),
    );
  });
});
