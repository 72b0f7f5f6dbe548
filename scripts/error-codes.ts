/** What is wrong between the codes that the sources use and the page that explains them. */
export interface CodesCompared {
  /** Used, and not on the page. */
  readonly unexplained: readonly string[];
  /** On the page, and not used. */
  readonly leftOver: readonly string[];
}

/** Codes in a text. One that ends in `_` is the beginning of a family, made up when it is thrown. */
function codesIn(text: string): Set<string> {
  return new Set([...text.matchAll(/\bERR_CALI_[A-Z0-9_]+/g)].map(([code]) => code));
}

/** Comments mention codes that others throw. */
function withoutComments(text: string): string {
  return text.replace(/^\s*(\/\/|\*|\/\*).*$/gm, '');
}

/** Compares the sources' texts with the page. */
export function compareErrorCodes(sources: readonly string[], page: string): CodesCompared {
  const used = new Set(sources.flatMap((text) => [...codesIn(withoutComments(text))]));
  const explained = codesIn(page);
  return {
    unexplained: [...used].filter((code) => !explained.has(code)).toSorted(),
    leftOver: [...explained].filter((code) => !used.has(code)).toSorted(),
  };
}
