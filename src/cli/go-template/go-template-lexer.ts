import { templateError, type Value } from './go-template-values.js';

export type Token = {
  readonly at: number;
  readonly text: string;
  /** Blanks stand before it. */
  readonly isSpaced: boolean;
} & (
  | { readonly type: 'constant'; readonly value: Value }
  /** Without the leading `.`. */
  | { readonly type: 'field'; readonly name: string }
  | { readonly type: 'variable' | 'word' | 'dot' | 'mark' }
);

/** The pieces of a template: text as it is, and what stands between `{{` and `}}`. */
export type Segment =
  | { readonly type: 'text'; readonly text: string }
  | { readonly type: 'action'; readonly at: number; readonly tokens: readonly Token[] };

const OPEN = '{{';
const BLANKS = ' \t\r\n';

const PATTERNS = {
  space: /[ \t\r\n]+/y,
  string: /"(?:[^"\\\n]|\\.)*"|`[^`]*`|'(?:[^'\\\n]|\\.)+'/y,
  variable: /\$[\p{L}\p{Nd}_]*/uy,
  field: /\.[\p{L}_][\p{L}\p{Nd}_]*/uy,
  number:
    /[+-]?(?:0[xX][0-9a-fA-F_]+|0[bB][01_]+|0[oO][0-7_]+|(?:[0-9][0-9_]*(?:\.[0-9_]*)?|\.[0-9][0-9_]*)(?:[eE][+-]?[0-9_]+)?)/y,
  word: /[\p{L}_][\p{L}\p{Nd}_]*/uy,
  mark: /:=|[=|,()]/y,
  dot: /\./y,
} as const;

/** What may follow a field, a variable or a word without a blank. */
const TERMINATOR = /[ \t\r\n.,|:)(=]|-?\}\}/y;
const ALPHANUMERIC = /[\p{L}\p{Nd}_]/uy;

const ESCAPES: Readonly<Record<string, string>> = {
  a: '\u0007',
  b: '\b',
  f: '\f',
  n: '\n',
  r: '\r',
  t: '\t',
  v: '\v',
  '\\': '\\',
  "'": "'",
  '"': '"',
};

/** The text that a quoted constant of Go stands for; undefined when it is none. */
function unquote(quoted: string): string | undefined {
  if (quoted.startsWith('`')) return quoted.slice(1, -1).replaceAll('\r', '');
  let isRight = true;
  const text = quoted
    .slice(1, -1)
    .replaceAll(/\\(?:x([\da-f]{2})|u([\da-f]{4})|U([\da-f]{8})|([0-7]{3})|(.))/gi, (_, ...groups: unknown[]) => {
      const [x, u, long, octal, simple] = groups as (string | undefined)[];
      const code = octal === undefined ? Number.parseInt(x ?? u ?? long ?? '', 16) : Number.parseInt(octal, 8);
      const plain = simple === undefined ? undefined : ESCAPES[simple];
      if (simple === undefined ? code <= 0x10ffff : plain !== undefined) return plain ?? String.fromCodePoint(code);
      isRight = false;
      return '';
    });
  return isRight ? text : undefined;
}

const INT_LIMIT = 2n ** 63n;

/** An integer or a float, by its form; undefined when it is neither. */
function numberValue(text: string): bigint | number | undefined {
  const isNegative = text.startsWith('-');
  const plain = text.replace(/^[+-]/, '').replaceAll('_', '');
  const isInteger = /^(0[xXbBoO][\da-fA-F]+|\d+)$/.test(plain);
  if (isInteger) {
    const octal = /^0\d/.test(plain) ? plain.replace(/^0/, '0o') : plain;
    if (octal.startsWith('0o') && /[89]/.test(octal)) return undefined;
    const value = BigInt(octal);
    const signed = isNegative ? -value : value;
    return signed >= -INT_LIMIT && signed < INT_LIMIT ? signed : undefined;
  }
  const value = Number(plain);
  return Number.isFinite(value) ? (isNegative ? -value : value) : undefined;
}

class Lexer {
  readonly #text: string;
  readonly #segments: Segment[] = [];
  #at = 0;

  constructor(text: string) {
    this.#text = text;
  }

  run(): readonly Segment[] {
    let isTrimmed = false;
    while (this.#at < this.#text.length) {
      const open = this.#text.indexOf(OPEN, this.#at);
      const end = open < 0 ? this.#text.length : open;
      const trimsBefore = open >= 0 && this.#text[open + 2] === '-' && BLANKS.includes(this.#text[open + 3] ?? 'x');
      let piece = this.#text.slice(this.#at, end);
      if (isTrimmed) piece = piece.replace(/^[ \t\r\n]+/, '');
      if (trimsBefore) piece = trimEnd(piece);
      if (piece !== '') this.#segments.push({ type: 'text', text: piece });
      this.#at = end;
      if (open < 0) break;
      this.#at += trimsBefore ? 4 : 2;
      isTrimmed = this.#inside(open);
    }
    return this.#segments;
  }

