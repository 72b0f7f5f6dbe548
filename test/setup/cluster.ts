import { afterAll, beforeAll } from 'vitest';
import type { Profile } from '../../src/api/kinds/profile.js';
import { LabCluster } from '../../lab/cluster.js';
import type { HostProcess } from '../../lab/host.js';
import type { Topology } from '../../lab/topology.js';
import { useLab } from './lab.js';

export const ipv4Pool = '192.168.0.0/16';
export const ipv6Pool = 'fd80:24e2:f998:72d6::/64';

/** A lab whose hosts run `calico-node`, with the daemons by the name of their host. */
export interface TestCluster extends LabCluster {
  readonly nodes: Map<string, HostProcess>;
}

/** A network as people mean it: a profile that lets in what has the profile itself. */
export function network(name: string): Profile {
  return {
    apiVersion: 'projectcalico.org/v3',
    kind: 'Profile',
    metadata: { name },
    spec: {
      labelsToApply: { [`net/${name}`]: '' },
      ingress: [{ action: 'Allow', source: { selector: `has(net/${name})` } }],
      egress: [{ action: 'Allow' }],
    },
  };
}

/** A cluster for the tests of one file: pools of both families, networks net1 to net3, `calico-node` on every host. */
export function useCluster(topology: Topology): () => TestCluster {
  const lab = useLab(topology);
  let cluster: TestCluster | undefined;
  beforeAll(async () => {
    const made = Object.assign(new LabCluster(lab()), { nodes: new Map<string, HostProcess>() });
    cluster = made;
    await made.client.ensureInitialized();
    for (const [name, cidr] of [
      ['pool4', ipv4Pool],
      ['pool6', ipv6Pool],
    ] as const) {
      await made.client.apply({
        apiVersion: 'projectcalico.org/v3',
        kind: 'IPPool',
        metadata: { name },
        spec: { cidr, ipipMode: 'Never', vxlanMode: 'Never', natOutgoing: false },
      });
    }
    for (const name of ['net1', 'net2', 'net3']) await made.client.apply(network(name));
    await Promise.all(
      lab().hosts.map(async ({ name }) => {
        made.nodes.set(name, await made.startNode(name));
        await made.ready(name);
      }),
    );
  });
  afterAll(async () => {
    await cluster?.[Symbol.asyncDispose]();
  });
  return () => {
    if (cluster === undefined) throw new Error('the cluster is not up: use it inside a test or a later hook');
    return cluster;
  };
}
