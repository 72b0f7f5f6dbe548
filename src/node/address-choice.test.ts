import { describe, expect, test } from 'vitest';
import { formatPrefix, parsePrefix } from '../net/prefix.js';
import { chooseAddress, type HostInterface, ownInterfaces } from './address-choice.js';
import { parseDetectionMethod } from './detection-method.js';

const nic = (name: string, ...addresses: string[]): HostInterface => ({ name, addresses: addresses.map(parsePrefix) });

const host = [
  nic('lo', '127.0.0.1/8', '::1/128'),
  nic('eth0', '192.0.2.10/24', 'fe80::1/64', '2001:db8::10/64'),
  nic('eth1', '169.254.7.7/16', '198.51.100.10/25'),
  nic('docker0', '172.17.0.1/16'),
  nic('ibmveth0'),
  nic('cali0123', '203.0.113.1/32'),
];

function choose(method: string, family: 4 | 6 = 4, source?: string): string | undefined {
  const found = chooseAddress(parseDetectionMethod('IP_AUTODETECTION_METHOD', method), family, host, source);
  return found === undefined ? undefined : formatPrefix(found);
}

describe('chooseAddress()', () => {
  test.each([
    ['first-found', '198.51.100.10/25', 'looks from the last interface to the first, past link-local and foreign ones'],
    ['interface=eth0', '192.0.2.10/24', 'takes the interface named'],
    ['interface=docker.*, nothing', '172.17.0.1/16', 'excludes nothing from what is named'],
    ['skip-interface=eth1', '192.0.2.10/24', 'leaves out what is named, besides the usual'],
    ['cidr=10.0.0.0/8, 172.16.0.0/12', '172.17.0.1/16', 'takes the first inside a CIDR'],
  ])('%s gives %s: %s', (method, address) => {
    expect(choose(method)).toBe(address);
  });

  test('takes the address that reaches the destination, with the length of its interface', () => {
    expect(choose('can-reach=192.0.2.1', 4, '192.0.2.10')).toBe('192.0.2.10/24');
    expect(choose('can-reach=192.0.2.1', 4, '192.0.2.11')).toBeUndefined();
    expect(choose('can-reach=nowhere')).toBeUndefined();
  });

  test('takes no link-local IPv6 address', () => {
    expect(choose('first-found', 6)).toBe('2001:db8::10/64');
    expect(choose('interface=eth1', 6)).toBeUndefined();
  });
});

describe('ownInterfaces()', () => {
  test('leaves out what is not the host’s, and what has no address', () => {
    expect(ownInterfaces(host).map(({ name }) => name)).toEqual(['eth0', 'eth1']);
  });
});
