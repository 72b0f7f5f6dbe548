import { box, type Stories } from './story.contract.js';

/** BGP of the cluster and of this host, and settings. */
export const BGP_STORIES: Stories = {
  'BGP peers of all nodes': [
    ['bgp peer show', 'No global IPv4 BGP Peers defined.\nNo global IPv6 BGP Peers defined.\n'],
    ['bgp peer add 192.0.2.254 as 64513', ''],
    ['bgp peer add 192.0.2.254 as 64514', ''],
    ['bgp peer add 2001:db8::1 as 1.1', ''],
    [
      'bgp peer show',
      box(
        '+----------------------+--------+',
        '| Global IPv4 BGP Peer | AS Num |',
        '+----------------------+--------+',
        '|     192.0.2.254      | 64514  |',
        '+----------------------+--------+',
        '+----------------------+--------+',
        '| Global IPv6 BGP Peer | AS Num |',
        '+----------------------+--------+',
        '|     2001:db8::1      | 65537  |',
        '+----------------------+--------+',
      ),
    ],
    ['node bgp peer show --ipv4', 'No IPv4 BGP Peers defined for this node.\n'],
    ['bgp peer remove 192.0.2.254', 'BGP peer removed from global configuration\n'],
    ['bgp peer remove 192.0.2.254', { refused: '192.0.2.254 is not a globally configured peer.\n' }],
    ['bgp peer add router as 1', { refused: 'Invalid IP address specified: router\n' }],
    ['bgp peer add 192.0.2.1 as 0', { refused: 'Invalid AS Number specified: 0\n' }],
    [
      'get bgppeer -o wide',
      'NAME                                      PEERIP        NODE       ASN\n2001-0db8-0000-0000-0000-0000-0000-0001   2001:db8::1   (global)   65537\n\n',
    ],
  ],
  "BGP peers of this host, and the node's table": [
    ['node bgp peer add 192.0.2.253 as 64520', ''],
    [
      'node bgp peer show --ipv4',
      box(
        '+-----------------------------+--------+',
        '| Node specific IPv4 BGP Peer | AS Num |',
        '+-----------------------------+--------+',
        '|         192.0.2.253         | 64520  |',
        '+-----------------------------+--------+',
      ),
    ],
    ['bgp peer show --ipv4', 'No global IPv4 BGP Peers defined.\n'],
    [
      'create -f -',
      "Successfully created 1 'Node' resource(s)\n",
      'apiVersion: projectcalico.org/v3\nkind: Node\nmetadata: {name: calico-01}\nspec: {bgp: {ipv4Address: 192.0.2.1/24}}\n',
    ],
    [
      'node show',
      box(
        '+-----------+-----------+-----------+-------------------+--------------+--------------+',
        '| Hostname  | Bird IPv4 | Bird IPv6 |      AS Num       | BGP Peers v4 | BGP Peers v6 |',
        '+-----------+-----------+-----------+-------------------+--------------+--------------+',
        '| calico-01 | 192.0.2.1 |           | 64512 (inherited) | 192.0.2.253  |              |',
        '+-----------+-----------+-----------+-------------------+--------------+--------------+',
      ),
    ],
    ['node bgp peer remove 192.0.2.253', 'BGP peer removed from node configuration\n'],
    ['node bgp peer remove 192.0.2.253', { refused: '192.0.2.253 is not a configured peer for this node.\n' }],
    ['node remove --hostname=calico-09', { refused: 'Node calico-09 does not exist.\n' }],
    ['node remove', 'Node configuration removed\n'],
  ],
  'the mesh and the AS number of nodes': [
    ['bgp node-mesh', 'on\n'],
    ['bgp node-mesh off', ''],
    ['bgp node-mesh', 'off\n'],
    ['bgp default-node-as', '64512\n'],
    ['bgp default-node-as 64511', ''],
    ['bgp default-node-as', '64511\n'],
    ['bgp node-mesh', 'off\n'],
    ['bgp default-node-as many', { refused: 'Invalid AS Number specified: many\n' }],
  ],
  'log levels': [
    ['config felix loglevel', 'No value set\n'],
    ['config felix loglevel critical', ''],
    ['config felix loglevel', 'critical\n'],
    ['config felix loglevel --remove', ''],
    ['config felix loglevel', 'No value set\n'],
    ['config bgp loglevel debug', ''],
    ['config node bgp loglevel none', ''],
    ['config bgp loglevel', 'debug\n'],
    ['config node bgp loglevel', 'none\n'],
    [
      'config bgp loglevel critical',
      { refused: 'Unsupported value for bgp loglevel: critical\n  hint: write none, debug, info\n' },
    ],
    [
      'config felix colour red',
      {
        refused:
          'Unsupported config for felix: colour\n  hint: write loglevel, or give a field of the resource with --force\n',
      },
    ],
    ['config felix ipv6Support false --force', ''],
    ['config felix ipv6Support --force', 'false\n'],
  ],
};
