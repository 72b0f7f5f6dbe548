import type { Branch, Command, Node, Operand, Pipe } from './go-template-nodes.js';
import type { Templates } from './go-template-parser.js';
import {
  formatValue,
  isList,
  isMap,
  isTrue,
  sortedKeys,
  templateError,
  templateProblem,
  typeName,
  type Value,
} from './go-template-values.js';
import { CalicoError } from '../../base/errors.js';

export interface TemplateFunction {
  readonly minimum: number;
  /** Of arguments; undefined for any number. */
  readonly maximum?: number;
  call(values: readonly Value[]): Value;
}

/** What templates can do besides their own words. */
export interface Language {
  readonly functions: ReadonlyMap<string, TemplateFunction>;
  /** How much a template may do. */
  readonly stepLimit: number;
  /** The field of a value; undefined where that value has no fields. */
  fieldOf(holder: Value, name: string): { readonly value: Value } | undefined;
}

/** `and` and `or` look at no more than they need. */
const LAZY = new Map([
  ['and', false],
  ['or', true],
]);

export const LAZY_FUNCTIONS: readonly string[] = [...LAZY.keys()];

const DEPTH_LIMIT = 200;
const OUTPUT_LIMIT = 256 * 1024 * 1024;

/** How a list of nodes ended. */
type Flow = 'on' | 'break' | 'continue';

interface Variable {
  readonly name: string;
  value: Value;
}

/** A value that arrived through a pipe; undefined at the head of one. */
type Piped = { readonly value: Value } | undefined;

export class Evaluator {
  readonly #text: string;
  readonly #templates: Templates;
  readonly #language: Language;
  readonly #output: string[] = [];
  #variables: Variable[] = [];
  #depth = 0;
  #steps = 0;
  #length = 0;

  constructor(text: string, templates: Templates, language: Language) {
    this.#text = text;
    this.#templates = templates;
    this.#language = language;
  }

  run(data: Value): string {
    this.#variables = [{ name: '$', value: data }];
    this.#list(this.#templates.get('') ?? [], data);
    return this.#output.join('');
  }

  #error(at: number, message: string, hint?: string): CalicoError {
    return templateError(this.#text, at, message, hint);
  }

  #write(text: string): void {
    this.#length += text.length;
    if (this.#length > OUTPUT_LIMIT) throw templateProblem('template: it prints too much');
    this.#output.push(text);
  }

  #step(): void {
    this.#steps += 1;
    if (this.#steps > this.#language.stepLimit) throw templateProblem('template: it does not come to an end');
  }

