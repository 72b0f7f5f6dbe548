import { type Command, DRY_RUN_OPTION, FILE_OPTIONS, NAMESPACE_OPTION } from '../command.js';
import { WARNINGS_OPTION } from '../write/warnings.js';

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
  examples: [
    ['delete networkpolicy web db -n shop', 'two policies of a namespace'],
    ['delete -f web.yaml --skip-not-exists', 'what the file names, as far as it is there'],
    ['delete node host-7 --dry-run', 'what would go with a node'],
  ],
  usesDatastore: true,
  async handler(call, context) {
    const { deleteResources } = await import('../write/delete-resources.js');
    return deleteResources(call, context);
  },
};
