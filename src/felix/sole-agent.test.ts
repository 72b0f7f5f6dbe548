import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { SoleAgent } from './sole-agent.js';

let folder: string;
let path: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'calico-sole-'));
  path = join(folder, 'run/felix.sock');
});

afterEach(() => {
  rmSync(folder, { recursive: true });
});

describe('SoleAgent', () => {
  test('there is one a host, and the second is told who the first is', async () => {
    const first = await SoleAgent.claim('calico-node', path);
    expect(statSync(path).mode & 0o777).toBe(0o600);
    await expect(SoleAgent.claim('calico-felix', path)).rejects.toThrow(
      `calico-node (pid ${process.pid}) programs this host already`,
    );
    await first[Symbol.asyncDispose]();
    await using second = await SoleAgent.claim('calico-felix', path);
    expect(second).toBeInstanceOf(SoleAgent);
  });

  test('what a killed one left is no agent', async () => {
    await using first = await SoleAgent.claim('calico-node', path);
    await first[Symbol.asyncDispose]();
    writeFileSync(path, '');
    await using second = await SoleAgent.claim('calico-felix', path);
    expect(second).toBeInstanceOf(SoleAgent);
  });
});
