import type { Command as Parser, CommanderError } from 'commander';
import { suggestion } from '../api/issues.js';
import { formatFailure } from './messages.js';

/** The parsers that the words led to, outermost first. */
function pathOf(root: Parser): readonly Parser[] {
  const path = [root];
  for (let parser: Parser | undefined = root; parser !== undefined;) {
    const [word]: readonly string[] = parser.args;
    parser = parser.commands.find((each) => each.name() === word);
    if (parser !== undefined) path.push(parser);
  }
  return path;
}

/** What the parser says of words that do not fit, in the form of all other errors. */
export function describeMisuse(root: Parser, { message, code }: CommanderError): string {
  const [, said = '', meant] = /^(?:error: )?(.*?)(?:\n\(Did you mean (.*)\))?\n*$/s.exec(message) ?? [];
  const path = pathOf(root);
  const parser = path.at(-1) ?? root;
  const name = path.map((each) => each.name()).join(' ');
  const see = `see: ${name} --help`;
  // A group that is a command too, such as `node`: what it cannot take is one of its commands, misspelt.
  if (code === 'commander.excessArguments' && parser.commands.length > 0) {
    const [word = ''] = parser.args;
    const names = parser.commands.map((each) => each.name());
    return formatFailure({ text: `unknown command '${word}'`, hint: suggestion(word, names).hint ?? see });
  }
  return formatFailure({ text: said, hint: meant === undefined ? see : `did you mean ${meant}` });
}
