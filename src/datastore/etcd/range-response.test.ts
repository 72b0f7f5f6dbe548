import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { RangeResponse } from './generated/etcd.js';
import { decodeRangeResponse } from './range-response.js';

const int64 = fc.oneof(fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }), fc.bigInt({ min: 0n, max: 300n }));
const bytes = fc.uint8Array({ maxLength: 300 }).map((array) => Buffer.from(array));
const keyValue = fc.record({
  key: bytes,
  createRevision: int64,
  modRevision: int64,
  version: int64,
  value: bytes,
  lease: int64,
});
const response = fc.record({
  header: fc.option(fc.record({ clusterId: fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }), revision: int64 }), {
    nil: undefined,
  }),
  kvs: fc.array(keyValue, { maxLength: 5 }),
  more: fc.boolean(),
});

describe('decodeRangeResponse()', () => {
  test('reads what the generated reader reads', () => {
    fc.assert(
      fc.property(response, (message) => {
        const encoded = Buffer.from(RangeResponse.encode(message).finish());
        const { header, kvs, more } = RangeResponse.decode(encoded);
        const pairs = kvs.map(({ key, value, modRevision }) => ({ key, value, modRevision }));
        expect(decodeRangeResponse(encoded)).toEqual({ header, kvs: pairs, more });
      }),
    );
  });

  test('passes over fields it does not know', () => {
    // 7: a varint, 8: eight bytes, 9: text, 10: four bytes; then `more`.
    const unknown = Buffer.from('38ac02' + '410102030405060708' + '4a026869' + '5501020304' + '1801', 'hex');
    expect(decodeRangeResponse(unknown)).toEqual({ header: undefined, kvs: [], more: true });
  });

  test('throws rather than read behind the end', () => {
    const message = { header: { clusterId: 1n, revision: 300n }, kvs: [], more: true };
    const encoded = Buffer.from(RangeResponse.encode(message).finish());
    expect(() => decodeRangeResponse(encoded.subarray(0, 3))).toThrow('an answer ends within a field');
    expect(() => decodeRangeResponse(Buffer.from('1aff', 'hex'))).toThrow(/field/);
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 60 }), (junk) => {
        try {
          expect(decodeRangeResponse(Buffer.from(junk)).kvs.length).toBeLessThanOrEqual(30);
        } catch (error) {
          expect(String(error)).toMatch(/of an answer|an answer ends/);
        }
      }),
    );
  });
});
