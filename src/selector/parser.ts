import { ALL, membership, negate, type Selector, type TextOperator } from './ast.js';
import { selectorError, type Token, tokenize } from './lexer.js';

/** Deeper brackets are refused, so that no text can exhaust the stack of this or any later walk over the tree. */
const DEPTH_MAX = 200;

const TEXT_OPERATORS = new Map<string, TextOperator>([
  ['contains', 'contains'],
  ['startswith', 'starts with'],
  ['endswith', 'ends with'],
]);

/** Words that begin an operator of two words, and the second. */
const SECOND_WORDS = new Map([
  ['starts', 'with'],
  ['ends', 'with'],
  ['not', 'in'],
]);

/** Recursive descent over the tokens: `or` → `and` → `unary` → `primary`, as the grammar has it. */
class Parser {
  readonly #text: string;
  readonly #tokens: readonly Token[];
  #next = 0;
  #depth = 0;

  constructor(text: string) {
    this.#text = text;
    this.#tokens = tokenize(text);
  }

  parse(): Selector {
    if (this.#peek().type === 'end') return ALL;
    const selector = this.#or();
    if (this.#peek().type !== 'end') throw this.#error('unexpected content at end of selector');
    return selector;
  }

  #peek(): Token {
    return this.#tokens[this.#next] ?? { type: 'end', at: this.#text.length };
  }

  #take(): Token {
    const token = this.#peek();
    this.#next += 1;
    return token;
  }

  #accept(type: Token['type']): boolean {
    if (this.#peek().type !== type) return false;
    this.#next += 1;
    return true;
  }

  #error(what: string, token: Token = this.#peek()): Error {
    return selectorError(this.#text, token.at, what);
  }

  #or(): Selector {
    return this.#chain('or', '||', () => this.#chain('and', '&&', () => this.#unary()));
  }

  #chain(type: 'and' | 'or', mark: '&&' | '||', operand: () => Selector): Selector {
    const first = operand();
    if (this.#peek().type !== mark) return first;
    const operands = [first];
    while (this.#accept(mark)) operands.push(operand());
    return { type, operands };
  }

  #unary(): Selector {
    let negated = false;
    while (this.#accept('!')) negated = !negated;
    const selector = this.#primary();
    return negated ? negate(selector) : selector;
  }

  #primary(): Selector {
    const token = this.#take();
    if (token.type === '(') return this.#group(token);
    if (token.type === 'call') return this.#call(token.name);
    if (token.type === 'word') return this.#comparison(token.text);
    throw this.#error('expected identifier', token);
  }

  #group(open: Token): Selector {
    this.#depth += 1;
    if (this.#depth > DEPTH_MAX) throw this.#error(`brackets nested more than ${DEPTH_MAX} deep`, open);
    const selector = this.#or();
    if (!this.#accept(')')) throw this.#error('expected )');
    this.#depth -= 1;
    return selector;
  }

  #call(name: 'all' | 'global' | 'has'): Selector {
    this.#accept('(');
    let selector: Selector = { type: name === 'global' ? 'global' : 'all' };
    if (name === 'has') {
      const label = this.#take();
      if (label.type !== 'word') throw this.#error('expected identifier', label);
      selector = { type: 'has', label: label.text };
    }
    if (!this.#accept(')')) throw this.#error('expected )');
    return selector;
  }

  #comparison(label: string): Selector {
    const token = this.#take();
    if (token.type === '==') return { type: 'equal', label, value: this.#string() };
    if (token.type === '!=') return { type: 'not-equal', label, value: this.#string() };
    const operator = token.type === 'word' ? this.#operatorWord(token.text) : undefined;
    if (operator === 'in') return membership('in', label, this.#set());
    if (operator === 'notin') return membership('not-in', label, this.#set());
    const textOperator = TEXT_OPERATORS.get(operator ?? '');
    if (textOperator === undefined) throw this.#error('expected operator after label', token);
    return { type: 'text', operator: textOperator, label, value: this.#string() };
  }

  /** The operator without its inner blank: `starts with` and `startswith` are one. */
  #operatorWord(first: string): string {
    const second = SECOND_WORDS.get(first);
    const next = this.#peek();
    if (second === undefined || next.type !== 'word' || next.text !== second) return first;
    this.#next += 1;
    return first + second;
  }

  #string(): string {
    const token = this.#take();
    if (token.type !== 'string') throw this.#error('expected string', token);
    return token.text;
  }

  #set(): string[] {
    if (!this.#accept('{')) throw this.#error('expected set literal');
    const values: string[] = [];
    while (!this.#accept('}')) {
      values.push(this.#string());
      if (!this.#accept(',') && this.#peek().type !== '}') throw this.#error('expected }');
    }
    return values;
  }
}

/**
 * Parses a selector; an empty or blank one means `all()`.
 *
 * @throws {CalicoError} `ERR_CALI_SELECTOR_SYNTAX`: what was expected and at which character
 * @example parseSelector("role == 'db' && has(tier)")
 */
export function parseSelector(selectorText: string): Selector {
  return new Parser(selectorText).parse();
}
