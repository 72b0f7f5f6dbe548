import fs from 'node:fs';
import { describe, expect, test } from 'vitest';
import { AF_NETLINK, MSG_DONTWAIT, SOCK_RAW } from './constants.js';
import { EAGAIN } from './errno.js';
import { OwnedFd } from './fd.js';
import { recv, send, socket } from './libc.js';
import { readSysctl, writeSysctl } from './sysctl.js';

describe('libc', () => {
  test('a failed call is a negated errno, not an exception', () => {
    using fd = OwnedFd.adopt(socket(AF_NETLINK, SOCK_RAW, 0), 'open a socket');
    expect(recv(fd.number, Buffer.alloc(8), MSG_DONTWAIT)).toBe(-EAGAIN);
    expect(socket(AF_NETLINK, SOCK_RAW, 31)).toBeLessThan(0);
  });

  test('what is no descriptor or no integer never reaches the kernel', () => {
    expect(() => recv(-1, Buffer.alloc(8), 0)).toThrowError(RangeError);
    expect(() => send(1.5, Buffer.alloc(8), 0)).toThrowError(RangeError);
    expect(() => socket(AF_NETLINK, SOCK_RAW, 0.5)).toThrowError(RangeError);
  });
});

describe('OwnedFd', () => {
  test('closes once and refuses to be used afterwards', () => {
    const fd = OwnedFd.open('/proc/self/status');
    const path = `/proc/self/fd/${fd.number}`;
    expect(fs.existsSync(path)).toBe(true);
    fd.close();
    fd.close();
    expect(fd.isClosed).toBe(true);
    expect(() => fd.number).toThrowError('file descriptor used after it was closed');
  });

  test('says what could not be opened', () => {
    expect(() => OwnedFd.open('/proc/self/none')).toThrowError('cannot open /proc/self/none: ENOENT');
    expect(() => OwnedFd.adopt(-24, 'open a socket')).toThrowError('cannot open a socket: EMFILE');
  });
});

describe('sysctls', () => {
  test('are read without the newline; a name that climbs out of /proc/sys is refused', () => {
    expect(readSysctl('kernel/ostype')).toBe('Linux');
    expect(() => readSysctl('../../etc/hostname')).toThrowError('"../../etc/hostname" is not a sysctl name');
    expect(() => readSysctl('net/none')).toThrowError('cannot read /proc/sys/net/none: ENOENT');
  });

  test('are not written when they have the value already', () => {
    // Read-only for everybody: a write would fail.
    expect(() => writeSysctl('kernel/ostype', 'Linux')).not.toThrow();
    expect(() => writeSysctl('kernel/ostype', 'Other')).toThrowError(
      /^cannot write Other to \/proc\/sys\/kernel\/ostype: E/,
    );
  });
});
