import { suggestion } from '../../api/issues.js';
import { lexTemplate, type Segment, type Token } from './go-template-lexer.js';
import type { Branch, Command, Node, Operand, Pipe } from './go-template-nodes.js';
import { templateError } from './go-template-values.js';

/** The main body has the name ''. */
export type Templates = ReadonlyMap<string, readonly Node[]>;

const KEYWORDS = new Set([
  'block',
  'break',
  'continue',
  'define',
  'else',
  'end',
  'if',
  'nil',
  'range',
  'template',
  'with',
]);
/** Deeper than people write, and far from the end of the stack. */
const DEPTH_LIMIT = 100;

/** The tokens of one action. */
class Reader {
  readonly at: number;
  readonly #tokens: readonly Token[];
  #index = 0;

  constructor({ at, tokens }: Segment & { type: 'action' }) {
    this.at = at;
    this.#tokens = tokens;
  }

  peek(ahead = 0): Token | undefined {
    return this.#tokens[this.#index + ahead];
  }

  next(): Token | undefined {
    const token = this.peek();
    this.#index += 1;
    return token;
  }

  takeMark(text: string): boolean {
    const token = this.peek();
    const isIt = token?.type === 'mark' && token.text === text;
    if (isIt) this.#index += 1;
    return isIt;
  }

  takeWord(...words: readonly string[]): string | undefined {
    const token = this.peek();
    if (token?.type !== 'word' || !words.includes(token.text)) return undefined;
    this.#index += 1;
    return token.text;
  }
}

/** A list of nodes, and the action that ended it: `{{end}}` or `{{else}}`. */
interface Body {
  readonly nodes: readonly Node[];
  readonly end: { readonly word: string; readonly reader: Reader } | undefined;
}

class Parser {
  readonly #text: string;
  readonly #functions: readonly string[];
  readonly #segments: readonly Segment[];
  readonly #templates = new Map<string, readonly Node[]>();
  #index = 0;
  #variables = ['$'];
  #loops = 0;
  #depth = 0;

  constructor(text: string, functions: readonly string[]) {
    this.#text = text;
    this.#functions = functions;
    this.#segments = lexTemplate(text);
  }

  run(): Templates {
    const { nodes, end } = this.#body();
    if (end !== undefined) throw this.#error(end.reader.at, `unexpected {{${end.word}}}`);
    this.#templates.set('', nodes);
    return this.#templates;
  }

  #error(at: number, message: string, hint?: string) {
    return templateError(this.#text, at, message, hint);
  }

