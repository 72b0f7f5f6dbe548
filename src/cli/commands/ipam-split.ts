import { type Command, DRY_RUN_OPTION } from '../command.js';

export const ipamSplit: Command = {
  name: 'ipam split',
  help: 'replace a pool by smaller ones of equal size; the datastore must be locked',
  arguments: ['<number>'],
  options: [
    { flags: '--cidr <cidr>', help: 'CIDR of the pool' },
    { flags: '--name <name>', help: 'name of the pool' },
    DRY_RUN_OPTION,
  ],
  examples: [['ipam split 4 --cidr=192.168.0.0/16', 'four pools of a /18 each in place of the one']],
  usesDatastore: true,
  async handler(call, context) {
    const { splitIpam } = await import('../addresses/ipam-split.js');
    return splitIpam(call, context);
  },
};
