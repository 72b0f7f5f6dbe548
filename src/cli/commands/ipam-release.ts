import type { Command } from '../command.js';

export const ipamRelease: Command = {
  name: 'ipam release',
  help: 'give addresses back that nobody uses any more',
  options: [
    { flags: '--ip <address>', help: 'this address' },
    {
      flags: '--from-report <file>',
      help: 'what leaked according to a report of ipam check; given several times: in all of them',
      isList: true,
    },
    { flags: '--force', help: 'although the datastore is not locked, or changed, or the report is of another version' },
  ],
  usesDatastore: true,
  async handler(call, context) {
    const { releaseAddresses } = await import('../ipam-release.js');
    return releaseAddresses(call, context);
  },
};
