import { type Command, flag } from '../command.js';
import { line } from '../result.js';
import { VERSION } from '../../base/version.js';

export const version: Command = {
  name: 'version',
  help: 'show the versions of this program and of the cluster',
  options: [{ flags: '--client', help: 'of this program only' }],
  usesDatastore: true,
  async handler(call, context) {
    const client = [line(`Client Version:    ${VERSION}`), line('Git commit:        unknown')];
    if (flag(call, 'client')) return { output: client };
    try {
      const connected = await context.connectUnchecked();
      const { value } = await connected.get({ kind: 'ClusterInformation', name: 'default' });
      const { calicoVersion, clusterType } = value.spec;
      const cluster = [
        `Cluster Version:   ${calicoVersion ?? 'unknown'}`,
        `Cluster Type:      ${clusterType ?? 'unknown'}`,
      ];
      return { output: [...client, ...cluster.map(line)] };
    } catch {
      // Whatever the reason, this program's own version was the question too.
      return { output: [...client, line('Unable to detect installed Calico version')] };
    }
  },
};
