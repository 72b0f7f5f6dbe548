import { type Command, FILE_OPTIONS, NAMESPACE_OPTION } from '../command.js';

export const diff: Command = {
  name: 'diff',
  help: 'show what apply would change, field by field; exit status 0: nothing, 1: something, 2: failed',
  options: [...FILE_OPTIONS, NAMESPACE_OPTION],
  usesDatastore: true,
  failureStatus: 2,
  examples: [['diff -f web.yaml', 'what applying the file would change']],
  async handler(call, context) {
    const { diffResources } = await import('../write/diff-resources.js');
    return diffResources(call, context);
  },
};
