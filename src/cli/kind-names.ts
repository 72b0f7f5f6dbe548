import { nearest } from '../api/issues.js';
import { isPublicKind, type PublicKind, publicKinds } from '../api/registry.js';
import { CalicoError } from '../base/errors.js';

/** Every word that names a kind: kind, plural, aliases; lower case. */
export function kindWords(): ReadonlyMap<string, PublicKind> {
  const words = new Map<string, PublicKind>();
  for (const { kind, plural, aliases } of Object.values(publicKinds)) {
    if (!isPublicKind(kind)) continue;
    for (const word of [kind.toLowerCase(), plural, ...aliases]) words.set(word, kind);
  }
  return words;
}

/** @throws {CalicoError} `resource type 'x' is not supported` */
export function resolveKind(word: string): PublicKind {
  const words = kindWords();
  const kind = words.get(word.toLowerCase());
  if (kind !== undefined) return kind;
  throw new CalicoError('ERR_CALI_CLI_KIND', `resource type '${word}' is not supported`, kindHint(word, words));
}

function kindHint(word: string, words: ReadonlyMap<string, PublicKind>): { readonly hint?: string } {
  // As kubectl takes them.
  const [kind = '', name] = word.split('/');
  if (name !== undefined && words.has(kind.toLowerCase()))
    return { hint: `write kind and name apart: ${kind} ${name}` };
  if (word.includes(',')) return { hint: 'give one kind at a time' };
  const meant = nearest(word, [...words.keys()]);
  return meant === undefined ? {} : { hint: `did you mean "${meant}"?` };
}
