import { type Command, DRY_RUN_OPTION, NAMESPACE_OPTION } from '../command.js';
import { WARNINGS_OPTION } from '../write/warnings.js';

export const label: Command = {
  name: 'label',
  help: 'set, change or remove a label of one resource',
  arguments: ['<kind>', '<name>', '<label>'],
  options: [
    { flags: '--overwrite', help: 'a label that has another value is set all the same' },
    { flags: '--remove', help: 'take the label away; give its key alone' },
    NAMESPACE_OPTION,
    DRY_RUN_OPTION,
    WARNINGS_OPTION,
  ],
  examples: [
    ['label node host-7 rack=r12', 'set a label'],
    ['label node host-7 rack=r13 --overwrite', 'change it'],
    ['label node host-7 rack --remove', 'take it away'],
  ],
  usesDatastore: true,
  async handler(call, context) {
    const { labelResource } = await import('../write/label-resource.js');
    return labelResource(call, context);
  },
};
