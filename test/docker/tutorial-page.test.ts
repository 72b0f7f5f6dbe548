import { describe, expect, test } from 'vitest';
import { missingEngine } from '../../lab/docker-engine.js';
import { checkExamples } from '../docs/page-examples.js';
import { useDocker } from '../setup/docker.js';

describe.each([
  ['docs/docker/tutorial.md', 25],
  ['docs/docker/questions.md', 15],
])('%s', (page, atLeast) => {
  describe.skipIf(missingEngine('20.10') !== undefined)('on an engine 20.10', () => {
    const docker = useDocker({ generation: '20.10', startsNodes: false });

    test('shows what its commands print', async () => {
      const count = await checkExamples(page, ({ place, command }) => docker().typed(place, command));
      expect(count).toBeGreaterThan(atLeast);
    });
  });
});
