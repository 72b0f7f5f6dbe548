import { Evaluator, type Language, LAZY_FUNCTIONS, type TemplateFunction } from './go-template-evaluator.js';
import { TEMPLATE_FUNCTIONS } from './go-template-functions.js';
import { parseTemplate } from './go-template-parser.js';
import { isMap, type Value } from './go-template-values.js';

export interface TemplateOptions {
  /** Besides Go's own. */
  readonly functions?: ReadonlyMap<string, TemplateFunction>;
  /** In place of looking into maps. */
  readonly fieldOf?: Language['fieldOf'];
  /** How many nodes it may go through; enough for half a minute unless given. */
  readonly stepLimit?: number;
}

export interface Template {
  /** @throws {CalicoError} `ERR_CALI_CLI_TEMPLATE` with line and column */
  execute(data: Value): string;
}

const STEP_LIMIT = 200_000_000;

function fieldOfMap(holder: Value, name: string): { readonly value: Value } | undefined {
  return isMap(holder) ? { value: holder.get(name) } : undefined;
}

/**
 * A template of Go's text/template, as `-o go-template` takes it. Left out: methods, `call`, complex numbers, argument numbers of printf.
 * Kinder than Go in one thing: a field of what is not there is not there, rather than a failure.
 *
 * @throws {CalicoError} `ERR_CALI_CLI_TEMPLATE` with line and column
 * @see https://pkg.go.dev/text/template
 */
export function compileTemplate(text: string, options: TemplateOptions = {}): Template {
  const functions = new Map([...TEMPLATE_FUNCTIONS, ...(options.functions ?? [])]);
  const language: Language = {
    functions,
    fieldOf: options.fieldOf ?? fieldOfMap,
    stepLimit: options.stepLimit ?? STEP_LIMIT,
  };
  const templates = parseTemplate(text, [...functions.keys(), ...LAZY_FUNCTIONS]);
  return { execute: (data) => new Evaluator(text, templates, language).run(data) };
}
