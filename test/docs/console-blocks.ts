/** One command of a Markdown file with what it must print. */
export interface Example {
  /** Line of the prompt, counted from 1. */
  readonly line: number;
  /** `calico-01`, or `A` for a workload: what stands before `$ `. */
  readonly place: string;
  readonly command: string;
  /** Lines of output as written, `…` where something varies. */
  readonly output: readonly string[];
  /** First and one past the last line of the output, counted from 0. */
  readonly outputRange: readonly [number, number];
}

const PROMPT = /^(calico-\d\d|[A-Z])\$ (.*)$/;

/** Line where a command that begins at `start` ends: here documents and lines that end in a backslash belong to it. */
function endOfCommand(lines: readonly string[], start: number, first: string): number {
  const word = /<<-?\s*['"]?(\w+)/.exec(first)?.[1];
  let end = start;
  if (word === undefined) {
    while (lines[end]?.endsWith('\\') === true) end += 1;
    return end + 1;
  }
  while (end < lines.length && lines[end] !== word) end += 1;
  return end + 1;
}

/** The examples of a text: what stands in its fenced blocks marked `console`, in order. */
export function examplesOf(markdown: string): Example[] {
  const lines = markdown.split('\n');
  const examples: Example[] = [];
  let index = 0;
  const isInside = (): boolean => index < lines.length && lines[index] !== '```';
  while (index < lines.length) {
    index += 1;
    if (lines[index - 1] !== '```console') continue;
    while (isInside()) {
      const start = index;
      const [, place, first] = PROMPT.exec(lines[start] ?? '') ?? [];
      if (place === undefined || first === undefined) {
        throw new Error(
          `line ${start + 1}: a console block goes on with a prompt such as "calico-01$ ", not "${lines[start]}"`,
        );
      }
      const from = endOfCommand(lines, start, first);
      index = from;
      while (isInside() && !PROMPT.test(lines[index] ?? '')) index += 1;
      const command = [first, ...lines.slice(start + 1, from)].join('\n');
      examples.push({ line: start + 1, place, command, output: lines.slice(from, index), outputRange: [from, index] });
    }
  }
  return examples;
}

/** Tables and columns get as wide as what is in them, which varies. */
function normal(line: string): string {
  return line
    .replaceAll(/ {2,}|\t/g, ' ')
    .replaceAll(/-{3,}/g, '---')
    .trimEnd();
}

const escaped = (text: string): string => text.replaceAll(/[.*+?^${}()|[\]\\]/g, String.raw`\$&`);

/** Whether `seen` is what `wanted` says: `…` stands for anything within a line, alone on a line for any number of lines. */
export function isAsWritten(wanted: readonly string[], seen: readonly string[]): boolean {
  const pattern = wanted.map((line) =>
    line.trim() === '…' ? '(?:[^\\n]*\\n)*?' : `${normal(line).split('…').map(escaped).join('[^\\n]*?')}\\n`,
  );
  const text = seen.map((line) => `${normal(line)}\n`).join('');
  return new RegExp(`^${pattern.join('')}$`).test(text);
}
