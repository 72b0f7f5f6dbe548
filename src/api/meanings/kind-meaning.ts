/** What a field is for, in one line; with what holds where it is not given. */
export type FieldMeaning = string | readonly [meaning: string, initial: string];

/** A kind in people's words. */
export interface KindMeaning {
  /** One or two sentences. */
  readonly about: string;
  /** Where this version keeps the kind and does not act on it. */
  readonly isKeptOnly?: true;
  /**
   * By path below `spec`, without `[]`. The end of a path is enough where it means the same everywhere: `nets` stands for
   * `ingress.source.nets` too.
   */
  readonly fields: Readonly<Record<string, FieldMeaning>>;
}
