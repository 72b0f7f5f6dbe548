import { type Command, textOption } from '../command.js';

export const nodeDiags: Command = {
  name: 'node diags',
  help: 'collect what helps to understand a problem of this host into one archive, without secrets',
  options: [{ flags: '--log-dir <folder>', help: 'where the logs are (default: /var/log/calico)' }],
  examples: [
    ['node diags', 'one archive, in a folder of its own'],
    ['node diags --log-dir /srv/log/calico', 'with logs that lie elsewhere'],
  ],
  usesDatastore: false,
  async handler(call, context) {
    if (process.geteuid?.() !== 0) return { errors: ['Need super user privileges: Operation not permitted'] };
    const { nodeDiags: collect } = await import('../host/node-diags.js');
    return collect(context, textOption(call, 'logDir'));
  },
};
