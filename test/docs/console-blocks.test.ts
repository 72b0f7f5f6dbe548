import { describe, expect, test } from 'vitest';
import { examplesOf, isAsWritten } from './console-blocks.js';

describe('examplesOf()', () => {
  test('finds place, command and output, and leaves other blocks alone', () => {
    const text = ['```sh', 'calico-01$ no', '```', '```console', 'calico-01$ ip route', 'default …', 'A$ true', '```'];
    expect(examplesOf(text.join('\n'))).toEqual([
      { line: 5, place: 'calico-01', command: 'ip route', output: ['default …'], outputRange: [5, 6] },
      { line: 7, place: 'A', command: 'true', output: [], outputRange: [7, 7] },
    ]);
  });

  test('takes here documents and continued lines for part of the command', () => {
    const text = ['```console', "A$ cat <<'END'", 'x', 'END', 'x', 'A$ echo \\', '  y', 'y', '```'];
    expect(examplesOf(text.join('\n')).map(({ command, output }) => [command, output])).toEqual([
      ["cat <<'END'\nx\nEND", ['x']],
      ['echo \\\n  y', ['y']],
    ]);
  });

  test('refuses output that no command printed', () => {
    expect(() => examplesOf('```console\nhello\n```')).toThrow('line 2: a console block goes on with a prompt');
  });
});

describe('isAsWritten()', () => {
  test('lets … stand for part of a line, or for whole lines, and widths vary', () => {
    expect(isAsWritten(['a … c', '…', 'z'], ['a b c', 'y', 'z'])).toBe(true);
    expect(isAsWritten(['NAME   AGE'], ['NAME AGE'])).toBe(true);
    expect(isAsWritten(['+-----+'], ['+---------+'])).toBe(true);
  });

  test('sees a missing line, one too many, and another word', () => {
    expect(isAsWritten(['a', 'b'], ['a'])).toBe(false);
    expect(isAsWritten(['a'], ['a', 'b'])).toBe(false);
    expect(isAsWritten(['a.c'], ['abc'])).toBe(false);
  });
});
