import { type Command, DRY_RUN_OPTION } from '../command.js';
import { CONFIG, usageOf } from '../first-era/families.js';

export const config: Command = {
  name: CONFIG.name,
  help: CONFIG.help,
  arguments: ['[words...]'],
  usage: usageOf(CONFIG),
  options: [...CONFIG.options, DRY_RUN_OPTION],
  usesDatastore: true,
  async handler(call, context) {
    const [{ performForm }, { configHandlers }] = await Promise.all([
      import('../first-era/perform.js'),
      import('../first-era/log-levels.js'),
    ]);
    return performForm(CONFIG, configHandlers, call, context);
  },
};
