import { describe, expect, test } from 'vitest';
import { missingCapabilities, privilegesWithout } from './capabilities.js';

describe('missingCapabilities()', () => {
  test.each<readonly [string, readonly string[]]>([
    ['CapBnd:\t000001ffffffffff\n', []],
    ['CapEff:\t0\nCapBnd:\t000001fffeffffff\n', ['SYS_RESOURCE']],
    ['CapBnd:\t000001fffeffeffe\n', ['CHOWN', 'NET_ADMIN', 'SYS_RESOURCE']],
    ['no such line', []],
  ])('%j lacks %j', (status, missing) => {
    expect(missingCapabilities(status, 40)).toEqual(missing);
  });

  test('a kernel that does not know one does not miss it', () => {
    expect(missingCapabilities('CapBnd:\t0000003fffffffff\n', 37)).toEqual([]);
  });
});

describe('privilegesWithout()', () => {
  test('asks for everything else', () => {
    expect(privilegesWithout(['SYS_RESOURCE'])).toEqual([
      '--cap-add=ALL',
      '--cap-drop=SYS_RESOURCE',
      '--security-opt=seccomp=unconfined',
      '--security-opt=apparmor=unconfined',
      '--security-opt=systempaths=unconfined',
    ]);
  });
});
