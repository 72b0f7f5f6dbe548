/** What becomes of a packet. `jump` and `goto` name a chain of the same table. */
export type Verdict =
  | { readonly code: 'accept' | 'drop' | 'continue' | 'return' | 'break' }
  | { readonly code: 'jump' | 'goto'; readonly chain: string };

export const ACCEPT: Verdict = { code: 'accept' };
export const DROP: Verdict = { code: 'drop' };
export const RETURN: Verdict = { code: 'return' };

/** Evaluates the chain and comes back after it. */
export function jumpTo(chain: string): Verdict {
  return { code: 'jump', chain };
}

/** Evaluates the chain and does not come back. */
export function gotoChain(chain: string): Verdict {
  return { code: 'goto', chain };
}

/** As `nft` prints it: `accept`, `goto in-web`. */
export function printVerdict(verdict: Verdict): string {
  return 'chain' in verdict ? `${verdict.code} ${verdict.chain}` : verdict.code;
}
