import { workloadEndpointName } from '../../api/names.js';
import { box, type Stories } from './story.contract.js';

interface PlainEndpoint {
  readonly node: string;
  readonly orchestrator: string;
  readonly workload: string;
  readonly endpoint: string;
  readonly address: string;
}

/** A WorkloadEndpoint as one would write it. */
export function endpointYaml({ node, orchestrator, workload, endpoint, address }: PlainEndpoint): string {
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

/** Endpoints and their profiles. */
export const ENDPOINT_STORIES: Stories = {
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
};
