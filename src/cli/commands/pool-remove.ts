import { type Command, DRY_RUN_OPTION } from '../command.js';
import { PLAIN_FORMS } from '../first-era/families.js';
import { tellToday } from '../first-era/today.js';

export const poolRemove: Command = {
  name: 'pool remove',
  help: PLAIN_FORMS['pool remove'].help,
  arguments: ['<cidrs...>'],
  options: [DRY_RUN_OPTION],
  examples: [['pool remove 192.168.0.0/16', 'by its CIDR']],
  usesDatastore: true,
  async handler(call, context) {
    tellToday(context, PLAIN_FORMS['pool remove'].today);
    const { removePools } = await import('../addresses/pools.js');
    return removePools(call, context);
  },
};
