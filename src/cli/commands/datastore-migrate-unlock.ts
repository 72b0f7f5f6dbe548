import type { Command } from '../command.js';
import { line } from '../result.js';

export const datastoreMigrateUnlock: Command = {
  name: 'datastore migrate unlock',
  help: 'unlock the datastore: hosts catch up with what changed',
  options: [],
  examples: [['datastore migrate unlock', 'afterwards']],
  usesDatastore: true,
  async handler(_call, context) {
    const { setDatastoreReady } = await import('../../client/readiness.js');
    const { datastore } = await context.connect();
    await setDatastoreReady(datastore, true);
    return { output: [line('Datastore unlocked.')] };
  },
};
