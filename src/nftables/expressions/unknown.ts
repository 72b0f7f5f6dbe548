/** An expression this library does not model (or uses options it does not): kept as it came, sent back as it came. */
export interface UnknownExpression {
  readonly type: 'unknown';
  readonly name: string;
  /** What was in `NFTA_EXPR_DATA`; absent when there was none. */
  readonly raw: Uint8Array | undefined;
}
