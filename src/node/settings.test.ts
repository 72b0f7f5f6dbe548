import { describe, expect, test } from 'vitest';
import { formatError } from '../base/errors.js';
import { readNodeSettings } from './settings.js';

function refusal(environment: Record<string, string>): string {
  try {
    readNodeSettings(environment);
    return 'accepted';
  } catch (error) {
    return formatError(error).split('\n')[0] ?? '';
  }
}

describe('readNodeSettings()', () => {
  test('an empty environment gives the documented defaults', () => {
    const settings = readNodeSettings({});
    expect(settings).toMatchObject({
      networking: 'bird',
      checkDuplicateAddresses: true,
      createDefaultPools: true,
      useIpv6: true,
      pollIntervalMs: 60_000,
      runFelix: true,
    });
    expect(settings.asNumber).toBeUndefined();
    expect(settings.ipv4).toMatchObject({
      address: { type: 'keep' },
      method: { type: 'first-found' },
      pool: { blockSize: 26, ipipMode: 'Never', vxlanMode: 'Never', natOutgoing: true, nodeSelector: 'all()' },
    });
    expect(settings.ipv6.pool).toMatchObject({ blockSize: 122, natOutgoing: false });
  });

  test.each([
    ['1.10', 65_546],
    ['64512', 64_512],
  ])('reads AS %s', (text, number) => {
    expect(readNodeSettings({ AS: text }).asNumber).toBe(number);
  });

  test.each([
    ['no', false],
    ['F', false],
    ['', true],
    ['anything', true],
  ])('a truth that says "%s" is %s', (text, truth) => {
    expect(readNodeSettings({ CALICO_IPV6POOL_NAT_OUTGOING: text }).ipv6.pool.natOutgoing).toBe(truth);
  });

  test.each(['192.0.2.1', 'hash'])('reads router id %s', (text) => {
    expect(readNodeSettings({ CALICO_ROUTER_ID: text }).routerId).toBe(text);
  });

  test('refuses a router id that would say more to BIRD', () => {
    const text = '192.0.2.1; include "/etc/passwd"';
    expect(refusal({ CALICO_ROUTER_ID: text })).toBe(`CALICO_ROUTER_ID: "${text}" is not an IPv4 address`);
  });

  test('reads modes in any case, durations, and a CIDR with host bits', () => {
    const settings = readNodeSettings({
      CALICO_IPV4POOL_IPIP: 'CrossSubnet',
      CALICO_IPV4POOL_VXLAN: 'off',
      CALICO_IPV4POOL_CIDR: '10.1.2.3/16',
      AUTODETECT_POLL_INTERVAL: '1m30s',
    });
    expect(settings.ipv4.pool).toMatchObject({ ipipMode: 'CrossSubnet', vxlanMode: 'Never', cidr: '10.1.0.0/16' });
    expect(settings.pollIntervalMs).toBe(90_000);
  });

  test.each([
    [{ IP: '192.0.2.300' }, 'IP: "192.0.2.300" is not an IPv4 address'],
    [{ IP6: '192.0.2.1' }, 'IP6: "192.0.2.1" is not an IPv6 address'],
    [{ AS: '1.70000' }, 'AS: "1.70000" is not an AS number'],
    [{ CALICO_NETWORKING_BACKEND: 'gobgp' }, 'CALICO_NETWORKING_BACKEND: "gobgp" is not a backend'],
    [{ CALICO_IPV4POOL_BLOCK_SIZE: '19' }, 'CALICO_IPV4POOL_BLOCK_SIZE: "19" is not a number from 20 to 32'],
    [{ CALICO_IPV4POOL_IPIP: 'maybe' }, 'CALICO_IPV4POOL_IPIP: "maybe" is not a mode'],
    [{ CALICO_IPV6POOL_CIDR: '10.0.0.0/8' }, 'CALICO_IPV6POOL_CIDR: "10.0.0.0/8" is not an IPv6 CIDR'],
    [{ IP_AUTODETECTION_METHOD: 'guess' }, 'IP_AUTODETECTION_METHOD: "guess" is not a way to find an address'],
    [
      { NO_DEFAULT_POOLS: 'true', CALICO_IPV4POOL_CIDR: '10.0.0.0/8' },
      'NO_DEFAULT_POOLS: it is true, and CALICO_IPV4POOL_CIDR asks for a pool',
    ],
  ])('refuses %o, naming the variable', (environment, message) => {
    expect(refusal(environment as unknown as Record<string, string>)).toBe(message);
  });
});
