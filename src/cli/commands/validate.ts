import { type Command, FILE_OPTIONS, NAMESPACE_OPTION } from '../command.js';

export const validate: Command = {
  name: 'validate',
  help: 'check the resources that a file describes, without a datastore',
  options: [...FILE_OPTIONS, NAMESPACE_OPTION],
  examples: [['validate -f manifests -R', 'every file of a folder']],
  usesDatastore: false,
  async handler(call, context) {
    const { validateResources } = await import('../manifests/validate-resources.js');
    return validateResources(call, context);
  },
};
