import { formatKeyPath, keyPrefixes } from '../../api/keys.js';
import { isNamespaced, type Kind } from '../../api/registry.js';

/** Keys from `key` up to, not including, `rangeEnd`. */
export interface KeyRange {
  readonly key: Buffer;
  readonly rangeEnd: Buffer;
}

/** The first key after all that begin with the prefix, which ends in an ASCII character. */
function afterPrefix(prefix: string): Buffer {
  const bytes = Buffer.from(prefix);
  const last = bytes.length - 1;
  bytes[last] = (bytes[last] ?? 0) + 1;
  return bytes;
}

export function prefixRange(prefix: string): KeyRange {
  return { key: Buffer.from(prefix), rangeEnd: afterPrefix(prefix) };
}

const NOT_BY_NAME: ReadonlySet<Kind> = new Set(['IPAMBlock', 'BlockAffinity', 'IPAMConfiguration']);

/** Whether what follows the prefix of a kind's keys, within the namespace if given, is the object's name. */
function isRestOfKey(kind: Kind, namespace: string | undefined): boolean {
  return !NOT_BY_NAME.has(kind) && (namespace !== undefined || !isNamespaced(kind));
}

/** Where a list looks; what it finds may still have to be filtered by name. */
export interface RangeScope {
  readonly namespace?: string | undefined;
  readonly namePrefix?: string | undefined;
}

/** The ranges in which all objects of a kind, or those of a scope, lie. */
export function kindRanges(kind: Kind, scope: RangeScope = {}): readonly KeyRange[] {
  const { namespace, namePrefix } = scope;
  if (kind === 'BlockAffinity' && namePrefix !== undefined && /^(host|virtual):[^/]+\/$/.test(namePrefix)) {
    // The blocks of one owner lie together: everything before the family of any of them.
    const path = formatKeyPath({ kind, name: `${namePrefix}0.0.0.0/0` });
    return [prefixRange(path.slice(0, path.lastIndexOf('ipv4/')))];
  }
  const rest = isRestOfKey(kind, namespace) ? (namePrefix ?? '') : '';
  return keyPrefixes(kind, namespace).map((prefix) => prefixRange(prefix + rest));
}

/**
 * The one range that covers all these kinds, and what lies between them. One watch of it delivers a commit's events together and
 * everything in revision order, which several watches would not promise while one of them catches up.
 */
export function coveringRange(kinds: readonly Kind[]): KeyRange {
  const ranges = kinds.flatMap((kind) => kindRanges(kind));
  const first = ranges.map((range) => range.key).toSorted((a, b) => a.compare(b))[0];
  const last = ranges
    .map((range) => range.rangeEnd)
    .toSorted((a, b) => a.compare(b))
    .at(-1);
  if (first === undefined || last === undefined) throw new Error('a watch of no kinds');
  return { key: first, rangeEnd: last };
}
