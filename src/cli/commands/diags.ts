import { type Command, textOption } from '../command.js';

export const diags: Command = {
  name: 'diags',
  help: 'the old form of: node diags',
  options: [{ flags: '--log-dir <folder>', help: 'where the logs are (default: /var/log/calico)' }],
  examples: [['diags', 'one archive, in a folder of its own']],
  usesDatastore: false,
  async handler(call, context) {
    const { refuseNonRoot } = await import('../first-era/this-host.js');
    const refusal = refuseNonRoot();
    if (refusal !== undefined) return refusal;
    const { tellToday } = await import('../first-era/today.js');
    tellToday(context, 'calicoctl node diags');
    const { nodeDiags } = await import('../host/node-diags.js');
    return nodeDiags(context, textOption(call, 'logDir'));
  },
};
