import { describe, expect, test } from 'vitest';
import { hashBase64Url, hashBytes, hashHex } from './hash.js';

describe('hashes', () => {
  test('give the published digests of "abc" (FIPS 180-4)', () => {
    expect(hashHex('sha1', 'abc')).toBe('a9993e364706816aba3e25717850c26c9cd0d89d');
    expect(hashHex('sha224', 'abc')).toBe('23097d223405d8228642a477bda255b32aadbce4bda0b3f7e36c9da7');
    expect(hashHex('sha256', Uint8Array.of(97, 98, 99))).toMatch(/^ba7816bf8f01cfea.*f20015ad$/);
  });

  test('agree among the three forms', () => {
    const bytes = hashBytes('sha224', 's:all()');
    expect(Buffer.from(bytes).toString('hex')).toBe(hashHex('sha224', 's:all()'));
    expect(Buffer.from(bytes).toString('base64url')).toBe(hashBase64Url('sha224', 's:all()'));
  });
});
