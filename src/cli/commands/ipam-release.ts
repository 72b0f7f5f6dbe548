import { type Command, DRY_RUN_OPTION } from '../command.js';
import { PLAIN_FORMS } from '../first-era/families.js';
import { tellToday } from '../first-era/today.js';

export const ipamRelease: Command = {
  name: 'ipam release',
  help: 'give addresses back that nobody uses any more',
  arguments: ['[ip]'],
  options: [
    { flags: '--ip <address>', help: 'this address' },
    {
      flags: '--from-report <file>',
      help: 'what leaked according to a report of ipam check; given several times: in all of them',
      isList: true,
    },
    { flags: '--force', help: 'although the datastore is not locked, or changed, or the report is of another version' },
    DRY_RUN_OPTION,
  ],
  examples: [
    ['ipam release --ip=192.168.0.7', 'give back one address'],
    ['ipam release --from-report=report.json', 'give back what leaked'],
  ],
  usesDatastore: true,
  async handler(call, context) {
    const [ip] = call.arguments;
    const isAlone = ['ip', 'fromReport'].every((name) => call.options[name] === undefined);
    if (ip !== undefined && isAlone) {
      tellToday(context, PLAIN_FORMS['ipam release'].today, { ip });
      const { releaseAddress } = await import('../first-era/ipam-address.js');
      return releaseAddress(ip, call, context);
    }
    const { releaseAddresses } = await import('../addresses/ipam-release.js');
    return releaseAddresses(call, context);
  },
};
