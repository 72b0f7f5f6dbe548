/** What both words for starting a node take: `node run`, and `node` of the first era. */
export const START_FLAGS = {
  ip: { flags: '--ip <address>', help: "this host's IPv4 address, with or without length; autodetect; none" },
  ip6: {
    flags: '--ip6 <address>',
    help: 'the same for IPv6; without length it is stored as /128, whatever its interface has',
  },
  as: { flags: '--as <number>', help: "this host's AS number (default: that of the cluster)" },
  logDir: { flags: '--log-dir <folder>', help: 'where logs are kept (default: /var/log/calico)' },
  nodeImage: {
    flags: '--node-image <image>',
    help: 'the image to start (default: calico/node:latest, as make image builds it)',
  },
  backend: { flags: '--backend <backend>', help: 'bird, vxlan or none: how hosts learn their routes (default: bird)' },
  runtime: { flags: '--runtime <runtime>', help: 'docker, or none: without a container (default: docker)' },
} as const;
