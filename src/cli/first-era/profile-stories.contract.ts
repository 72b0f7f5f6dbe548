import { box, type Stories } from './story.contract.js';

/** Profiles with their tags and rules. */
export const PROFILE_STORIES: Stories = {
  'a profile has a tag and rules of its own': [
    ['profile add web', 'Created profile web\n'],
    ['profile add web', 'Profile web already exists.\n'],
    ['profile show', box('+------+', '| Name |', '+------+', '| web  |', '+------+')],
    ['profile web tag show', 'web\n'],
    ['profile web rule show', 'Inbound rules:\n  1 allow from tag web\nOutbound rules:\n  1 allow\n'],
    [
      'profile show --detailed',
      box(
        '+------+------+-----------------+-------------+-------------+',
        '| Name | Host | Orchestrator ID | Workload ID | Endpoint ID |',
        '+------+------+-----------------+-------------+-------------+',
        '| web  | None |      None       |    None     |    None     |',
        '+------+------+-----------------+-------------+-------------+',
      ),
    ],
    ['profile remove web', 'Deleted profile web\n'],
    ['profile remove web', { refused: 'Profile web does not exist.\n' }],
    ['profile web tag show', { refused: 'Profile web does not exist.\n' }],
  ],
  'tags come and go': [
    ['profile add web', 'Created profile web\n'],
    ['profile web tag add Blue_1', 'Tag Blue_1 added to profile web\n'],
    ['profile web tag show', 'Blue_1\nweb\n'],
    ['profile web tag remove Blue_1', 'Tag Blue_1 removed from profile web\n'],
    ['profile web tag remove Blue_1', { refused: 'Tag Blue_1 is not in profile web.\n' }],
    [
      'profile web tag add a/b',
      {
        refused:
          'Tags can only contain numbers, letters, dots, dashes and underscores, and end in none of the latter three.\n',
      },
    ],
    ['profile web tag show', 'web\n'],
  ],
  'rules are added at the end or at a position, and removed by position or by their words': [
    ['profile add web', 'Created profile web\n'],
    ['profile web rule add inbound allow tcp from cidr 10.1.2.3/8 to ports 80,8000:8080', ''],
    ['profile web rule add inbound --at=1 deny icmp type 8 code 0 from tag db', ''],
    ['profile web rule add outbound --at 2 deny udp from ports 53 to tag x cidr 192.0.2.7', ''],
    [
      'profile web rule show',
      [
        'Inbound rules:',
        '  1 deny icmp type 8 code 0 from tag db',
        '  2 allow from tag web',
        '  3 allow tcp from cidr 10.0.0.0/8 to ports 80,8000:8080',
        'Outbound rules:',
        '  1 allow',
        '  2 deny udp from ports 53 to tag x cidr 192.0.2.7/32',
        '',
      ].join('\n'),
    ],
    ['profile web rule remove inbound --at=2', ''],
    ['profile web rule remove outbound allow', ''],
    [
      'profile web rule remove outbound allow',
      { refused: 'There is no rule "allow".\n  hint: see them with: calicoctl profile web rule show\n' },
    ],
    ['profile web rule remove inbound --at=3', { refused: 'There is no position 3: they are 1 to 2.\n' }],
    ['profile web rule add inbound --at=0 allow', { refused: 'There is no position 0: they are 1 to 3.\n' }],
    [
      'profile web rule show',
      [
        'Inbound rules:',
        '  1 deny icmp type 8 code 0 from tag db',
        '  2 allow tcp from cidr 10.0.0.0/8 to ports 80,8000:8080',
        'Outbound rules:',
        '  1 deny udp from ports 53 to tag x cidr 192.0.2.7/32',
        '',
      ].join('\n'),
    ],
  ],
  'rules go out and come in as JSON': [
    ['profile add web', 'Created profile web\n'],
    [
      'profile web rule update',
      '',
      '{"id":"web","inbound_rules":[{"action":"deny","protocol":"tcp","src_tag":"db","dst_ports":[80,"90:99"]}],"outbound_rules":[{"action":"allow","protocol":"icmp","icmp_type":8,"dst_net":"10.0.0.0/8"}]}',
    ],
    [
      'profile web rule json',
      `${JSON.stringify(
        {
          inbound_rules: [{ action: 'deny', protocol: 'tcp', src_tag: 'db', dst_ports: [80, '90:99'] }],
          outbound_rules: [{ action: 'allow', protocol: 'icmp', icmp_type: 8, dst_net: '10.0.0.0/8' }],
        },
        undefined,
        2,
      )}\n`,
    ],
    [
      'profile web rule update',
      {
        refused:
          'inbound_rules[0]: there is no field "source"\n  hint: see the form with: calicoctl profile NAME rule json\n',
      },
      '{"inbound_rules":[{"action":"allow","source":"x"}]}',
    ],
    [
      'profile web rule update',
      { refused: 'standard input is not JSON\n  hint: see the form with: calicoctl profile NAME rule json\n' },
      'inbound',
    ],
  ],
};
