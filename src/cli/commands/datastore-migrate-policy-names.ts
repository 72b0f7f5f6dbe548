import type { Command } from '../command.js';

export const datastoreMigratePolicyNames: Command = {
  name: 'datastore migrate-policy-names',
  help: 'store policies under their own names that older versions stored under tier and name',
  options: [],
  examples: [['datastore migrate-policy-names', 'rename what older versions stored']],
  usesDatastore: true,
  async handler(_call, context) {
    const { migratePolicyNames } = await import('../migrate-policy-names.js');
    return migratePolicyNames(context);
  },
};
