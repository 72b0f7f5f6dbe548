import { type Command, DRY_RUN_OPTION } from '../command.js';
import { BGP, usageOf } from '../first-era/families.js';

export const bgp: Command = {
  name: BGP.name,
  help: BGP.help,
  arguments: ['[words...]'],
  usage: usageOf(BGP),
  options: [...BGP.options, DRY_RUN_OPTION],
  examples: [
    ['bgp peer add 192.0.2.1 as 64512', 'peer every node with a router'],
    ['bgp node-mesh off', 'and the nodes no longer with each other'],
    ['bgp default-node-as 64520', 'the number of nodes without their own'],
  ],
  usesDatastore: true,
  async handler(call, context) {
    const [{ performForm }, { bgpHandlers }] = await Promise.all([
      import('../first-era/perform.js'),
      import('../first-era/bgp-peers.js'),
    ]);
    return performForm(BGP, bgpHandlers, call, context);
  },
};
