import type { Command } from '../command.js';
import { START_FLAGS } from '../host/start/flags.js';

export const nodeRun: Command = {
  name: 'node run',
  help: 'start calico-node on this host, as a container or natively',
  options: [
    START_FLAGS.ip,
    START_FLAGS.ip6,
    START_FLAGS.as,
    { flags: '--name <name>', help: "name of the node (default: the host's)" },
    { flags: '--ip-autodetection-method <method>', help: 'how its IPv4 address is found (default: first-found)' },
    { flags: '--ip6-autodetection-method <method>', help: 'how its IPv6 address is found (default: first-found)' },
    START_FLAGS.logDir,
    START_FLAGS.nodeImage,
    START_FLAGS.backend,
    { flags: '--no-default-ippools', help: 'no pool is made at start-up' },
    { flags: '--felix-config <file>', help: "the agent's settings, /etc/calico/felix.cfg inside" },
    { flags: '--dryrun', help: 'print the command, run nothing' },
    { flags: '--init-system', help: 'run in the foreground, as an init system wants it' },
    START_FLAGS.runtime,
    { flags: '--disable-docker-networking', help: 'do not serve the Docker network plug-in' },
    { flags: '--docker-networking-ifprefix <prefix>', help: 'of interfaces inside containers (default: cali)' },
    {
      flags: '--use-docker-networking-container-labels',
      help: 'labels of containers become labels of endpoints, networks get no profile',
    },
  ],
  examples: [
    ['node run --ip=autodetect --dryrun', 'see the command before it runs'],
    ['node run --runtime none --init-system', 'without a container, in the foreground, for an init system'],
    ['node run --ip=192.0.2.11 --as=64512', 'a host that peers under its own number'],
  ],
  usesDatastore: true,
  async handler(call, context) {
    const { runNode } = await import('../host/start/run.js');
    return runNode(call, context);
  },
};
