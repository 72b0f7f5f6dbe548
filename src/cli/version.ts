import { isOtherProgramsVersion, VERSION } from '../base/version.js';

/** Set by the build, from the repository that it is built in. */
declare const CALICO_GIT_COMMIT: string | undefined;

/** The commit this program was built from; `unknown` where it runs as compiled, without bundle. */
export const GIT_COMMIT =
  typeof CALICO_GIT_COMMIT === 'string' && CALICO_GIT_COMMIT !== '' ? CALICO_GIT_COMMIT : 'unknown';

/** `v3.30.1-12-gabc` → `3.30.1`. */
function bare(version: string): string {
  return version.replace(/^v/, '').replace(/-.*$/, '');
}

/** What to say when client and cluster are of different versions; undefined when they fit, or the cluster names none. */
export function explainMismatch(clusterVersion: string | undefined): string | undefined {
  if (clusterVersion === undefined || clusterVersion === '') return undefined;
  if (bare(clusterVersion) === bare(VERSION) || isOtherProgramsVersion(clusterVersion)) return undefined;
  return [
    'version mismatch.',
    `Client Version:   ${VERSION}`,
    `Cluster Version:  ${clusterVersion}`,
    'Use --allow-version-mismatch to override',
  ].join('\n');
}
