import { readFileSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { describe, expect, test } from 'vitest';
import { missingEngine } from '../../lab/docker-engine.js';
import { type Example, examplesOf, isAsWritten } from '../docs/console-blocks.js';
import { useDocker } from '../setup/docker.js';

const PAGE = 'docs/docker/tutorial.md';

/** `UPDATE_EXAMPLES=1` writes what was seen into the page; put `…` where it varies. */
function rewrite(seen: readonly (readonly [Example, readonly string[]])[]): void {
  const lines = readFileSync(PAGE, 'utf8').split('\n');
  for (const [{ outputRange }, output] of seen.toReversed()) {
    lines.splice(outputRange[0], outputRange[1] - outputRange[0], ...output);
  }
  writeFileSync(PAGE, lines.join('\n'));
}

describe.skipIf(missingEngine('20.10') !== undefined)('the page about Docker', () => {
  const docker = useDocker({ generation: '20.10' });

  test('shows what its commands print', async () => {
    const unlike: (readonly [Example, readonly string[]])[] = [];
    for (const example of examplesOf(readFileSync(PAGE, 'utf8'))) {
      const host = docker().lab.host(example.place);
      const { stdout, status } = await host.exec(['bash', '-c', `exec 2>&1\n${example.command}`], {
        check: false,
        timeoutMs: 60_000,
        env: {
          CALICOCTL_NO_NOTES: '1',
          PATH: `${process.cwd()}/dist/bin:/usr/sbin:/usr/bin:/sbin:/bin:${dirname(process.execPath)}`,
        },
      });
      const lines = stdout === '' ? [] : stdout.replace(/\n$/, '').split('\n');
      const seen = status === 0 ? lines : [...lines, `(exit status ${status})`];
      if (!isAsWritten(example.output, seen)) unlike.push([example, seen]);
    }
    if (process.env['UPDATE_EXAMPLES'] === '1') rewrite(unlike);
    else
      for (const [{ output, command }, seen] of unlike) expect.soft(seen.join('\n'), command).toBe(output.join('\n'));
    expect(examplesOf(readFileSync(PAGE, 'utf8')).length).toBeGreaterThan(20);
  });
});
