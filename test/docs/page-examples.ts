import { readFileSync, writeFileSync } from 'node:fs';
import { expect } from 'vitest';
import { type Example, examplesOf, isAsWritten } from './console-blocks.js';

/** Runs an example where it says. */
export type Perform = (example: Example) => Promise<{ readonly stdout: string; readonly status: number | null }>;

/** The lines it printed; an exit status other than 0 as a last line. */
async function linesOf(perform: Perform, example: Example): Promise<readonly string[]> {
  const { stdout, status } = await perform(example);
  const lines = stdout === '' ? [] : stdout.replace(/\n$/, '').split('\n');
  return status === 0 ? lines : [...lines, `(exit status ${status})`];
}

function rewrite(page: string, seen: readonly (readonly [Example, readonly string[]])[]): void {
  const lines = readFileSync(page, 'utf8').split('\n');
  for (const [{ outputRange }, output] of seen.toReversed()) {
    lines.splice(outputRange[0], outputRange[1] - outputRange[0], ...output);
  }
  writeFileSync(page, lines.join('\n'));
}

/**
 * Runs the examples of a page, all of them, and expects each to print what stands there. `UPDATE_EXAMPLES=1` writes what was seen into
 * the page instead; put `…` where it varies.
 *
 * @returns how many there are
 */
export async function checkExamples(page: string, perform: Perform): Promise<number> {
  const examples = examplesOf(readFileSync(page, 'utf8'));
  const unlike: (readonly [Example, readonly string[]])[] = [];
  for (const example of examples) {
    const seen = await linesOf(perform, example);
    if (!isAsWritten(example.output, seen)) unlike.push([example, seen]);
  }
  if (process.env['UPDATE_EXAMPLES'] === '1') rewrite(page, unlike);
  else {
    for (const [{ line, place, command, output }, seen] of unlike) {
      expect.soft(seen.join('\n'), `${page}:${line}: ${place}$ ${command}`).toBe(output.join('\n'));
    }
    expect(unlike.map(([{ line }]) => line)).toEqual([]);
  }
  return examples.length;
}
