import type { Command } from '../command.js';

export const node: Command = {
  name: 'node',
  help: 'this host: its node started, shown, checked; alone, the old form of: node run',
  options: [
    { flags: '--ip <address>', help: "this host's IPv4 address" },
    { flags: '--ip6 <address>', help: "this host's IPv6 address" },
    { flags: '--as <number>', help: "this host's AS number (default: that of the cluster)" },
    {
      flags: '--node-image <image>',
      help: 'the image to start (default: calico/node:latest, as make image builds it)',
    },
    { flags: '--runtime <runtime>', help: 'docker, or none: without a container (default: docker)' },
    { flags: '--log-dir <folder>', help: 'where logs are kept (default: /var/log/calico)' },
    { flags: '--detach <yesno>', help: 'false: stay in the foreground (default: true)' },
    { flags: '--no-pull', help: 'do not fetch the image' },
    { flags: '--libnetwork', help: 'serve the Docker network plug-in' },
    { flags: '--libnetwork-image <image>', help: 'ignored: the plug-in is in calico-node' },
    { flags: '--backend <backend>', help: 'bird or none: how hosts learn their routes (default: bird)' },
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
