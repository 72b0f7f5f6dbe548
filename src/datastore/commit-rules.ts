import { formatKeyPath } from '../api/keys.js';
import { refuseBuiltIn } from './built-in-profile.js';
import type { ResourceKey, WriteOperation } from './datastore.js';
import { commitIsBad, parseRevision } from './errors.js';

/** Below etcd's default limit of 128 operations in a transaction. */
export const MAX_COMMIT_OPERATIONS = 100;

/**
 * What every backend refuses before it asks its store: too many writes, two writes of one object (etcd refuses them), built-in objects,
 * text that is no revision.
 */
export function checkCommit(operations: readonly WriteOperation[]): void {
  if (operations.length > MAX_COMMIT_OPERATIONS) {
    throw commitIsBad(`it has ${operations.length} writes, at most ${MAX_COMMIT_OPERATIONS} fit`);
  }
  const paths = new Set<string>();
  for (const operation of operations) {
    refuseBuiltIn(operation.key);
    const path = formatKeyPath(operation.key);
    if (paths.has(path)) throw commitIsBad(`it writes ${path} twice`);
    paths.add(path);
    if ('revision' in operation && operation.revision !== undefined) parseRevision(operation.revision);
  }
}

/** Order of lists: by namespace, then name, by UTF-16 code units. */
function compareKeys(a: { readonly key: ResourceKey }, b: { readonly key: ResourceKey }): number {
  const [namespaceA, namespaceB] = [a.key.namespace ?? '', b.key.namespace ?? ''];
  if (namespaceA !== namespaceB) return namespaceA < namespaceB ? -1 : 1;
  if (a.key.name === b.key.name) return 0;
  return a.key.name < b.key.name ? -1 : 1;
}

/** The list in the order of {@link compareKeys}; looks first, because a store's own order is mostly that already. */
export function sortedByKey<T extends { readonly key: ResourceKey }>(list: readonly T[]): readonly T[] {
  for (let i = 1; i < list.length; i += 1) {
    const [before, after] = [list[i - 1], list[i]];
    if (before !== undefined && after !== undefined && compareKeys(before, after) > 0)
      return list.toSorted(compareKeys);
  }
  return list;
}
