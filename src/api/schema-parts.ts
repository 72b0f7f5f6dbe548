/** The parts of valibot's schema objects, which it does not type, that are read beside its own parsing. */
export interface SchemaParts {
  readonly type: string;
  readonly entries?: Readonly<Record<string, SchemaParts>>;
  readonly item?: SchemaParts;
  readonly wrapped?: SchemaParts;
  readonly value?: SchemaParts;
  readonly options?: readonly unknown[];
  /** Its first step is the schema itself. */
  readonly pipe?: readonly PipeStep[];
}

/** A check, a transformation, facts, or a schema that may be a pipe itself. */
export interface PipeStep {
  readonly type: string;
  readonly pipe?: readonly PipeStep[];
  readonly operation?: (value: unknown) => unknown;
  readonly metadata?: object;
}

export function partsOf(schema: object): SchemaParts {
  return schema as SchemaParts;
}
