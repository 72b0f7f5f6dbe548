import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { LabCluster } from '../../lab/cluster.js';
import { labEnvironment, run } from '../../lab/processes.js';
import { oneSubnet } from '../../lab/topology.js';
import { useLab } from '../setup/lab.js';
import { type Example, examplesOf, isAsWritten } from './console-blocks.js';
import { buildScene } from './scene.js';

const lab = useLab(oneSubnet(2));
let cluster: LabCluster | undefined;

beforeAll(async () => {
  cluster = await buildScene(lab());
}, 120_000);

afterAll(async () => {
  await cluster?.[Symbol.asyncDispose]();
});

/** Everything it prints; an exit status other than 0 as a last line. */
async function perform({ place, command }: Example): Promise<string[]> {
  const where = /^[A-Z]$/.test(place) ? lab().workload(place) : lab().host(place);
  const script = where.command(['bash', '-c', `exec 2>&1\n${command}`]);
  const { stdout, status } = await run(script, { env: labEnvironment(), timeoutMs: 30_000 });
  const lines = stdout === '' ? [] : stdout.replace(/\n$/, '').split('\n');
  return status === 0 ? lines : [...lines, `(exit status ${status})`];
}

/** `UPDATE_EXAMPLES=1` writes what was seen into the file; put `…` where it varies. */
function rewrite(file: string, seen: ReadonlyMap<Example, readonly string[]>): void {
  const lines = readFileSync(file, 'utf8').split('\n');
  for (const [{ outputRange }, output] of [...seen].toReversed()) {
    lines.splice(outputRange[0], outputRange[1] - outputRange[0], ...output);
  }
  writeFileSync(file, lines.join('\n'));
}

const files = ['.', 'docs', 'lab']
  .flatMap((folder) => readdirSync(folder).map((name) => join(folder, name)))
  .filter((file) => file.endsWith('.md') && examplesOf(readFileSync(file, 'utf8')).length > 0);

describe('the examples of the papers', () => {
  test.each(files)(
    '%s shows what its commands print',
    async (file) => {
      const unlike = new Map<Example, readonly string[]>();
      for (const example of examplesOf(readFileSync(file, 'utf8'))) {
        const seen = await perform(example);
        if (isAsWritten(example.output, seen)) continue;
        unlike.set(example, seen);
        if (process.env['UPDATE_EXAMPLES'] === '1') continue;
        const title = `${file}:${example.line}: ${example.place}$ ${example.command}`;
        expect.soft(seen.join('\n'), title).toBe(example.output.join('\n'));
      }
      if (process.env['UPDATE_EXAMPLES'] === '1') {
        rewrite(file, unlike);
        unlike.clear();
      }
      expect([...unlike.keys()].map(({ line }) => line)).toEqual([]);
    },
    120_000,
  );
});
