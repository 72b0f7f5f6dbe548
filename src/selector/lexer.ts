import { CalicoError } from '../base/errors.js';

/** What the parser works on: each token with the offset where it begins. */
export type Token = { readonly at: number } & (
  | { readonly type: '(' | ')' | '{' | '}' | ',' | '!' | '==' | '!=' | '&&' | '||' | 'end' }
  | { readonly type: 'call'; readonly name: 'all' | 'global' | 'has' }
  | { readonly type: 'word'; readonly text: string }
  | { readonly type: 'string'; readonly text: string }
);

type Mark = '(' | ')' | '{' | '}' | ',' | '!' | '==' | '!=' | '&&' | '||';

const WORD = /[A-Za-z0-9_./-]+/y;
const LABEL_LENGTH_MAX = 512;
const CALLS = new Map<string, 'all' | 'global' | 'has'>([
  ['all', 'all'],
  ['global', 'global'],
  ['has', 'has'],
]);
const MARKS = new Map<string, Mark>([
  ['(', '('],
  [')', ')'],
  ['{', '{'],
  ['}', '}'],
  [',', ','],
]);

/** @returns the error for a selector that breaks the grammar at an offset (counted from 1 in the text) */
export function selectorError(text: string, at: number, what: string): CalicoError {
  const shown = text.length > 80 ? `${text.slice(0, 77)}...` : text;
  return new CalicoError('ERR_CALI_SELECTOR_SYNTAX', `invalid selector "${shown}": ${what} at character ${at + 1}`);
}

/** `==`, `!=`, `!`, `&&`, `||`, brackets; undefined when none begins here. */
function markAt(text: string, at: number): Mark | undefined {
  const first = text[at] ?? '';
  const two = text.slice(at, at + 2);
  if (two === '==' || two === '!=' || two === '&&' || two === '||') return two;
  if (first === '!') return '!';
  if (first === '=') throw selectorError(text, at, 'expected ==');
  if (first === '&') throw selectorError(text, at, 'expected &&');
  if (first === '|') throw selectorError(text, at, 'expected ||');
  return MARKS.get(first);
}

function wordAt(text: string, at: number): Token {
  WORD.lastIndex = at;
  const word = WORD.exec(text)?.[0];
  if (word === undefined) throw selectorError(text, at, 'expected identifier');
  // A call is written without a blank before its bracket; anything else that looks like one is a label of that name.
  const call = text[at + word.length] === '(' ? CALLS.get(word) : undefined;
  if (call !== undefined) return { type: 'call', name: call, at };
  if (word.length > LABEL_LENGTH_MAX) throw selectorError(text, at, `expected identifier of at most 512 characters`);
  return { type: 'word', text: word, at };
}

/**
 * Splits a selector into tokens, the last being `end`. Blanks are spaces and tabs only.
 *
 * @throws {CalicoError} `ERR_CALI_SELECTOR_SYNTAX`
 */
export function tokenize(text: string): readonly Token[] {
  const tokens: Token[] = [];
  let at = 0;
  while (at < text.length) {
    const first = text[at];
    if (first === ' ' || first === '\t') {
      at += 1;
      continue;
    }
    if (first === '"' || first === "'") {
      const end = text.indexOf(first, at + 1);
      if (end < 0) throw selectorError(text, at, 'unterminated string');
      tokens.push({ type: 'string', text: text.slice(at + 1, end), at });
      at = end + 1;
      continue;
    }
    const mark = markAt(text, at);
    const token: Token = mark === undefined ? wordAt(text, at) : { type: mark, at };
    tokens.push(token);
    if (token.type === 'call') at += token.name.length;
    else at += token.type === 'word' ? token.text.length : token.type.length;
  }
  tokens.push({ type: 'end', at });
  return tokens;
}
