import type { Command } from '../command.js';

export const ipamShow: Command = {
  name: 'ipam show',
  help: 'show how full the pools are, or who holds an address',
  options: [
    { flags: '--ip <address>', help: 'who holds this address' },
    { flags: '--show-blocks', help: 'each block of each pool too' },
  ],
  usesDatastore: true,
  async handler(call, context) {
    const { showIpam } = await import('../ipam-report.js');
    return showIpam(call, context);
  },
};
