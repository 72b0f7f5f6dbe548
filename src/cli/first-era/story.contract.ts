/** A command and what it ends with: text on stdout, or `{ refused }` on stderr with status 1. */
export type Step = readonly [command: string, expected: string | { readonly refused: string }, stdin?: string];

/** Something the first era could do, as a sequence of commands on an empty datastore. */
export type Stories = Readonly<Record<string, readonly Step[]>>;

export const box = (...lines: readonly string[]): string => `${lines.join('\n')}\n`;
