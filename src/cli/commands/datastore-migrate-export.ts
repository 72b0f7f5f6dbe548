import type { Command } from '../command.js';

export const datastoreMigrateExport: Command = {
  name: 'datastore migrate export',
  help: 'write all of a locked etcd to standard output, for another datastore',
  options: [],
  examples: [['datastore migrate export > etcd.yaml', 'everything, as text']],
  usesDatastore: true,
  async handler(_call, context) {
    const { exportDatastore } = await import('../migrate/migrate-export.js');
    return exportDatastore(context);
  },
};
