import type { Operation, RuleRef } from '../nftables/nftables.js';
import type { Rule } from '../nftables/objects.js';
import { type ChangedChain, ruleHashesOf } from './wanted-table.js';

/** Rules that must stay for a look at the chain to pay: reading their handles costs about as much as writing three. */
const KEPT_MIN = 4;

/** How many at the beginning and at the end of two lists are the same. */
function commonEnds(
  a: readonly (string | undefined)[],
  b: readonly (string | undefined)[],
): { readonly head: number; readonly tail: number } {
  const shorter = Math.min(a.length, b.length);
  let head = 0;
  while (head < shorter && a[head] === b[head]) head += 1;
  let tail = 0;
  while (tail < shorter - head && a[a.length - 1 - tail] === b[b.length - 1 - tail]) tail += 1;
  return { head, tail };
}

/** True when so much of the chain stays that writing only the rest is cheaper than writing it anew. */
export function isWorthEditing({ before, rules }: ChangedChain): boolean {
  const hashes = ruleHashesOf(before);
  const wanted = rules.map(({ hash }) => hash);
  const { head, tail } = commonEnds(hashes, wanted);
  const between = wanted.slice(head, wanted.length - tail).filter((hash, i) => hash === hashes[head + i]).length;
  const kept = head + tail + between;
  return kept >= KEPT_MIN && kept * 2 >= wanted.length;
}

/**
 * The operations that turn the rules a chain holds into the wanted ones, the rules that stay untouched: writing
 * them again is what costs the kernel most.
 */
export function chainEdit(seen: readonly RuleRef[], wanted: readonly Rule[]): readonly Operation[] {
  const { head, tail } = commonEnds(
    seen.map(({ hash }) => hash),
    wanted.map(({ hash }) => hash),
  );
  const leaving = seen.slice(head, seen.length - tail);
  const coming = wanted.slice(head, wanted.length - tail);
  const operations: Operation[] = [];
  for (const [i, object] of coming.entries()) {
    const there = leaving[i];
    if (there !== undefined) {
      if (there.hash !== object.hash) operations.push({ verb: 'replace', object, handle: there.handle });
      continue;
    }
    const next = seen[seen.length - tail];
    if (tail === 0 || next === undefined) operations.push({ verb: 'add', object });
    else operations.push({ verb: 'insert', object, beside: next.handle });
  }
  const chain = wanted[0]?.chain;
  if (chain === undefined) return operations;
  for (const { handle } of leaving.slice(coming.length)) operations.push({ verb: 'delete-rule', chain, handle });
  return operations;
}
