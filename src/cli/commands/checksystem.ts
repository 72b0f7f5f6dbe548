import { type Command, flag, textOption } from '../command.js';

export const checksystem: Command = {
  name: 'checksystem',
  help: 'the old form of: node checksystem',
  options: [
    { flags: '--fix', help: 'deprecated, does nothing' },
    { flags: '--libnetwork', help: 'check that the Docker engine takes network plug-ins' },
    { flags: '--runtime <runtime>', help: 'docker or none: whether to look at the Docker engine (default: docker)' },
  ],
  examples: [
    ['checksystem', 'this host, as root'],
    ['checksystem --libnetwork', 'and whether Docker takes network plug-ins'],
  ],
  usesDatastore: false,
  async handler(call, context) {
    const { refuseNonRoot } = await import('../first-era/this-host.js');
    const refusal = refuseNonRoot();
    if (refusal !== undefined) return refusal;
    const { tellToday } = await import('../first-era/today.js');
    tellToday(context, 'calicoctl node checksystem');
    if (flag(call, 'fix')) context.tell('note: --fix is deprecated and does nothing');
    const { checkOldSystem } = await import('../host/old-checksystem.js');
    return checkOldSystem(context, {
      runtime: textOption(call, 'runtime') ?? 'docker',
      hasLibnetwork: flag(call, 'libnetwork'),
    });
  },
};