  #unexpected(reader: Reader, where: string) {
    const token = reader.peek();
    return this.#error(
      token?.at ?? reader.at,
      token === undefined ? `missing value for ${where}` : `unexpected ${JSON.stringify(token.text)} in ${where}`,
    );
  }

  #deeper<T>(at: number, parse: () => T): T {
    this.#depth += 1;
    if (this.#depth > DEPTH_LIMIT) throw this.#error(at, 'it is nested too deep');
    const parsed = parse();
    this.#depth -= 1;
    return parsed;
  }

  #body(): Body {
    const nodes: Node[] = [];
    for (;;) {
      const segment = this.#segments[this.#index];
      if (segment === undefined) return { nodes, end: undefined };
      this.#index += 1;
      if (segment.type === 'text') nodes.push(segment);
      else {
        const reader = new Reader(segment);
        const end = reader.takeWord('end', 'else');
        if (end !== undefined) {
          if (end === 'end') this.#finish(reader, '{{end}}');
          return { nodes, end: { word: end, reader } };
        }
        const node = this.#deeper(reader.at, () => this.#action(reader));
        if (node !== undefined) nodes.push(node);
      }
    }
  }

  #action(reader: Reader): Node | undefined {
    const word = reader.takeWord('if', 'with', 'range', 'template', 'block', 'define', 'break', 'continue');
    switch (word) {
      case 'if':
      case 'with':
      case 'range':
        return this.#branch(word, reader);
      case 'template':
        return this.#call(reader);
      case 'block':
        return this.#block(reader);
      case 'define':
        this.#define(reader);
        return undefined;
      case 'break':
      case 'continue':
        if (this.#loops === 0) throw this.#error(reader.at, `{{${word}}} outside {{range}}`);
        this.#finish(reader, `{{${word}}}`);
        return { type: word };
      default: {
        const pipe = this.#pipe(reader, 'command');
        this.#finish(reader, 'command');
        return { type: 'action', pipe };
      }
    }
  }

  #finish(reader: Reader, where: string): void {
    if (reader.peek() !== undefined) throw this.#unexpected(reader, where);
  }

  #branch(type: Branch['type'], reader: Reader): Branch {
    const scope = this.#variables.length;
    const pipe = this.#pipe(reader, type);
    this.#finish(reader, type);
    if (type === 'range') this.#loops += 1;
    const { nodes: body, end } = this.#body();
    if (type === 'range') this.#loops -= 1;
    const otherwise = end?.word === 'else' ? this.#otherwise(type, end.reader) : [];
    if (end === undefined) throw this.#error(reader.at, `{{${type}}} has no {{end}}`);
    this.#variables.length = scope;
    return { type, pipe, body, otherwise };
  }

  #otherwise(type: Branch['type'], reader: Reader): readonly Node[] {
    const [next] = type === 'range' ? [] : [reader.takeWord(type)];
    if (next === 'if' || next === 'with') return [this.#deeper(reader.at, () => this.#branch(next, reader))];
    this.#finish(reader, '{{else}}');
    const { nodes, end } = this.#body();
    if (end?.word !== 'end') throw this.#error(end?.reader.at ?? reader.at, '{{end}} is missing after {{else}}');
    return nodes;
  }

  #name(reader: Reader, where: string): string {
    const token = reader.peek();
    if (token?.type !== 'constant' || typeof token.value !== 'string') throw this.#unexpected(reader, `{{${where}}}`);
    reader.next();
    return token.value;
  }

  #call(reader: Reader): Node {
    const name = this.#name(reader, 'template');
    const pipe = reader.peek() === undefined ? undefined : this.#pipe(reader, '{{template}}');
    this.#finish(reader, '{{template}}');
    return { type: 'template', at: reader.at, name, pipe };
  }

  #block(reader: Reader): Node {
    const name = this.#name(reader, 'block');
    const pipe = this.#pipe(reader, '{{block}}');
    this.#finish(reader, '{{block}}');
    this.#named(name, reader);
    return { type: 'template', at: reader.at, name, pipe };
  }

  #define(reader: Reader): void {
    if (this.#depth > 1) throw this.#error(reader.at, 'unexpected {{define}}: it stands within something else');
    const name = this.#name(reader, 'define');
    this.#finish(reader, '{{define}}');
    this.#named(name, reader);
  }

  /** A body with a name: it sees no variables of its surroundings. */
  #named(name: string, reader: Reader): void {
    const [variables, loops] = [this.#variables, this.#loops];
    this.#variables = ['$'];
    this.#loops = 0;
    const { nodes, end } = this.#body();
    if (end?.word !== 'end') throw this.#error(reader.at, `template "${name}" has no {{end}}`);
    this.#variables = variables;
    this.#loops = loops;
    this.#templates.set(name, nodes);
  }

  #pipe(reader: Reader, where: string): Pipe {
    const at = reader.peek()?.at ?? reader.at;
    const declared = this.#declaration(reader, where === 'range');
    const commands: Command[] = [];
    for (;;) {
      const command = this.#command(reader, where);
      const [first] = command.operands;
      const isValue = first.type === 'dot' || first.type === 'nil' || first.type === 'constant';
      if (commands.length > 0 && isValue) {
        throw this.#error(first.at, `stage ${commands.length + 1} of the pipeline is not a function`);
      }
      commands.push(command);
      if (!reader.takeMark('|')) break;
    }
    return { at, ...declared, commands };
  }

  #declaration(reader: Reader, isRange: boolean): Pick<Pipe, 'variables' | 'isAssignment'> {
    const isVariable = (token: Token | undefined): token is Token => token?.type === 'variable';
    const isMark = (token: Token | undefined, ...marks: readonly string[]): boolean =>
      token?.type === 'mark' && marks.includes(token.text);
    const first = reader.peek();
    const none = { variables: [], isAssignment: false };
    if (!isVariable(first)) return none;
    const second = reader.peek(2);
    const isPair = isRange && isMark(reader.peek(1), ',') && isVariable(second);
    const names = isPair ? [first.text, second.text] : [first.text];
    const mark = reader.peek(isPair ? 3 : 1);
    if (!isMark(mark, ':=', '=')) return none;
    for (let taken = 0; taken < (isPair ? 4 : 2); taken += 1) reader.next();
    const isAssignment = mark?.text === '=';
    if (isAssignment) for (const name of names) this.#knownVariable(name, first.at);
    else this.#variables.push(...names);
    return { variables: names, isAssignment };
  }

  #knownVariable(name: string, at: number): void {
    if (this.#variables.includes(name)) return;
    throw this.#error(at, `undefined variable "${name}"`, suggestion(name, this.#variables).hint);
  }

  #command(reader: Reader, where: string): Command {
    const at = reader.peek()?.at ?? reader.at;
    const operands: Operand[] = [];
    for (;;) {
      const token = reader.peek();
      const isEnd = token === undefined || (token.type === 'mark' && (token.text === '|' || token.text === ')'));
      if (isEnd) break;
      if (operands.length > 0 && !token.isSpaced) throw this.#unexpected(reader, 'operand');
      operands.push(this.#operand(reader, where));
    }
    const [first, ...more] = operands;
    if (first === undefined) throw this.#unexpected(reader, where);
    return { at, operands: [first, ...more] };
  }

  #operand(reader: Reader, where: string): Operand {
    const { at } = reader.peek() ?? reader;
    const term = this.#term(reader, where);
    const names: string[] = [];
    for (let token = reader.peek(); token?.type === 'field' && !token.isSpaced; token = reader.peek()) {
      names.push(token.name);
      reader.next();
    }
    if (names.length === 0) return term;
    switch (term.type) {
      case 'field':
        return { ...term, names: [...term.names, ...names] };
      case 'variable':
        return { ...term, names };
      case 'pipe':
      case 'function':
        return { type: 'chain', at, operand: term, names };
      default:
        throw this.#error(at, `unexpected .${names[0]} after a value`);
    }
  }

  #term(reader: Reader, where: string): Operand {
    const token = reader.peek();
    if (token === undefined) throw this.#unexpected(reader, where);
    const { at, text } = token;
    switch (token.type) {
      case 'constant':
        reader.next();
        return { type: 'constant', at, value: token.value, text };
      case 'dot':
        reader.next();
        return { type: 'dot', at };
      case 'field':
        reader.next();
        return { type: 'field', at, names: [token.name] };
      case 'variable':
        this.#knownVariable(text, at);
        reader.next();
        return { type: 'variable', at, name: text, names: [] };
      case 'word':
        return this.#word(reader, text, at);
      case 'mark':
        if (!reader.takeMark('(')) throw this.#unexpected(reader, where);
        return this.#deeper(at, () => this.#parenthesized(reader, at));
    }
  }

  #word(reader: Reader, text: string, at: number): Operand {
    if (text !== 'nil' && KEYWORDS.has(text)) throw this.#unexpected(reader, 'command');
    reader.next();
    if (text === 'nil') return { type: 'nil', at };
    if (this.#functions.includes(text)) return { type: 'function', at, name: text };
    throw this.#error(at, `function "${text}" is not defined`, suggestion(text, this.#functions).hint);
  }

  #parenthesized(reader: Reader, at: number): Operand {
    const pipe = this.#pipe(reader, 'parenthesized pipeline');
    if (!reader.takeMark(')')) throw this.#error(reader.peek()?.at ?? at, 'unclosed parenthesis');
    return { type: 'pipe', at, pipe };
  }
}

/**
 * Reads a template of Go's text/template.
 *
 * @param functions what may be called
 * @throws {CalicoError} `ERR_CALI_CLI_TEMPLATE` with line and column
 */
export function parseTemplate(text: string, functions: readonly string[]): Templates {
  return new Parser(text, functions).run();
}
