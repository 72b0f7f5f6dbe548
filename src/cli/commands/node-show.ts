import type { Command } from '../command.js';
import { PLAIN_FORMS } from '../first-era/families.js';
import { tellToday } from '../first-era/today.js';

export const nodeShow: Command = {
  name: 'node show',
  help: `first era: ${PLAIN_FORMS['node show'].help}`,
  options: [],
  examples: [['node show', 'every node']],
  usesDatastore: true,
  async handler(_call, context) {
    tellToday(context, PLAIN_FORMS['node show'].today);
    const { showNodes } = await import('../first-era/nodes.js');
    return showNodes(context);
  },
};
