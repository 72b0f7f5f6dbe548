import { chmod, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import type { Context } from '../command.js';
import { clusterDiags } from './cluster-diags.js';

let directory: string;

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'calico-kubectl-test-'));
});

afterEach(async () => {
  vi.unstubAllEnvs();
  await rm(directory, { recursive: true, force: true });
});

const OPTIONS = { maxLogs: 1, maxParallelism: 1, focusNodes: [], keepsFolder: false };

/** A kubectl that is a shell script. */
async function collect(script: string, signal: AbortSignal) {
  await writeFile(join(directory, 'kubectl'), `#!/bin/sh\n${script}\n`);
  await chmod(join(directory, 'kubectl'), 0o755);
  vi.stubEnv('PATH', `${directory}:${process.env['PATH'] ?? ''}`);
  return clusterDiags({ signal, print: () => undefined, tell: () => undefined } as unknown as Context, OPTIONS);
}

describe('calicoctl cluster diags', () => {
  test.each([
    ['the first question', 'exec tail -f /dev/null'],
    ['the names of the resources', 'case "$1" in api-resources) exec tail -f /dev/null;; esac'],
  ])('ends with Ctrl-C while kubectl does not answer %s', async (_, script) => {
    const enough = new AbortController();
    const ends = collect(`echo "$$" >> ${directory}/started; ${script}`, enough.signal);
    const refusal = expect(ends).rejects.toThrow(/^cannot run "kubectl": interrupted$/);
    const number = script.startsWith('case') ? 2 : 1;
    await vi.waitFor(async () => {
      const started = (await readFile(join(directory, 'started'), 'utf8')).trim().split('\n');
      if (started.length < number) throw new Error(`started ${started.length} of ${number}`);
    });
    enough.abort();
    await refusal;
  });
});
