import type { Kind } from '../api/registry.js';
import { ValidationError } from '../base/errors.js';
import type { Datastore, ResourceKey } from '../datastore/datastore.js';

/** What is stored is not an object of its kind; nothing is wrong with what somebody wants written. */
export function isUnreadable(error: unknown): boolean {
  return error instanceof ValidationError && error.code === 'ERR_CALI_API_STORED_FORM';
}

/** Revision of what lies at a key and cannot be read; undefined when it was mended or is gone by now. */
export async function revisionOfUnreadable(store: Datastore, key: ResourceKey): Promise<string | undefined> {
  const { kind, name, namespace } = key;
  const { invalid } = await store.list<Kind>(kind, {
    namePrefix: name,
    ...(namespace === undefined ? {} : { namespace }),
  });
  return invalid.find((entry) => entry.key.name === name && entry.key.namespace === namespace)?.revision;
}
