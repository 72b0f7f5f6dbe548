import { type Command, DRY_RUN_OPTION } from '../command.js';

export const poolAdd: Command = {
  name: 'pool add',
  help: 'add address pools; the same CIDR again sets its flags',
  arguments: ['<cidrs...>'],
  options: [
    { flags: '--ipip', help: 'traffic between hosts travels in IP in IP' },
    { flags: '--nat-outgoing', help: 'traffic that leaves the pools gets the address of its host' },
    DRY_RUN_OPTION,
  ],
  usesDatastore: true,
  async handler(call, context) {
    const { addPools } = await import('../pools.js');
    return addPools(call, context);
  },
};
