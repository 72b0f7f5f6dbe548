import { type Command, DRY_RUN_OPTION, flag } from '../command.js';
import { line } from '../result.js';

export const datastoreMigrateUnlock: Command = {
  name: 'datastore migrate unlock',
  help: 'unlock the datastore: hosts catch up with what changed',
  options: [DRY_RUN_OPTION],
  examples: [['datastore migrate unlock', 'afterwards']],
  usesDatastore: true,
  async handler(call, context) {
    const { setDatastoreReady } = await import('../../client/readiness.js');
    const { datastore } = await context.connect();
    await setDatastoreReady(datastore, true);
    return { output: [line(flag(call, 'dryRun') ? 'Would have unlocked the datastore.' : 'Datastore unlocked.')] };
  },
};
