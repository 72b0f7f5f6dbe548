import { readFileSync, writeFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import type { DockerCluster } from '../../lab/docker-cluster.js';
import { missingEngine } from '../../lab/docker-engine.js';
import { type Example, examplesOf, isAsWritten } from '../docs/console-blocks.js';
import { useDocker } from '../setup/docker.js';

type Seen = readonly (readonly [Example, readonly string[]])[];

/** `UPDATE_EXAMPLES=1` writes what was seen into the page; put `…` where it varies. */
function rewrite(page: string, seen: Seen): void {
  const lines = readFileSync(page, 'utf8').split('\n');
  for (const [{ outputRange }, output] of seen.toReversed()) {
    lines.splice(outputRange[0], outputRange[1] - outputRange[0], ...output);
  }
  writeFileSync(page, lines.join('\n'));
}

/** Runs a page's examples where they say. @returns those that printed something else */
async function unlike(hosts: DockerCluster, page: string): Promise<Seen> {
  const found: (readonly [Example, readonly string[]])[] = [];
  for (const example of examplesOf(readFileSync(page, 'utf8'))) {
    const { stdout, status } = await hosts.typed(example.place, example.command);
    const lines = stdout === '' ? [] : stdout.replace(/\n$/, '').split('\n');
    const seen = status === 0 ? lines : [...lines, `(exit status ${status})`];
    if (!isAsWritten(example.output, seen)) found.push([example, seen]);
  }
  return found;
}

describe.each([
  ['docs/docker/tutorial.md', 25],
  ['docs/docker/questions.md', 15],
])('%s', (page, atLeast) => {
  describe.skipIf(missingEngine('20.10') !== undefined)('on an engine 20.10', () => {
    const docker = useDocker({ generation: '20.10', startsNodes: false });

    test('shows what its commands print', async () => {
      const found = await unlike(docker(), page);
      if (process.env['UPDATE_EXAMPLES'] === '1') rewrite(page, found);
      else
        for (const [{ output, command }, seen] of found) expect.soft(seen.join('\n'), command).toBe(output.join('\n'));
      expect(examplesOf(readFileSync(page, 'utf8')).length).toBeGreaterThan(atLeast);
    });
  });
});
