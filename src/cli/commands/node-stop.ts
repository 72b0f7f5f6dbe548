import type { Command } from '../command.js';
import { PLAIN_FORMS } from '../first-era/families.js';
import { tellToday } from '../first-era/today.js';

export const nodeStop: Command = {
  name: 'node stop',
  help: `first era: ${PLAIN_FORMS['node stop'].help}`,
  options: [{ flags: '--force', help: 'even while this host has endpoints' }],
  examples: [
    ['node stop', 'refused while this host has endpoints'],
    ['node stop --force', 'all the same'],
  ],
  usesDatastore: true,
  async handler(call, context) {
    tellToday(context, PLAIN_FORMS['node stop'].today);
    const { stopNode } = await import('../first-era/nodes.js');
    return stopNode(call, context);
  },
};
