import type { Command } from '../command.js';

export const poolShow: Command = {
  name: 'pool show',
  help: 'show the address pools and their flags',
  options: [
    { flags: '--ipv4', help: 'IPv4 only' },
    { flags: '--ipv6', help: 'IPv6 only' },
  ],
  usesDatastore: true,
  async handler(call, context) {
    const { showPools } = await import('../pools.js');
    return showPools(call, context);
  },
};
