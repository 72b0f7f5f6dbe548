import { type Command, CONFIG_OPTION, GLOBAL_OPTIONS } from './command.js';

/** Spellings of the options that may stand before a command; true for those that take the word after them. */
const LEADING = new Map(
  [CONFIG_OPTION, ...GLOBAL_OPTIONS].flatMap(({ flags }) => {
    const [spellings = ''] = flags.split(' <');
    return spellings.split(', ').map((spelling) => [spelling, flags.includes('<')] as const);
  }),
);

/** The first word that is neither an option nor belongs to one; undefined where an option stands that is not ours. */
function firstOperand(words: readonly string[]): string | undefined {
  for (let at = 0; at < words.length; at += 1) {
    const word = words[at] ?? '';
    if (!word.startsWith('-')) return word;
    const [spelling = ''] = word.split('=');
    const takesWord = LEADING.get(spelling);
    if (takesWord === undefined) return undefined;
    if (takesWord && spelling === word) at += 1;
  }
  return undefined;
}

/**
 * The commands that the words may mean: those of one first word (`node`, `node status`), or all, where the words name none and help or
 * suggestions are due. To know the words of all commands takes longer than most of them run.
 */
export function commandsAskedFor(words: readonly string[], commands: readonly Command[]): readonly Command[] {
  const first = firstOperand(words);
  if (first === undefined) return commands;
  const asked = commands.filter(({ name }) => name === first || name.startsWith(`${first} `));
  return asked.length === 0 ? commands : asked;
}
