import type { Command } from '../command.js';
import { CONTAINER, usageOf } from '../first-era/families.js';

export const container: Command = {
  name: CONTAINER.name,
  help: CONTAINER.help,
  arguments: ['[words...]'],
  usage: usageOf(CONTAINER),
  options: CONTAINER.options,
  usesDatastore: true,
  async handler(call, context) {
    const [{ performForm }, { containerHandlers }] = await Promise.all([
      import('../first-era/perform.js'),
      import('../first-era/containers.js'),
    ]);
    return performForm(CONTAINER, containerHandlers, call, context);
  },
};
