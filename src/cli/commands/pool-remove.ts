import { type Command, DRY_RUN_OPTION } from '../command.js';

export const poolRemove: Command = {
  name: 'pool remove',
  help: 'remove address pools; addresses in use stay',
  arguments: ['<cidrs...>'],
  options: [DRY_RUN_OPTION],
  usesDatastore: true,
  async handler(call, context) {
    const { removePools } = await import('../pools.js');
    return removePools(call, context);
  },
};
