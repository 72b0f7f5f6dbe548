import type { Command } from '../src/cli/command.js';
import { COMMANDS, GROUPS } from '../src/cli/command-list.js';
import { run } from '../src/cli/main.js';
import { markdownTable } from './markdown-table.js';

/** `docs/calicoctl.md` and `docs/calicoctl/`: a page for each command, made from the commands themselves. */

async function helpOf(words: readonly string[]): Promise<string> {
  // The parser asks the terminal how wide it is; a file has no terminal.
  process.stdout.isTTY = false;
  let help = '';
  await run([...words, '--help'], {
    environment: {},
    readFile: (path) => Promise.reject(new Error(`help reads no file: ${path}`)),
    readStdin: () => Promise.resolve(''),
    stdout: (text) => (help += text),
    stderr: (text) => (help += text),
  });
  return help.trimEnd();
}

const pageName = ({ name }: Command): string => `${name.replaceAll(' ', '-')}.md`;
const sentence = (text: string): string => `${text.charAt(0).toUpperCase()}${text.slice(1)}.`;

/** Those of the same group. A page that named all would change with every new command. */
function relatedTo(command: Command, shown: readonly Command[]): readonly Command[] {
  const groupOf = ({ name }: Command): string => name.split(' ').slice(0, -1).join(' ');
  if (groupOf(command) === '') return [];
  return shown.filter((other) => other !== command && groupOf(other) === groupOf(command));
}

function exitStatus({ failureStatus }: Command): string {
  if (failureStatus === undefined) return '0, or 1 for every failure; 130 when Ctrl-C kept it from its end.';
  return `0 or 1 as said above, ${failureStatus} for every failure; 130 when Ctrl-C kept it from its end.`;
}

async function commandPage(command: Command, shown: readonly Command[]): Promise<string> {
  const related = relatedTo(command, shown).map((other) => `[${other.name}](${pageName(other)})`);
  return [
    `# calicoctl ${command.name}\n`,
    `${sentence(command.help)}\n`,
    `\`\`\`text\n${await helpOf(command.name.split(' '))}\n\`\`\`\n`,
    `## Exit status\n`,
    `${exitStatus(command)}\n`,
    '## See also\n',
    `${[...related, '[all commands](../calicoctl.md)', '[kinds](../reference/README.md)'].join(', ')}\n`,
  ].join('\n');
}

function indexPage(shown: readonly Command[]): string {
  const rows = shown.map((command) => {
    // What a grammar of its own reads, its page shows.
    const own = command.usage === undefined ? (command.arguments ?? []) : [];
    const words = [command.name, ...own].join(' ');
    return [`[\`${words}\`](calicoctl/${pageName(command)})`, command.help];
  });
  const groups = Object.entries(GROUPS).map(([words, meaning]) => [`\`${words}\``, meaning]);
  return [
    '# calicoctl\n',
    'Made from the commands themselves by `scripts/generate.ts`. Exit status: 0, or 1 for every failure; 130 when',
    "Ctrl-C kept it from its end. Where the datastore is, it takes from `/etc/calico/calicoctl.cfg`, else from `ETCD_ENDPOINTS` and its like, else it is this host's own etcd.\n",
    'What it reads and writes: [kinds](reference/README.md), a page each.\n',
    ...markdownTable(['command', 'what it does'], rows),
    '',
    ...markdownTable(['group', 'what it is about'], groups),
    '',
  ].join('\n');
}

/** File → text. */
export async function commandPages(): Promise<ReadonlyMap<string, string>> {
  const shown = COMMANDS.filter(({ isHidden }) => isHidden !== true);
  const pages = new Map([['docs/calicoctl.md', indexPage(shown)]]);
  for (const command of shown) pages.set(`docs/calicoctl/${pageName(command)}`, await commandPage(command, shown));
  return pages;
}
