import os from 'node:os';
import { describe, expect, test } from 'vitest';
import { EPERM, errnoName, systemCallError } from './errno.js';

describe('errnoName()', () => {
  test('agrees with Node for every errno Node knows', () => {
    const names = Object.entries(os.constants.errno).filter(([name]) => name !== 'EWOULDBLOCK' && name !== 'ENOTSUP');
    expect(names.length).toBeGreaterThan(70);
    for (const [name, errno] of names) expect(errnoName(errno)).toBe(name);
  });

  test('has a name for what no header names', () => {
    expect([errnoName(41), errnoName(524), errnoName(9999)]).toEqual(['ERRNO_41', 'ENOTSUPP', 'ERRNO_9999']);
  });
});

describe('systemCallError()', () => {
  test('says what was attempted, and for EPERM what it takes', () => {
    const error = systemCallError('enter a network namespace', EPERM);
    expect([error.message, error.hint]).toEqual([
      'cannot enter a network namespace: EPERM',
      'run as root, or with CAP_NET_ADMIN and CAP_SYS_ADMIN',
    ]);
  });
});
