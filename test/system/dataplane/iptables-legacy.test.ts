import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { syncLegacyIptables } from '../../../src/dataplane/iptables-legacy.js';
import { allocateMarks } from '../../../src/dataplane/ruleset/marks.js';
import { DEFAULT_SETTINGS } from '../../../src/dataplane/settings.js';
import { CLONE_NEWNET } from '../../../src/sys/constants.js';
import { OwnedFd } from '../../../src/sys/fd.js';
import { setns, unshare } from '../../../src/sys/libc.js';

const MARKS = allocateMarks(DEFAULT_SETTINGS.markMask);

const sync = (settings = DEFAULT_SETTINGS): Promise<number> => syncLegacyIptables(settings, MARKS);
const saved = (): string => execFileSync('iptables-legacy-save', ['-t', 'filter'], { encoding: 'utf8' });

describe('syncLegacyIptables()', () => {
  let home: OwnedFd;

  // Its program runs in the namespace of this process: the file has the process to itself.
  beforeAll(() => {
    home = OwnedFd.open('/proc/thread-self/ns/net');
    expect(unshare(CLONE_NEWNET)).toBe(0);
  });

  afterAll(() => {
    expect(setns(home.number, CLONE_NEWNET)).toBe(0);
    home.close();
  });

  test('leaves a host alone that does not use it, joins one that does, and writes nothing twice', async () => {
    expect(await sync()).toBe(0);
    const names = '/proc/net/ip_tables_names';
    expect(existsSync(names) && readFileSync(names, 'utf8').includes('filter')).toBe(false);
    execFileSync('iptables-legacy', ['-A', 'FORWARD', '-s', '203.0.113.0/24', '-j', 'DROP']);
    expect(await sync()).toBe(5);
    expect(saved()).toMatch(
      /-A FORWARD -m mark --mark 0x10000\/0x10000 -j ACCEPT\n-A FORWARD -s 203.0.113.0\/24 -j DROP/,
    );
    expect(saved()).toContain('-A INPUT -i cali+ -m mark ! --mark 0x10000/0x10000 -j DROP');
    expect(await sync()).toBe(0);
    execFileSync('iptables-legacy', ['-F']);
    expect(await sync()).toBe(5);
    execFileSync('iptables-legacy', ['-F']);
    expect(await sync({ ...DEFAULT_SETTINGS, endpointToHostAction: 'return' })).toBe(4);
    expect(saved()).not.toMatch(/-A INPUT .*DROP/);
  });
});
