import { describe, expect, test } from 'vitest';
import { lastSaid } from './engine-start.js';

describe('lastSaid()', () => {
  test('is what a program that crashed says of it, not its stack', () => {
    const lines = [
      'starting',
      'Error: no such file',
      '    at open (fs.js:1)',
      '  code: 1',
      '}',
      '',
      'Node.js v20.20.2',
    ];
    expect(lastSaid(lines)).toBe('Error: no such file');
  });

  test('is the last line otherwise, or nothing', () => {
    expect(lastSaid(['one', 'two'])).toBe('two');
    expect(lastSaid([''])).toBe('');
  });
});
