import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { lastSaid, requireFiles, STARTED_LINE, tellWarnings } from './engine-start.js';
import { readRunOptions } from './options.js';

describe('requireFiles()', () => {
  test('refuses what an engine would make a folder of', async () => {
    const directory = await mkdtemp(join(tmpdir(), 'calico-start-test-'));
    try {
      const there = join(directory, 'felix.cfg');
      await writeFile(there, '');
      const missing = join(directory, 'ca.crt');
      const require = (felixConfig: string, authority: string) =>
        requireFiles(
          readRunOptions({ arguments: [], options: { felixConfig } }, 'calico-01', { ETCD_CA_CERT_FILE: authority }),
        );
      await require(there, '');
      await expect(require(there, missing)).rejects.toThrow(
        `error executing command: ETCD_CA_CERT_FILE names "${missing}", which cannot be read: there is no such file`,
      );
      await expect(require(directory, '')).rejects.toThrow(
        `error executing command: --felix-config names "${directory}", which cannot be read: it is a directory`,
      );
    } finally {
      await rm(directory, { recursive: true });
    }
  });
});

describe('lastSaid()', () => {
  test('is what a program that crashed says of it, not its stack', () => {
    const lines = [
      'starting',
      'Error: no such file',
      '    at open (fs.js:1)',
      '  code: 1',
      '}',
      '',
      'Node.js v20.20.2',
    ];
    expect(lastSaid(lines)).toBe('Error: no such file');
  });

  test('is the last line otherwise, or nothing', () => {
    expect(lastSaid(['one', 'two'])).toBe('two');
    expect(lastSaid([''])).toBe('');
  });
});

describe('tellWarnings()', () => {
  test('repeats what the node warned of, in whatever order an engine tells', () => {
    const told: string[] = [];
    const lines = [
      STARTED_LINE,
      '2026-01-01 00:00:00.000 [INFO][1] node: updated node "calico-01"',
      '2026-01-01 00:00:00.001 [WARN][1] node: no interface of this host has the address 192.0.2.9',
    ];
    tellWarnings(lines, { tell: (text: string) => void told.push(text) });
    expect(told).toEqual(['warning: no interface of this host has the address 192.0.2.9']);
  });
});
