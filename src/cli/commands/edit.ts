import { type Command, DRY_RUN_OPTION, NAMESPACE_OPTION } from '../command.js';
import { WARNINGS_OPTION } from '../write/warnings.js';

export const edit: Command = {
  name: 'edit',
  help: 'change a resource in an editor: that of CALICOCTL_EDITOR, VISUAL or EDITOR, or vi',
  arguments: ['<kind>', '<name>'],
  options: [NAMESPACE_OPTION, DRY_RUN_OPTION, WARNINGS_OPTION],
  usesDatastore: true,
  examples: [['edit networkpolicy web -n shop', 'change the policy web in namespace shop']],
  async handler(call, context) {
    const { editResource } = await import('../write/edit-resource.js');
    return editResource(call, context);
  },
};
