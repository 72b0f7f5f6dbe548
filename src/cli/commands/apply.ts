import { type Command, DRY_RUN_OPTION, FILE_OPTIONS, NAMESPACE_OPTION } from '../command.js';
import { WARNINGS_OPTION } from '../warnings.js';

export const apply: Command = {
  name: 'apply',
  help: 'create or update the resources that a file describes',
  options: [
    ...FILE_OPTIONS,
    NAMESPACE_OPTION,
    DRY_RUN_OPTION,
    WARNINGS_OPTION,
    {
      flags: '--prune',
      help: 'then delete what -l selects and no file describes, of the kinds and namespaces in the files',
    },
    { flags: '-l, --selector <selector>', help: "what --prune may delete, by its labels: app == 'web'" },
  ],
  usesDatastore: true,
  async handler(call, context) {
    const { writeResources } = await import('../write-resources.js');
    return writeResources('apply', call, context);
  },
};
