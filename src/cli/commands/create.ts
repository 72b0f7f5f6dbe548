import { type Command, DRY_RUN_OPTION, FILE_OPTIONS, NAMESPACE_OPTION } from '../command.js';
import { WARNINGS_OPTION } from '../write/warnings.js';

export const create: Command = {
  name: 'create',
  help: 'create the resources that a file describes',
  options: [
    ...FILE_OPTIONS,
    NAMESPACE_OPTION,
    DRY_RUN_OPTION,
    WARNINGS_OPTION,
    { flags: '--skip-exists', help: 'what exists already is no error' },
  ],
  examples: [
    ['create -f web.yaml', 'only if it is not there yet'],
    ['create -f - < web.yaml', 'the same from standard input'],
    ['create -f manifests -R --skip-exists', 'a folder of files, without those that exist'],
  ],
  usesDatastore: true,
  async handler(call, context) {
    const { writeResources } = await import('../write/write-resources.js');
    return writeResources('create', call, context);
  },
};
