import { box, type Stories } from './story.contract.js';

/** Pools and single addresses. */
export const ADDRESS_STORIES: Stories = {
  'pool add is silent, judges all before it writes any, and sets the flags of a pool that is there': [
    ['pool add 192.168.0.0/16 fd80:24e2:f998:72d6::/64', ''],
    ['pool add 192.168.0.0/16 --nat-outgoing', ''],
    [
      'pool add 10.0.0.0/16 192.168.1.0/24',
      {
        refused:
          'Cannot add IP pool 192.168.1.0/24 - pool overlaps with an existing pool 192.168.0.0/16\nNo pools added.\n',
      },
    ],
    ['pool add 10.0.0.0/27', { refused: 'An IPv4 pool must have a prefix length of 26 or lower.\nNo pools added.\n' }],
    ['pool add 10.0.0.300/8', { refused: 'Invalid CIDR specified 10.0.0.300/8\nNo pools added.\n' }],
    ['pool add fd81::/64 --ipip', { refused: 'IP in IP not supported for IPv6 pools\nNo pools added.\n' }],
    [
      'pool show --ipv4',
      box(
        '+----------------+--------------+',
        '|   IPv4 CIDR    |   Options    |',
        '+----------------+--------------+',
        '| 192.168.0.0/16 | nat-outgoing |',
        '+----------------+--------------+',
      ),
    ],
  ],
  'pool range add covers a range with the fewest pools': [
    ['pool range add 10.0.0.0 10.0.1.255 --nat-outgoing', ''],
    ['pool range add 10.1.0.0 10.1.0.95', ''],
    [
      'pool show --ipv4',
      box(
        '+--------------+--------------+',
        '|  IPv4 CIDR   |   Options    |',
        '+--------------+--------------+',
        '| 10.0.0.0/23  | nat-outgoing |',
        '| 10.1.0.0/26  |              |',
        '| 10.1.0.64/27 |              |',
        '+--------------+--------------+',
      ),
    ],
    [
      'pool range add 10.0.1.0 10.0.2.255',
      { refused: 'Cannot add range - range conflicts with pool 10.0.0.0/23\nNo pools added.\n' },
    ],
    [
      'pool range add 10.2.0.9 10.2.0.1',
      { refused: 'START_IP must be a smaller ip address than END_IP\nNo pools added.\n' },
    ],
    [
      'pool range add 10.2.0.9 fd80::1',
      { refused: 'START_IP and END_IP must be the same ip version\nNo pools added.\n' },
    ],
    ['pool range add here there', { refused: 'Invalid IP address specified: here\nNo pools added.\n' }],
  ],
  'pool remove tells what it does': [
    ['pool add 10.0.0.0/16', ''],
    ['pool remove 10.0.0.0/16', 'Disabling IP Pool\nRemoving IPAM configuration for pool\nDeleted IP Pool\n'],
    ['pool remove 10.0.0.0/16', { refused: '10.0.0.0/16 is not a configured pool.\n' }],
  ],
  'ipam info and release take the address as it is': [
    ['ipam info 10.0.0.1', 'IP 10.0.0.1 is not currently assigned\n'],
    ['ipam release 10.0.0.1', { refused: 'Failed to release address\n  10.0.0.1 is not assigned\n' }],
    ['ipam info ten', { refused: 'Invalid IP address specified: ten\n' }],
  ],
};
