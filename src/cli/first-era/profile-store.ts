import type { Profile } from '../../api/kinds/profile.js';
import { convertProfileName } from '../../api/v1/names.js';
import type { Client } from '../../client/client.js';
import { profileName as profileOfNetwork } from '../../docker/network-name.js';
import type { Result } from '../result.js';

export type ProfileSpec = Profile['spec'];

export function missingProfile(typed: string): Result {
  return { errors: [`Profile ${typed} does not exist.`] };
}

/**
 * The profile by the name that was typed; undefined when there is none. A Docker network's profile is found by the
 * network's name, whatever became of that.
 */
export async function findProfile(client: Client, typed: string): Promise<Profile | undefined> {
  for (const name of new Set([convertProfileName(typed), profileOfNetwork(typed)])) {
    const stored = await client.find({ kind: 'Profile', name });
    if (stored !== undefined) return stored.value;
  }
  return undefined;
}

/**
 * Changes a profile and says so.
 *
 * @param change may throw {@link Refusal}
 */
export async function changeProfile(
  client: Client,
  typed: string,
  change: (spec: ProfileSpec) => ProfileSpec,
  done: Result = {},
): Promise<Result> {
  const profile = await findProfile(client, typed);
  if (profile === undefined) return missingProfile(typed);
  const { name } = profile.metadata;
  await client.change({ kind: 'Profile', name }, (newest) => ({ ...newest, spec: change(newest.spec) }));
  return done;
}
