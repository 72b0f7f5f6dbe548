import type { Command } from '../command.js';
import { START_FLAGS } from '../host/start/flags.js';

export const node: Command = {
  name: 'node',
  help: 'this host: its node started, shown, checked; alone, the old form of: node run',
  options: [
    START_FLAGS.ip,
    START_FLAGS.ip6,
    START_FLAGS.as,
    START_FLAGS.nodeImage,
    START_FLAGS.runtime,
    START_FLAGS.logDir,
    { flags: '--detach <yesno>', help: 'false: stay in the foreground (default: true)' },
    { flags: '--no-pull', help: 'do not fetch the image' },
    { flags: '--libnetwork', help: 'serve the Docker network plug-in' },
    { flags: '--libnetwork-image <image>', help: 'ignored: the plug-in is in calico-node' },
    START_FLAGS.backend,
  ],
  examples: [['node --ip=192.0.2.11 --libnetwork', 'the old form of: node run']],
  usesDatastore: true,
  async handler(call, context) {
    const { tellToday } = await import('../first-era/today.js');
    tellToday(context, 'calicoctl node run');
    const { runOldNode } = await import('../host/start/run.js');
    return runOldNode(call, context);
  },
};
