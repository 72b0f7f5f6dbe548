import { describe, expect, test } from 'vitest';
import { systemClock } from '../base/clock.js';
import { Progress } from './progress.js';

function setUp(isTerminal: boolean, total?: number) {
  let nowMs = 0;
  const said: string[] = [];
  const clock = { ...systemClock, monotonicMs: () => nowMs };
  const context = {
    stderr: (text: string) => void said.push(text),
    terminals: { stdout: false, stderr: isTerminal },
  };
  const progress = new Progress(context, 'addresses checked', total, clock);
  return { said, progress, at: (ms: number) => (nowMs = ms) };
}

describe('Progress', () => {
  test('says nothing of work that is done within a second', () => {
    const { said, progress, at } = setUp(true, 10);
    at(999);
    progress.step(10);
    progress.end();
    expect(said).toEqual([]);
  });

  test('writes over one line of a terminal, and takes it away', () => {
    const { said, progress, at } = setUp(true, 200);
    at(1000);
    progress.step(50);
    at(1050);
    progress.step();
    at(1100);
    progress.step(49);
    progress.end();
    progress.end();
    expect(said).toEqual([
      '\r\u001b[Kaddresses checked: 50 of 200 (25%)',
      '\r\u001b[Kaddresses checked: 100 of 200 (50%)',
      '\r\u001b[K',
    ]);
  });

  test('writes a line every five seconds elsewhere', () => {
    const { said, progress, at } = setUp(false);
    for (let second = 1; second <= 12; second += 1) {
      at(second * 1000);
      progress.step();
    }
    progress.end();
    expect(said).toEqual(['addresses checked: 5\n', 'addresses checked: 10\n']);
  });
});
