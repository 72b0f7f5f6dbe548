import { afterAll, afterEach, beforeAll } from 'vitest';
import { Lab } from '../../lab/lab.js';
import { startCapture } from '../../lab/evidence.js';
import type { Topology } from '../../lab/topology.js';

/**
 * A lab for the tests of one file: up before the first, down after the last. A test that fails leaves captures, rulesets, routes and
 * logs of every host in `test-output/<test>/`.
 */
export function useLab(topology: Topology): () => Lab {
  let lab: Lab | undefined;
  beforeAll(async () => {
    lab = await Lab.start(topology);
    await Promise.all(lab.hosts.map(startCapture));
  });
  afterEach(async ({ task }) => {
    if (task.result?.state !== 'fail') return;
    await lab?.collect(`test-output/${task.name.replace(/[^A-Za-z0-9]+/g, '-').slice(0, 100)}`);
  });
  afterAll(async () => {
    await lab?.stop();
  });
  return () => {
    if (lab === undefined) throw new Error('the lab is not up: use it inside a test or a later hook');
    return lab;
  };
}
