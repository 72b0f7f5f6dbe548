import { UnsupportedError } from '../../base/errors.js';
import type { Command } from '../command.js';

export const datastoreMigrateImport: Command = {
  name: 'datastore migrate import',
  help: 'read what export wrote into the Kubernetes datastore (not there yet)',
  options: [{ flags: '-f, --filename <file>', help: 'what export wrote; - reads standard input' }],
  examples: [['datastore migrate import -f etcd.yaml', 'what it will be, once it is there']],
  usesDatastore: true,
  handler() {
    throw new UnsupportedError(
      'ERR_CALI_CLI_DATASTORE',
      'datastore migrate import',
      'datastore migrate import fills the Kubernetes datastore only, which is not supported yet; nothing was written',
      { hint: 'to copy an etcd, use etcdctl snapshot save and restore' },
    );
  },
};
