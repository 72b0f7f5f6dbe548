import { type Command, DRY_RUN_OPTION } from '../command.js';

export const ipamConfigure: Command = {
  name: 'ipam configure',
  help: 'set how addresses are assigned, for the whole cluster',
  options: [
    { flags: '--strictaffinity <bool>', help: 'whether a host may use addresses of its own blocks only' },
    { flags: '--max-blocks-per-host <n>', help: 'most blocks a host may have; 0: 20; needs strict affinity' },
    {
      flags: '--kubevirt-ip-persistence <mode>',
      help: 'Enabled or Disabled: a virtual machine keeps its address when it moves',
    },
    { flags: '--ip-cooldown-seconds <n>', help: 'how long nobody gets an address that was just released; 0 to 1200' },
    DRY_RUN_OPTION,
  ],
  examples: [
    ['ipam configure --strictaffinity=true', 'hosts use addresses of their own blocks only'],
    ['ipam configure --ip-cooldown-seconds=60', 'nobody gets an address within a minute after its release'],
  ],
  usesDatastore: true,
  async handler(call, context) {
    const { configureIpam } = await import('../addresses/ipam-configure.js');
    return configureIpam(call, context);
  },
};
