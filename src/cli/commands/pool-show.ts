import type { Command } from '../command.js';
import { PLAIN_FORMS } from '../first-era/families.js';
import { tellToday } from '../first-era/today.js';

export const poolShow: Command = {
  name: 'pool show',
  help: PLAIN_FORMS['pool show'].help,
  options: [
    { flags: '--ipv4', help: 'IPv4 only' },
    { flags: '--ipv6', help: 'IPv6 only' },
  ],
  examples: [['pool show --ipv4', 'the IPv4 pools']],
  usesDatastore: true,
  async handler(call, context) {
    tellToday(context, PLAIN_FORMS['pool show'].today);
    const { showPools } = await import('../addresses/pools.js');
    return showPools(call, context);
  },
};
