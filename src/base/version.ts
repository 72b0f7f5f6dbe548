/** Of all these programs; equals the one in package.json. */
export const VERSION = 'v0.1.0';

/**
 * Versions of the other programs that keep a datastore in this form: theirs are v3. A cluster they made is worked on as it is, and keeps
 * their version, which their own tools compare with their own.
 */
export function isOtherProgramsVersion(version: string): boolean {
  return /^v?3\./.test(version);
}
