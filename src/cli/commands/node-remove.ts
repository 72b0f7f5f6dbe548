import { type Command, DRY_RUN_OPTION, flag, textOption } from '../command.js';
import { PLAIN_FORMS } from '../first-era/families.js';
import { tellToday } from '../first-era/today.js';
import { withoutClaims } from '../result.js';

export const nodeRemove: Command = {
  name: 'node remove',
  help: `first era: ${PLAIN_FORMS['node remove'].help}`,
  options: [
    { flags: '--hostname <host>', help: 'this node (default: the one that is this host)' },
    { flags: '--remove-endpoints', help: 'with the endpoints it has' },
    DRY_RUN_OPTION,
  ],
  examples: [['node remove --hostname host-7 --remove-endpoints', 'a host that is gone for good']],
  usesDatastore: true,
  async handler(call, context) {
    const host = textOption(call, 'hostname');
    tellToday(context, PLAIN_FORMS['node remove'].today, host === undefined ? {} : { host });
    const { removeNode } = await import('../first-era/nodes.js');
    const result = await removeNode(call, context);
    return flag(call, 'dryRun') ? withoutClaims(result) : result;
  },
};
