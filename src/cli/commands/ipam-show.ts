import type { Command } from '../command.js';

export const ipamShow: Command = {
  name: 'ipam show',
  help: 'show how full the pools are, or who holds an address',
  options: [
    { flags: '--ip <address>', help: 'who holds this address' },
    { flags: '--show-blocks', help: 'each block of each pool too' },
    { flags: '--show-borrowed', help: 'addresses that hosts took from the blocks of others' },
    { flags: '--show-configuration', help: 'how addresses are assigned' },
  ],
  examples: [
    ['ipam show --show-blocks', 'how full each pool and block is'],
    ['ipam show --ip=192.168.0.7', 'who holds the address'],
  ],
  usesDatastore: true,
  async handler(call, context) {
    const { showIpam } = await import('../addresses/ipam-report.js');
    return showIpam(call, context);
  },
};
