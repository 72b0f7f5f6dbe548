import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { explainBadLabelKey, explainBadSubdomain } from '../api/names.js';
import { poolName, profileName } from './network-name.js';

describe('profileName()', () => {
  test('is the name of the network where that can name a profile', () => {
    expect(profileName('net1')).toBe('net1');
    expect(profileName('front.office-2')).toBe('front.office-2');
  });

  test('keeps names apart that look alike in lower case', () => {
    expect(profileName('My_Net')).toMatch(/^my-net-[0-9a-f]{8}$/);
    expect(profileName('My_Net')).not.toBe(profileName('my_net'));
  });

  test('can always name a profile and a label', () => {
    const dockerName = fc.stringMatching(/^[a-zA-Z0-9][a-zA-Z0-9_.-]{0,200}$/);
    fc.assert(
      fc.property(dockerName, (name) => {
        const profile = profileName(name);
        expect(explainBadSubdomain(profile)).toBeUndefined();
        expect(explainBadLabelKey(profile)).toBeUndefined();
      }),
    );
  });
});

describe('poolName()', () => {
  test('is what pool add gives', () => {
    expect(poolName('192.168.50.0/24')).toBe('192-168-50-0-24');
    expect(explainBadSubdomain(poolName('fd80::/64'))).toBeUndefined();
    expect(explainBadSubdomain(poolName('::/64'))).toBeUndefined();
  });
});
