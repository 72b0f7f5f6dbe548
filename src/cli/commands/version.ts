import type { Command } from '../command.js';

export const version: Command = {
  name: 'version',
  help: 'show the versions of this program and of the cluster',
  options: [
    { flags: '--client', help: 'of this program only' },
    { flags: '--poll <duration>', help: 'look again so often (1s, 10m, 2h) and say what changed; 0 looks once' },
  ],
  examples: [
    ['version', 'of this program and of the cluster'],
    ['version --client', 'without asking the datastore'],
  ],
  usesDatastore: true,
  async handler(call, context) {
    const { showVersions } = await import('../show-versions.js');
    return showVersions(call, context);
  },
};
