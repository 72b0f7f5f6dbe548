import { describe, expect, test } from 'vitest';
import { commandsAskedFor } from './asked-commands.js';
import { COMMANDS } from './command-list.js';

function names(line: string): readonly string[] {
  return commandsAskedFor(line.split(' '), COMMANDS).map(({ name }) => name);
}

describe('commandsAskedFor()', () => {
  test.each([
    ['get node', ['get']],
    ['-c get apply -f x', ['apply']],
    ['--config=x --log-level debug --allow-version-mismatch get node', ['get']],
    ['-l info version', ['version']],
  ])('finds the command in: %s', (line, expected) => {
    expect(names(line)).toEqual(expected);
  });

  test('takes a group whole', () => {
    expect(names('ipam show')).toEqual(COMMANDS.map(({ name }) => name).filter((name) => name.startsWith('ipam')));
  });

  test.each(['gte node', '--help get', 'help get', '', '--unknown get', '-c', '-- get'])(
    'takes all where they name none: %s',
    (line) => {
      expect(names(line)).toHaveLength(COMMANDS.length);
    },
  );
});
