/** A table as wide as its cells: `get`'s form. */
export interface PlainTable {
  readonly type: 'table';
  readonly headings: readonly string[];
  readonly rows: readonly (readonly string[])[];
}

/** A table in a box. Headings are centred; cells lie as `align` says. */
export interface BoxTable {
  readonly type: 'box';
  readonly headings: readonly string[];
  readonly rows: readonly (readonly string[])[];
  readonly align: 'left' | 'centre';
}

export type Block =
  | { readonly type: 'line'; readonly text: string }
  /** As it is, without an end of line of its own. */
  | { readonly type: 'text'; readonly text: string }
  | { readonly type: 'json' | 'yaml'; readonly value: unknown }
  | PlainTable
  | BoxTable;

/** What a command has to say. Any error makes the exit status 1, unless one is given. */
export interface Result {
  readonly status?: number;
  readonly output?: readonly Block[];
  /** To stderr, after the output. */
  readonly errors?: readonly string[];
}

export function line(text: string): Block {
  return { type: 'line', text };
}

/** For a dry run, whose summary tells what would have been: without the lines that say it was done. */
export function withoutClaims(result: Result): Result {
  return { ...result, output: (result.output ?? []).filter(({ type }) => type !== 'line') };
}
