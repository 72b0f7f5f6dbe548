import { type Command, DRY_RUN_OPTION } from '../command.js';
import { CONFIG, usageOf } from '../first-era/families.js';

export const config: Command = {
  name: CONFIG.name,
  help: CONFIG.help,
  arguments: ['[words...]'],
  usage: usageOf(CONFIG),
  options: [...CONFIG.options, DRY_RUN_OPTION],
  examples: [
    ['config felix loglevel debug', "of every host's agent"],
    ['config node bgp loglevel info', "of this host's BGP"],
    ['config felix loglevel --remove', 'back to the default'],
  ],
  usesDatastore: true,
  async handler(call, context) {
    const [{ performForm }, { configHandlers }] = await Promise.all([
      import('../first-era/perform.js'),
      import('../first-era/log-levels.js'),
    ]);
    return performForm(CONFIG, configHandlers, call, context);
  },
};
