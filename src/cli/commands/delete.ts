import { type Command, DRY_RUN_OPTION, FILE_OPTIONS, NAMESPACE_OPTION } from '../command.js';
import { WARNINGS_OPTION } from '../warnings.js';

export const remove: Command = {
  name: 'delete',
  help: 'delete resources by kind and name, or those that a file names',
  arguments: ['[kind]', '[names...]'],
  options: [
    ...FILE_OPTIONS,
    NAMESPACE_OPTION,
    DRY_RUN_OPTION,
    WARNINGS_OPTION,
    { flags: '-s, --skip-not-exists', help: 'what does not exist is no error' },
  ],
  usesDatastore: true,
  async handler(call, context) {
    const { deleteResources } = await import('../delete-resources.js');
    return deleteResources(call, context);
  },
};
