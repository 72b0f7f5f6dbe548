import type { Command } from '../command.js';

export const nodeStatus: Command = {
  name: 'node status',
  help: 'show how this host is: its BGP peers, and what ails it',
  options: [],
  examples: [['node status', 'of this host; as root']],
  usesDatastore: false,
  async handler() {
    if (process.geteuid?.() !== 0) return { errors: ['Need super user privileges: Operation not permitted'] };
    const { readNodeReport } = await import('../host/node-report.js');
    return readNodeReport();
  },
};
