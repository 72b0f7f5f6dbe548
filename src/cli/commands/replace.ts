import { type Command, DRY_RUN_OPTION, FILE_OPTIONS, NAMESPACE_OPTION } from '../command.js';
import { WARNINGS_OPTION } from '../write/warnings.js';

export const replace: Command = {
  name: 'replace',
  help: 'update the resources that a file describes; they must exist',
  options: [...FILE_OPTIONS, NAMESPACE_OPTION, DRY_RUN_OPTION, WARNINGS_OPTION],
  examples: [['replace -f pool.yaml', 'a pool after its file was edited']],
  usesDatastore: true,
  async handler(call, context) {
    const { writeResources } = await import('../write/write-resources.js');
    return writeResources('replace', call, context);
  },
};
