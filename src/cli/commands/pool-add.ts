import { type Command, DRY_RUN_OPTION } from '../command.js';
import { PLAIN_FORMS } from '../first-era/families.js';
import { tellToday } from '../first-era/today.js';

export const poolAdd: Command = {
  name: 'pool add',
  help: PLAIN_FORMS['pool add'].help,
  arguments: ['<cidrs...>'],
  options: [
    { flags: '--ipip', help: 'traffic between hosts travels in IP in IP' },
    { flags: '--nat-outgoing', help: 'traffic that leaves the pools gets the address of its host' },
    DRY_RUN_OPTION,
  ],
  examples: [
    ['pool add 192.168.0.0/16 --nat-outgoing', 'a pool whose addresses stay within'],
    ['pool add fd80:24e2:f998:72d6::/64', 'an IPv6 pool'],
  ],
  usesDatastore: true,
  async handler(call, context) {
    tellToday(context, PLAIN_FORMS['pool add'].today);
    const { addPools } = await import('../addresses/pools.js');
    return addPools(call, context);
  },
};
