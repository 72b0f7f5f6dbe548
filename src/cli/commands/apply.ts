import { type Command, DRY_RUN_OPTION, FILE_OPTIONS, NAMESPACE_OPTION } from '../command.js';
import { WARNINGS_OPTION } from '../write/warnings.js';

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
  examples: [
    ['apply -f web.yaml', 'what the file says, whether it is there already or not'],
    ['apply -f manifests -R --dry-run', 'what a folder of files would do'],
    ['apply -f team.yaml --prune -l "owner == \'team\'"', "and delete what else is the team's"],
  ],
  usesDatastore: true,
  async handler(call, context) {
    const { writeResources } = await import('../write/write-resources.js');
    return writeResources('apply', call, context);
  },
};
