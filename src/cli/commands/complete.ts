import type { Command } from '../command.js';

export const complete: Command = {
  name: '__complete',
  help: 'what may stand at the end of a line; for the scripts of `completion`',
  arguments: ['[words...]'],
  options: [],
  usesDatastore: true,
  hasOwnGrammar: true,
  isHidden: true,
  async handler(call, context) {
    const { complete: completeLine } = await import('../completion/complete.js');
    return completeLine(call, context);
  },
};
