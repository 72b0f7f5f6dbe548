import { type Command, DRY_RUN_OPTION } from '../command.js';
import { BGP, usageOf } from '../first-era/families.js';

export const bgp: Command = {
  name: BGP.name,
  help: BGP.help,
  arguments: ['[words...]'],
  usage: usageOf(BGP),
  options: [...BGP.options, DRY_RUN_OPTION],
  usesDatastore: true,
  async handler(call, context) {
    const [{ performForm }, { bgpHandlers }] = await Promise.all([
      import('../first-era/perform.js'),
      import('../first-era/bgp-peers.js'),
    ]);
    return performForm(BGP, bgpHandlers, call, context);
  },
};
