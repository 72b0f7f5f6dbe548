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
  const meant = nearest(word, [...words.keys()]);
  const hint = meant === undefined ? {} : { hint: `did you mean "${meant}"?` };
  throw new CalicoError('ERR_CALI_CLI_KIND', `resource type '${word}' is not supported`, hint);
}
