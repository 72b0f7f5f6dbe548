import { describe, expect, test } from 'vitest';
import type { Kind } from '../../api/registry.js';
import { kindRanges, type RangeScope } from './ranges.js';

function keys(kind: Kind, scope: RangeScope): string[] {
  return kindRanges(kind, scope).map(({ key }) => key.toString().replace('/calico/', ''));
}

describe('kindRanges()', () => {
  test('reads no more than those whose name begins as asked, where names end keys', () => {
    const endpoints = 'resources/v3/projectcalico.org/workloadendpoints';
    expect(keys('WorkloadEndpoint', { namespace: 'libnetwork', namePrefix: 'host-' })).toEqual([
      `${endpoints}/libnetwork/host-`,
    ]);
    expect(keys('IPPool', { namePrefix: 'off' })).toEqual(['resources/v3/projectcalico.org/ippools/off']);
    expect(keys('FelixStatus', { namePrefix: 'v1/' })).toEqual(['felix/v1/']);
    expect(keys('BlockAffinity', { namePrefix: 'host:calico-01/' })).toEqual(['ipam/v2/host/calico-01/']);
  });

  test('reads all where they do not, or the namespace is not said', () => {
    expect(keys('WorkloadEndpoint', { namePrefix: 'host-' })).toEqual([
      'resources/v3/projectcalico.org/workloadendpoints/',
    ]);
    expect(keys('IPAMBlock', { namePrefix: '192.168' })).toEqual(['ipam/v2/assignment/']);
    expect(keys('BlockAffinity', { namePrefix: 'host:calico-0' })).toEqual(['ipam/v2/host/', 'ipam/v2/virtual/']);
  });

  test('ends where the next beginning would start', () => {
    const [range] = kindRanges('IPPool', { namePrefix: 'off' });
    expect(range?.rangeEnd.toString()).toMatch(/ippools\/ofg$/);
  });
});
