import { bgpMeanings } from './meanings/bgp-meanings.js';
import type { FieldMeaning, KindMeaning } from './meanings/kind-meaning.js';
import { networkMeanings } from './meanings/network-meanings.js';
import { policyMeanings } from './meanings/policy-meanings.js';
import { systemMeanings } from './meanings/system-meanings.js';
import type { PublicKind } from './registry.js';

/** Every kind that people write, in their words. */
export const kindMeanings: Readonly<Record<PublicKind, KindMeaning>> = {
  ...networkMeanings,
  ...policyMeanings,
  ...bgpMeanings,
  ...systemMeanings,
};

/** What a field is for, by its path below `spec` as {@link fieldPaths} writes it. */
export function meaningOf(
  kind: PublicKind,
  path: string,
): { readonly meaning: string; readonly initial?: string } | undefined {
  const { fields } = kindMeanings[kind];
  const steps = path.replaceAll('[]', '').split('.');
  for (let from = 0; from < steps.length; from += 1) {
    const known: FieldMeaning | undefined = fields[steps.slice(from).join('.')];
    if (typeof known === 'string') return { meaning: known };
    if (known !== undefined) return { meaning: known[0], initial: known[1] };
  }
  return undefined;
}
