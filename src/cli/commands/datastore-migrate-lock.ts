import { type Command, DRY_RUN_OPTION, flag } from '../command.js';
import { line } from '../result.js';

export const datastoreMigrateLock: Command = {
  name: 'datastore migrate lock',
  help: 'lock the datastore: hosts hold still, no address is assigned',
  options: [DRY_RUN_OPTION],
  examples: [['datastore migrate lock', 'before a migration, a split or a repair']],
  usesDatastore: true,
  async handler(call, context) {
    const { setDatastoreReady } = await import('../../client/readiness.js');
    const { datastore } = await context.connect();
    await setDatastoreReady(datastore, false);
    return { output: [line(flag(call, 'dryRun') ? 'Would have locked the datastore.' : 'Datastore locked.')] };
  },
};
