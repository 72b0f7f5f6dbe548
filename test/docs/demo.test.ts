import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { labEnvironment, run } from '../../lab/processes.js';
import { isAsWritten } from './console-blocks.js';

test('the demo goes well, and prints what README.md shows of it', { timeout: 180_000 }, async () => {
  const { stdout, stderr, status } = await run([process.execPath, 'dist/lab/demo.js'], {
    env: labEnvironment(),
    timeoutMs: 150_000,
  });
  expect(status, stdout + stderr).toBe(0);
  const [, shown = ''] = /```demo\n([^]*?)\n```/.exec(readFileSync('README.md', 'utf8')) ?? [];
  const seen = stdout.trim().split('\n');
  const isShown = isAsWritten(shown.split('\n'), seen);
  // The assertion on the text is there for its difference.
  if (!isShown) expect(seen.join('\n')).toBe(shown);
  expect(isShown).toBe(true);
});
