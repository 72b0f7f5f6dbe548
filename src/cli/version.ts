/** Of this program; equals the one in package.json. */
export const CLIENT_VERSION = 'v0.1.0';

/** `v3.30.1-12-gabc` → `3.30.1`. */
function bare(version: string): string {
  return version.replace(/^v/, '').replace(/-.*$/, '');
}

/** What to say when client and cluster are of different versions; undefined when they fit, or the cluster names none. */
export function explainMismatch(clusterVersion: string | undefined): string | undefined {
  if (clusterVersion === undefined || clusterVersion === '' || bare(clusterVersion) === bare(CLIENT_VERSION)) {
    return undefined;
  }
  return [
    'version mismatch.',
    `Client Version:   ${CLIENT_VERSION}`,
    `Cluster Version:  ${clusterVersion}`,
    'Use --allow-version-mismatch to override',
  ].join('\n');
}
