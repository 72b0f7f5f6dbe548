import { describe, expect, test } from 'vitest';
import { workloadEndpointName } from '../../api/names.js';
import { NotFoundError } from '../../base/errors.js';
import type { Datastore } from '../../datastore/datastore.js';
import { run } from '../main.js';

/** A command and what it ends with: text on stdout, or `{ refused }` on stderr with status 1. */
type Step = readonly [command: string, expected: string | { readonly refused: string }, stdin?: string];

const box = (...lines: readonly string[]): string => `${lines.join('\n')}\n`;

interface PlainEndpoint {
  readonly node: string;
  readonly orchestrator: string;
  readonly workload: string;
  readonly endpoint: string;
  readonly address: string;
}

function endpointYaml({ node, orchestrator, workload, endpoint, address }: PlainEndpoint): string {
  const name = workloadEndpointName({ node, orchestrator, workload, endpoint });
  return [
    'apiVersion: projectcalico.org/v3',
    'kind: WorkloadEndpoint',
    `metadata: {name: ${name}, namespace: default}`,
    'spec:',
    `  {node: ${node}, orchestrator: ${orchestrator}, workload: ${workload}, endpoint: ${endpoint},`,
    `   interfaceName: cali${endpoint}, ipNetworks: [${address}/32]}`,
    '',
  ].join('\n');
}

/** Runs calicoctl on a datastore, as on the host `calico-01`. */
export function firstEra(datastore: Datastore, environment: Readonly<Record<string, string>> = {}) {
  return async (line: string, stdin = '') => {
    let stdout = '';
    let stderr = '';
    const status = await run(
      line.split(' ').filter((word) => word !== ''),
      {
        environment: { CALICOCTL_NO_NOTES: '1', NODENAME: 'calico-01', ...environment },
        datastore,
        readFile: () => Promise.reject(new NotFoundError('ERR', 'none')),
        readStdin: () => Promise.resolve(stdin),
        stdout: (text) => (stdout += text),
        stderr: (text) => (stderr += text),
      },
    );
    return { status, stdout, stderr };
  };
}

/** Something the first era could do, as a sequence of commands on an empty datastore. */
const STORIES: Readonly<Record<string, readonly Step[]>> = {
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
  'endpoints are counted, listed, chosen, and given profiles': [
    [
      'endpoint show',
      box(
        '+----------+-----------------+--------------+--------------+',
        '| Hostname | Orchestrator ID | NumWorkloads | NumEndpoints |',
        '+----------+-----------------+--------------+--------------+',
      ),
    ],
    [
      'create -f -',
      "Successfully created 3 'WorkloadEndpoint' resource(s)\n",
      [
        endpointYaml({
          node: 'calico-01',
          orchestrator: 'docker',
          workload: 'web',
          endpoint: 'e1',
          address: '10.0.0.1',
        }),
        endpointYaml({
          node: 'calico-02',
          orchestrator: 'docker',
          workload: 'web',
          endpoint: 'e1',
          address: '10.0.0.2',
        }),
        endpointYaml({
          node: 'calico-02',
          orchestrator: 'docker',
          workload: 'db',
          endpoint: 'e2',
          address: '10.0.0.3',
        }),
      ].join('---\n'),
    ],
    [
      'endpoint show',
      box(
        '+-----------+-----------------+--------------+--------------+',
        '| Hostname  | Orchestrator ID | NumWorkloads | NumEndpoints |',
        '+-----------+-----------------+--------------+--------------+',
        '| calico-01 |     docker      |      1       |      1       |',
        '| calico-02 |     docker      |      2       |      2       |',
        '+-----------+-----------------+--------------+--------------+',
      ),
    ],
    ['profile add net1', 'Created profile net1\n'],
    ['endpoint e2 profile append net1', 'Profile(s) net1 appended.\n'],
    ['endpoint e2 profile append net1', { refused: 'Profile net1 is already in endpoint profile list\n' }],
    ['endpoint e2 profile append net9', { refused: 'Profile net9 does not exist.\n' }],
    ['endpoint e1 profile set net1 --host=calico-01', 'Profile(s) set to net1.\n'],
    ['endpoint e9 profile show', { refused: 'Could not find endpoint e9.\n' }],
    [
      'endpoint show --detailed --host=calico-02 --workload=db',
      box(
        '+-----------+-----------------+-------------+-------------+-----------+-----+----------+--------+',
        '| Hostname  | Orchestrator ID | Workload ID | Endpoint ID | Addresses | MAC | Profiles | State  |',
        '+-----------+-----------------+-------------+-------------+-----------+-----+----------+--------+',
        '| calico-02 |     docker      |     db      |     e2      | 10.0.0.3  |     |   net1   | active |',
        '+-----------+-----------------+-------------+-------------+-----------+-----+----------+--------+',
      ),
    ],
    ['endpoint e2 profile show', box('+------+', '| Name |', '+------+', '| net1 |', '+------+')],
    ['endpoint e2 profile remove net1', 'Profile(s) net1 removed.\n'],
    ['endpoint e2 profile remove net1', { refused: 'Profile net1 is not in endpoint profile list\n' }],
    ['endpoint e1 profile set --host=calico-01', 'Removed all profiles from endpoint.\n'],
    ['profile remove net1', 'Deleted profile net1\n'],
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

/** The tables of the first era, on whatever keeps resources. */
export function describeFirstEra(name: string, open: () => Promise<Datastore>): void {
  describe(`calicoctl of the first era on ${name}`, () => {
    test.each(Object.keys(STORIES))('%s', async (story) => {
      const calicoctl = firstEra(await open());
      for (const [command, expected, stdin] of STORIES[story] ?? []) {
        const wanted =
          typeof expected === 'string'
            ? { status: 0, stdout: expected, stderr: '' }
            : { status: 1, stdout: '', stderr: expected.refused };
        expect(await calicoctl(command, stdin), `calicoctl ${command}`).toEqual(wanted);
      }
    });

    test('an endpoint that is not the only one of its name must be told by more', async () => {
      const calicoctl = firstEra(await open());
      for (const node of ['calico-01', 'calico-02']) {
        const yaml = endpointYaml({
          node,
          orchestrator: 'docker',
          workload: 'web',
          endpoint: 'e1',
          address: '10.0.0.1',
        });
        await calicoctl('create -f -', yaml);
      }
      const { status, stdout, stderr } = await calicoctl('endpoint e1 profile set');
      expect([status, stdout.split('\n').length, stderr.split('\n')[0]]).toEqual([
        1,
        7,
        'More than 1 endpoint matches "e1".',
      ]);
      expect((await calicoctl('endpoint e1 profile set --host calico-02')).status).toBe(0);
    });
  });
}
