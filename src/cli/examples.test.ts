import { afterEach, describe, expect, test, vi } from 'vitest';
import { CalicoctlFake } from './calicoctl.fake.js';
import type { Call, Command } from './command.js';
import { COMMANDS } from './command-list.js';
import { BGP, CONFIG, CONTAINER, ENDPOINT, NODE_BGP, PROFILE } from './first-era/families.js';
import { fitWords } from './first-era/form.js';

const FAMILIES = [BGP, CONFIG, CONTAINER, ENDPOINT, NODE_BGP, PROFILE];

/** As a shell takes a line apart, what goes to a file left out. */
function shellWords(line: string): readonly string[] {
  const [command = ''] = line.split(/ [<>] /);
  const pieces = [...command.matchAll(/((?:[^\s'"]|'[^']*'|"[^"]*")+)/g)].map(([piece]) => piece);
  return pieces.map((piece) => piece.replaceAll(/'([^']*)'|"([^"]*)"/g, '$1$2'));
}

/** What the handler is called with; undefined where the parser refuses the words. */
async function callOf(command: Command, words: readonly string[]): Promise<Call | undefined> {
  const handler = vi.spyOn(command, 'handler').mockResolvedValue({});
  const { status, stderr } = await new CalicoctlFake().run(words);
  expect([words, status, stderr]).toEqual([words, 0, '']);
  return handler.mock.lastCall?.[0];
}

afterEach(() => {
  vi.restoreAllMocks();
});

describe('the examples of commands', () => {
  const shown = COMMANDS.filter(({ isHidden }) => isHidden !== true);

  test.each(shown.map((command) => [command.name, command] as const))(
    '%s has some, and takes them',
    async (_, command) => {
      const { examples = [] } = command;
      expect(examples.length).toBeGreaterThan(0);
      for (const [line] of examples) {
        const call = await callOf(command, shellWords(line));
        expect(call).toBeDefined();
        const family = FAMILIES.find(({ name }) => name === command.name);
        if (family === undefined || call === undefined) continue;
        const flags = new Set([...line.matchAll(/--[a-z]+/g)].map(([flag]) => flag));
        const typed = { command: family.name, words: call.arguments };
        expect(() => fitWords(family.forms, typed, flags)).not.toThrow();
      }
    },
  );
});
