const CODES = { red: 31, green: 32, yellow: 33, bold: 1 } as const;

/** Paints text for a terminal, or leaves it as it is. */
export type Paint = (colour: keyof typeof CODES, text: string) => string;

/** @param isWanted whether a person looks at it, see `Context.colours` */
export function painter(isWanted: boolean): Paint {
  return isWanted ? (colour, text) => `\x1b[${CODES[colour]}m${text}\x1b[0m` : (_, text) => text;
}
