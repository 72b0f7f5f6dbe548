import type { Command } from '../command.js';
import { PLAIN_FORMS } from '../first-era/families.js';
import { tellToday } from '../first-era/today.js';

export const ipamInfo: Command = {
  name: 'ipam info',
  help: `first era: ${PLAIN_FORMS['ipam info'].help}`,
  arguments: ['<ip>'],
  options: [],
  examples: [['ipam info 192.168.0.7', 'what is stored with it']],
  usesDatastore: true,
  async handler(call, context) {
    const [ip = ''] = call.arguments;
    tellToday(context, PLAIN_FORMS['ipam info'].today, { ip });
    const { showAddress } = await import('../first-era/ipam-address.js');
    return showAddress(ip, context);
  },
};
