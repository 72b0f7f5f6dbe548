import { type Command, DRY_RUN_OPTION } from '../command.js';
import { PLAIN_FORMS } from '../first-era/families.js';
import { tellToday } from '../first-era/today.js';

export const poolRangeAdd: Command = {
  name: 'pool range add',
  help: PLAIN_FORMS['pool range add'].help,
  arguments: ['<start>', '<end>'],
  options: [
    { flags: '--ipip', help: 'traffic between hosts travels in IP in IP' },
    { flags: '--nat-outgoing', help: 'traffic that leaves the pools gets the address of its host' },
    DRY_RUN_OPTION,
  ],
  examples: [['pool range add 192.168.0.0 192.168.1.127', 'a /24 and a /25']],
  usesDatastore: true,
  async handler(call, context) {
    tellToday(context, PLAIN_FORMS['pool range add'].today);
    const { addPoolRange } = await import('../addresses/pools.js');
    return addPoolRange(call, context);
  },
};
