import { type Command, DRY_RUN_OPTION } from '../command.js';

export const datastoreMigratePolicyNames: Command = {
  name: 'datastore migrate-policy-names',
  help: 'store policies under their own names that older versions stored under tier and name',
  options: [DRY_RUN_OPTION],
  examples: [['datastore migrate-policy-names', 'rename what older versions stored']],
  usesDatastore: true,
  async handler(call, context) {
    const { migratePolicyNames } = await import('../migrate/migrate-policy-names.js');
    return migratePolicyNames(call, context);
  },
};