  /** Reads to the end of an action or comment. @returns whether the text after it loses its blanks */
  #inside(open: number): boolean {
    this.#match(PATTERNS.space);
    const comment = this.#text.startsWith('/*', this.#at) ? this.#comment(open) : undefined;
    if (comment !== undefined) return comment;
    const tokens: Token[] = [];
    for (;;) {
      const isSpaced = this.#match(PATTERNS.space) !== undefined || tokens.length === 0;
      if (isSpaced && tokens.length > 0 && this.#text.startsWith('-}}', this.#at)) return this.#close(open, tokens, 3);
      if (this.#text.startsWith('}}', this.#at)) return this.#close(open, tokens, 2);
      if (this.#at >= this.#text.length) throw this.#error('the action is not closed: }} is missing', open);
      tokens.push(this.#token(isSpaced));
    }
  }

  #close(open: number, tokens: readonly Token[], length: number): boolean {
    this.#at += length;
    this.#segments.push({ type: 'action', at: open, tokens });
    return length === 3;
  }

  #comment(open: number): boolean {
    const end = this.#text.indexOf('*/', this.#at + 2);
    if (end < 0) throw this.#error('the comment is not closed: */ is missing', open);
    const [, trims, close] = /^([ \t\r\n]+-)?(\}\})?/.exec(this.#text.slice(end + 2)) ?? [];
    if (close === undefined) throw this.#error('a comment ends with */}}, nothing in between', end);
    this.#at = end + 4 + (trims?.length ?? 0);
    return trims !== undefined;
  }

  #token(isSpaced: boolean): Token {
    const at = this.#at;
    const variable = this.#match(PATTERNS.variable);
    if (variable !== undefined) return this.#terminated({ type: 'variable', at, text: variable, isSpaced });
    const field = this.#match(PATTERNS.field);
    if (field !== undefined) {
      return this.#terminated({ type: 'field', at, text: field, name: field.slice(1), isSpaced });
    }
    const word = this.#match(PATTERNS.word);
    if (word !== undefined) return this.#terminated(wordToken(word, at, isSpaced));
    const mark = this.#match(PATTERNS.mark);
    if (mark !== undefined) return { type: 'mark', at, text: mark, isSpaced };
    const constant = this.#constant(isSpaced);
    if (constant !== undefined) return constant;
    const dot = this.#match(PATTERNS.dot);
    if (dot !== undefined) return this.#terminated({ type: 'dot', at, text: dot, isSpaced });
    throw this.#error(`unexpected ${JSON.stringify(this.#text[at])}`);
  }

  #constant(isSpaced: boolean): Token | undefined {
    const at = this.#at;
    const quoted = this.#match(PATTERNS.string);
    if (quoted !== undefined) {
      const text = unquote(quoted);
      if (text === undefined) throw this.#error(`${quoted} has an escape that is none`, at);
      if (!quoted.startsWith("'")) return { type: 'constant', at, text: quoted, value: text, isSpaced };
      const [character = '', more] = text;
      if (character === '' || more !== undefined) throw this.#error(`${quoted} is not one character`, at);
      return { type: 'constant', at, text: quoted, value: BigInt(character.codePointAt(0) ?? 0), isSpaced };
    }
    if (/["'`]/.test(this.#text[at] ?? '')) throw this.#error('the text is not closed: its quote is missing', at);
    const number = this.#match(PATTERNS.number);
    if (number === undefined) return undefined;
    const value = this.#matches(ALPHANUMERIC) ? undefined : numberValue(number);
    if (value === undefined) throw this.#error(`${number}${this.#text[this.#at] ?? ''} is not a number`, at);
    return { type: 'constant', at, text: number, value, isSpaced };
  }

  #terminated(token: Token): Token {
    if (this.#matches(TERMINATOR) || this.#at >= this.#text.length) return token;
    throw this.#error(`unexpected ${JSON.stringify(this.#text[this.#at])} after ${token.text}`);
  }

  #matches(pattern: RegExp): boolean {
    pattern.lastIndex = this.#at;
    return pattern.test(this.#text);
  }

  #match(pattern: RegExp): string | undefined {
    pattern.lastIndex = this.#at;
    const found = pattern.exec(this.#text)?.[0];
    if (found === undefined || found === '') return undefined;
    this.#at += found.length;
    return found;
  }

  #error(message: string, at = this.#at) {
    return templateError(this.#text, at, message);
  }
}

function wordToken(text: string, at: number, isSpaced: boolean): Token {
  if (text === 'true' || text === 'false') return { type: 'constant', at, text, value: text === 'true', isSpaced };
  return { type: 'word', at, text, isSpaced };
}

/** Without the blanks at its end; a pattern would try each run of blanks anew. */
function trimEnd(text: string): string {
  let end = text.length;
  while (end > 0 && BLANKS.includes(text[end - 1] ?? '')) end -= 1;
  return text.slice(0, end);
}

/** @throws {CalicoError} `ERR_CALI_CLI_TEMPLATE` with line and column */
export function lexTemplate(text: string): readonly Segment[] {
  return new Lexer(text).run();
}
