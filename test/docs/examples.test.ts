import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { LabCluster } from '../../lab/cluster.js';
import { labEnvironment, run } from '../../lab/processes.js';
import { oneSubnet } from '../../lab/topology.js';
import { useLab } from '../setup/lab.js';
import { examplesOf } from './console-blocks.js';
import { checkExamples, type Perform } from './page-examples.js';
import { buildScene } from './scene.js';

const lab = useLab(oneSubnet(2));
let cluster: LabCluster | undefined;

beforeAll(async () => {
  cluster = await buildScene(lab());
}, 120_000);

afterAll(async () => {
  await cluster?.[Symbol.asyncDispose]();
});

const perform: Perform = ({ place, command }) => {
  const where = /^[A-Z]$/.test(place) ? lab().workload(place) : lab().host(place);
  const script = where.command(['bash', '-c', `exec 2>&1\n${command}`]);
  return run(script, { env: labEnvironment(), timeoutMs: 30_000 });
};

const files = ['.', 'docs', 'lab']
  .flatMap((folder) => readdirSync(folder).map((name) => join(folder, name)))
  .filter((file) => file.endsWith('.md') && examplesOf(readFileSync(file, 'utf8')).length > 0);

describe('the examples of the papers', () => {
  test.each(files)(
    '%s shows what its commands print',
    async (file) => {
      expect(await checkExamples(file, perform)).toBeGreaterThan(0);
    },
    120_000,
  );
});
