import { type Command, DRY_RUN_OPTION } from '../command.js';
import { NODE_BGP, usageOf } from '../first-era/families.js';

export const nodeBgp: Command = {
  name: NODE_BGP.name,
  help: NODE_BGP.help,
  arguments: ['[words...]'],
  usage: usageOf(NODE_BGP),
  options: [...NODE_BGP.options, DRY_RUN_OPTION],
  examples: [
    ['node bgp peer add 192.0.2.1 as 64512', 'peer this host with a router'],
    ['node bgp peer show', 'which it has'],
  ],
  usesDatastore: true,
  async handler(call, context) {
    const [{ performForm }, { nodeBgpHandlers }] = await Promise.all([
      import('../first-era/perform.js'),
      import('../first-era/bgp-peers.js'),
    ]);
    return performForm(NODE_BGP, nodeBgpHandlers, call, context);
  },
};
