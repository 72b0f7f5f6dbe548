import type { Kind } from '../api/registry.js';
import type { ResourceKey } from '../api/resource-update.js';
import { decodeStored } from '../api/stored-form.js';
import { ValidationError } from '../base/errors.js';
import type { WatchEvent } from './datastore.js';

/** A stored change as readers see it; no text means deleted. */
export function decodeEvent<K extends Kind>(
  key: ResourceKey<K>,
  text: string | undefined,
  revision: string,
): WatchEvent {
  const { kind } = key;
  let event: unknown;
  if (text === undefined) event = { type: 'delete', kind, key, revision };
  else {
    try {
      event = { type: 'put', kind, key, value: decodeStored(key, text), revision };
    } catch (error) {
      if (!(error instanceof ValidationError)) throw error;
      event = { type: 'invalid', kind, key, revision, reason: error.message };
    }
  }
  // The value was decoded for this kind; the compiler cannot pair the two inside a union.
  return event as WatchEvent;
}
