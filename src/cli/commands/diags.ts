import { type Command, textOption } from '../command.js';

export const diags: Command = {
  name: 'diags',
  help: 'the old form of: node diags',
  options: [{ flags: '--log-dir <folder>', help: 'where the logs are (default: /var/log/calico)' }],
  usesDatastore: false,
  async handler(call, context) {
    const { oldRootRefusal, tellToday } = await import('../old-form.js');
    const refusal = oldRootRefusal();
    if (refusal !== undefined) return refusal;
    tellToday(context, 'calicoctl node diags');
    const { nodeDiags } = await import('../node-diags.js');
    return nodeDiags(context, textOption(call, 'logDir'));
  },
};
