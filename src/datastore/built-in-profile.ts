import { defaultAllowProfile } from '../api/kinds/profile.js';
import type { Kind } from '../api/registry.js';
import type { ResourceKey } from '../api/resource-update.js';
import type { ListOptions, Stored } from './datastore.js';
import { isBuiltIn } from './errors.js';

const DEFAULT_ALLOW_PROFILE = defaultAllowProfile.metadata.name;

/** Every get and list of profiles contains it, no watch does, and nobody can write it. */
export const builtInProfile: Stored<'Profile'> = {
  key: { kind: 'Profile', name: DEFAULT_ALLOW_PROFILE },
  value: defaultAllowProfile,
  revision: '1',
};

export function isBuiltInKey(key: ResourceKey): boolean {
  return key.kind === 'Profile' && key.name === DEFAULT_ALLOW_PROFILE;
}

/** The built-in object under the key, if there is one. */
export function builtInFor<K extends Kind>(key: ResourceKey<K>): Stored<K> | undefined {
  // The key says that K is Profile, which the compiler cannot follow.
  return isBuiltInKey(key) ? (builtInProfile as unknown as Stored<K>) : undefined;
}

/** What every list of the kind contains besides what is stored. */
export function builtInOf<K extends Kind>(kind: K, options: ListOptions = {}): readonly Stored<K>[] {
  return kind === 'Profile' && DEFAULT_ALLOW_PROFILE.startsWith(options.namePrefix ?? '')
    ? [builtInProfile as unknown as Stored<K>]
    : [];
}

/** @throws {UnsupportedError} when the object is built in */
export function refuseBuiltIn(key: ResourceKey): void {
  if (isBuiltInKey(key)) throw isBuiltIn(key);
}
