import { describe, expect, test } from 'vitest';
import { endpointInterfaceName, isInterfaceName, podInterfaceName } from './interface-name.js';

describe('endpointInterfaceName()', () => {
  test('takes the first eleven characters of the id', () => {
    expect(endpointInterfaceName('d1f2c3b4a5968778695a4b3c2d1e0f00')).toBe('calid1f2c3b4a59');
    expect(endpointInterfaceName('d1f2c3b4-a596-8778-695a-4b3c2d1e0f00')).toBe('calid1f2c3b4a59');
  });

  test('refuses an id of which no name comes', () => {
    expect(() => endpointInterfaceName('a/b')).toThrowError(
      '"a/b" is not an endpoint id: no interface name comes of it',
    );
  });
});

describe('podInterfaceName()', () => {
  test('hashes namespace and pod', () => {
    // printf shop.web-1 | sha1sum
    expect(podInterfaceName('shop', 'web-1')).toBe('cali751425ce827');
    expect(podInterfaceName('shop', 'web-1')).not.toBe(podInterfaceName('shop', 'web-2'));
    expect(podInterfaceName('shop', 'web-1', 'tap')).toBe(podInterfaceName('shop', 'web-1').replace('cali', 'tap'));
  });
});

describe('isInterfaceName()', () => {
  test('knows the kernel limits', () => {
    expect(['cali0123456789a', 'eth0.100'].every(isInterfaceName)).toBe(true);
    expect(['', '.', '..', 'a b', 'a/b', 'a:b', 'cali0123456789ab'].some(isInterfaceName)).toBe(false);
  });
});
