import type { Value } from './go-template-values.js';

/** What a template is made of. `at` is the offset in its text. */
export type Node =
  | { readonly type: 'text'; readonly text: string }
  | { readonly type: 'action'; readonly pipe: Pipe }
  | Branch
  | { readonly type: 'template'; readonly at: number; readonly name: string; readonly pipe: Pipe | undefined }
  | { readonly type: 'break' | 'continue' };

/** `{{if}}`, `{{with}}`, `{{range}}` … `{{else}}` … `{{end}}`. */
export interface Branch {
  readonly type: 'if' | 'with' | 'range';
  readonly pipe: Pipe;
  readonly body: readonly Node[];
  readonly otherwise: readonly Node[];
}

/** `$x, $y := first | second`. */
export interface Pipe {
  readonly at: number;
  readonly variables: readonly string[];
  /** `=` rather than `:=`. */
  readonly isAssignment: boolean;
  readonly commands: readonly Command[];
}

export interface Command {
  readonly at: number;
  readonly operands: readonly [Operand, ...Operand[]];
}

export type Operand = { readonly at: number } & (
  | { readonly type: 'dot' | 'nil' }
  | { readonly type: 'constant'; readonly value: Value; readonly text: string }
  | { readonly type: 'field'; readonly names: readonly string[] }
  | { readonly type: 'variable'; readonly name: string; readonly names: readonly string[] }
  | { readonly type: 'function'; readonly name: string }
  | { readonly type: 'pipe'; readonly pipe: Pipe }
  /** Fields of what is no field itself: `(index . 0).name`. */
  | { readonly type: 'chain'; readonly operand: Operand; readonly names: readonly string[] }
);