  #list(nodes: readonly Node[], dot: Value): Flow {
    for (const node of nodes) {
      this.#step();
      const flow = this.#node(node, dot);
      if (flow !== 'on') return flow;
    }
    return 'on';
  }

  #node(node: Node, dot: Value): Flow {
    switch (node.type) {
      case 'text':
        this.#write(node.text);
        return 'on';
      case 'action': {
        const value = this.#pipe(node.pipe, dot);
        if (node.pipe.variables.length === 0) this.#write(value === undefined ? '<no value>' : formatValue(value));
        return 'on';
      }
      case 'if':
      case 'with':
        return this.#scoped(() => this.#condition(node, dot));
      case 'range':
        return this.#scoped(() => this.#range(node, dot));
      case 'template':
        this.#call(node, dot);
        return 'on';
      case 'break':
      case 'continue':
        return node.type;
    }
  }

  #scoped<T>(evaluate: () => T): T {
    const scope = this.#variables.length;
    const result = evaluate();
    this.#variables.length = scope;
    return result;
  }

  #condition({ type, pipe, body, otherwise }: Branch, dot: Value): Flow {
    const value = this.#pipe(pipe, dot);
    if (isTrue(value)) return this.#list(body, type === 'with' ? value : dot);
    return this.#list(otherwise, dot);
  }

  #items({ pipe }: Branch, value: Value): Iterable<readonly [Value, Value]> {
    if (value === undefined || value === null) return [];
    if (isList(value)) return value.map((item, index) => [BigInt(index), item] as const);
    if (isMap(value)) return sortedKeys(value).map((key) => [key, value.get(key)] as const);
    if (typeof value !== 'bigint') {
      throw this.#error(pipe.at, `range cannot go over ${formatValue(value)}: it is no list, map or whole number`);
    }
    if (pipe.variables.length > 1) throw this.#error(pipe.at, 'range over a number has one variable');
    return countTo(value);
  }

  #range(node: Branch, dot: Value): Flow {
    const { pipe, body, otherwise } = node;
    // Its variables are set for each item, not to the whole.
    const value = this.#commands(pipe, dot);
    const [first, second] = pipe.variables;
    let isEmpty = true;
    for (const [index, item] of this.#items(node, value)) {
      isEmpty = false;
      this.#step();
      const flow = this.#scoped(() => {
        if (second !== undefined) {
          this.#set(pipe, first ?? '', index);
          this.#set(pipe, second, item);
        } else if (first !== undefined) this.#set(pipe, first, item);
        return this.#list(body, item);
      });
      if (flow === 'break') break;
    }
    return isEmpty ? this.#list(otherwise, dot) : 'on';
  }

  #call(node: Node & { type: 'template' }, dot: Value): void {
    const nodes = this.#templates.get(node.name);
    if (nodes === undefined || node.name === '') throw this.#error(node.at, `template "${node.name}" is not defined`);
    const data = node.pipe === undefined ? undefined : this.#pipe(node.pipe, dot);
    this.#depth += 1;
    if (this.#depth > DEPTH_LIMIT)
      throw this.#error(node.at, `templates call each other more than ${DEPTH_LIMIT} deep`);
    const variables = this.#variables;
    this.#variables = [{ name: '$', value: data }];
    this.#list(nodes, data);
    this.#variables = variables;
    this.#depth -= 1;
  }

  #set({ isAssignment, at }: Pipe, name: string, value: Value): void {
    if (isAssignment) this.#variable(name, at).value = value;
    else this.#variables.push({ name, value });
  }

  #variable(name: string, at: number): Variable {
    const found = this.#variables.findLast((variable) => variable.name === name);
    if (found === undefined) throw this.#error(at, `undefined variable "${name}"`);
    return found;
  }

  #pipe(pipe: Pipe, dot: Value): Value {
    const value = this.#commands(pipe, dot);
    for (const name of pipe.variables) this.#set(pipe, name, value);
    return value;
  }

  #commands(pipe: Pipe, dot: Value): Value {
    let piped: Piped;
    for (const command of pipe.commands) piped = { value: this.#command(command, dot, piped) };
    return piped?.value;
  }

  #command({ at, operands: [first, ...more] }: Command, dot: Value, piped: Piped): Value {
    if (first.type === 'function') return this.#function(first, more, { dot, piped });
    if (first.type === 'nil') throw this.#error(at, 'nil is not a command');
    if (more.length > 0 || piped !== undefined) {
      const what = this.#text.slice(first.at, more[0]?.at ?? first.at + 20).trim();
      throw this.#error(at, `${JSON.stringify(what)} is no function: it takes no arguments`);
    }
    return this.#operand(first, dot);
  }

  #operand(operand: Operand, dot: Value): Value {
    this.#step();
    switch (operand.type) {
      case 'dot':
        return dot;
      case 'nil':
        return null;
      case 'constant':
        return operand.value;
      case 'field':
        return this.#fields(dot, operand);
      case 'variable':
        return this.#fields(this.#variable(operand.name, operand.at).value, operand);
      case 'function':
        return this.#function(operand, [], { dot, piped: undefined });
      case 'pipe':
        return this.#pipe(operand.pipe, dot);
      case 'chain':
        return this.#fields(this.#operand(operand.operand, dot), operand);
    }
  }

  /** A field of what is not there is not there. */
  #fields(holder: Value, { names, at }: { readonly names: readonly string[]; readonly at: number }): Value {
    let value = holder;
    for (const name of names) {
      if (value === undefined || value === null) return undefined;
      const field = this.#language.fieldOf(value, name);
      if (field === undefined) throw this.#error(at, `there is no field ${name} in a ${typeName(value)}`);
      value = field.value;
    }
    return value;
  }

  #function(
    { name, at }: Operand & { type: 'function' },
    operands: readonly Operand[],
    { dot, piped }: { readonly dot: Value; readonly piped: Piped },
  ): Value {
    const lazy = LAZY.get(name);
    if (lazy !== undefined) return this.#lazy(lazy, { name, at, operands, dot, piped });
    const values = operands.map((operand) => this.#operand(operand, dot));
    if (piped !== undefined) values.push(piped.value);
    const found = this.#language.functions.get(name);
    if (found === undefined) throw this.#error(at, `function "${name}" is not defined`);
    const { minimum, maximum = Number.POSITIVE_INFINITY } = found;
    if (values.length < minimum || values.length > maximum) {
      const wanted = minimum === maximum ? String(minimum) : `at least ${minimum}`;
      throw this.#error(at, `${name} wants ${wanted} argument(s), not ${values.length}`);
    }
    try {
      return found.call(values);
    } catch (error) {
      if (error instanceof CalicoError) throw this.#error(at, `${name}: ${error.message}`, error.hint);
      throw error;
    }
  }

  #lazy(
    until: boolean,
    call: {
      readonly name: string;
      readonly at: number;
      readonly operands: readonly Operand[];
      readonly dot: Value;
      readonly piped: Piped;
    },
  ): Value {
    let value: Value;
    for (const operand of call.operands) {
      value = this.#operand(operand, call.dot);
      if (isTrue(value) === until) return value;
    }
    if (call.piped !== undefined) return call.piped.value;
    if (call.operands.length === 0) throw this.#error(call.at, `${call.name} wants at least 1 argument(s), not 0`);
    return value;
  }
}

function* countTo(limit: bigint): Generator<readonly [Value, Value]> {
  for (let index = 0n; index < limit; index += 1n) yield [index, index];
}
