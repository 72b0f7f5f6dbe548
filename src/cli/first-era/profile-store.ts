import type { Profile } from '../../api/kinds/profile.js';
import { convertProfileName } from '../../api/v1/names.js';
import type { Client } from '../../client/client.js';
import { profileName as profileOfNetwork } from '../../docker/network-name.js';
import type { Result } from '../result.js';
import { repeatOnConflict } from './repeat.js';

export type ProfileSpec = Profile['spec'];

export function missingProfile(typed: string): Result {
  return { errors: [`Profile ${typed} does not exist.`] };
}

/**
 * The profile by the name that was typed, with its revision; undefined when there is none. A Docker network's profile is found by the
 * network's name, whatever became of that.
 */
export async function findProfile(client: Client, typed: string): Promise<Profile | undefined> {
  for (const name of new Set([convertProfileName(typed), profileOfNetwork(typed)])) {
    const stored = await client.find({ kind: 'Profile', name });
    if (stored === undefined) continue;
    return { ...stored.value, metadata: { ...stored.value.metadata, resourceVersion: stored.revision } };
  }
  return undefined;
}

/** @returns undefined when it was written, else why not */
export function changeProfile(
  client: Client,
  typed: string,
  change: (spec: ProfileSpec) => { readonly spec: ProfileSpec } | { readonly refusal: string },
): Promise<Result | undefined> {
  return repeatOnConflict(async () => {
    const profile = await findProfile(client, typed);
    if (profile === undefined) return missingProfile(typed);
    const changed = change(profile.spec);
    if ('refusal' in changed) return { errors: [changed.refusal] };
    await client.update({ ...profile, spec: changed.spec });
    return undefined;
  });
}
