import { describe, expect, test } from 'vitest';
import { until } from '../../../lab/processes.js';
import { twoSubnetsRouted } from '../../../lab/topology.js';
import { useCluster } from '../../setup/cluster.js';

describe('hosts whose router is a route reflector of their own AS', () => {
  const cluster = useCluster(twoSubnetsRouted({ asNumber: 64_512, reflects: true }));

  test('reach each other over two subnets, and on one subnet go straight to each other', async () => {
    const resources = [
      { kind: 'BGPConfiguration', metadata: { name: 'default' }, spec: { nodeToNodeMeshEnabled: false } },
      ...['calico-01', 'calico-02', 'calico-03'].flatMap((node) => {
        const subnet = node === 'calico-03' ? 19 : 18;
        return [`172.18.${subnet}.1`, `2001:db8:${subnet}::1`].map((peerIP, index) => ({
          kind: 'BGPPeer',
          metadata: { name: `${node}-v${index === 0 ? 4 : 6}` },
          spec: { node, peerIP, asNumber: 64_512 },
        }));
      }),
    ];
    for (const resource of resources) {
      const text = JSON.stringify({ apiVersion: 'projectcalico.org/v3', ...resource });
      await cluster().calicoctl('calico-01', ['apply', '-f', '-'], text);
    }
    const a = await cluster().addWorkload('calico-01', 'A', { profiles: ['net1'] });
    const b = await cluster().addWorkload('calico-02', 'B', { profiles: ['net1'] });
    const c = await cluster().addWorkload('calico-03', 'C', { profiles: ['net1'] });
    for (const family of [4, 6] as const) {
      for (const [from, to] of [
        [a, b],
        [a, c],
        [c, a],
      ] as const) {
        const what = `${from.name} reaches ${to.name} over IPv${family}`;
        await until(what, () => from.can(to, { tcp: 80 }, { family }), { deadlineMs: 20_000 });
      }
      const { stdout } = await a.host.exec(['ip', `-${family}`, 'route', 'get', b.address(family)]);
      expect(stdout).toContain(`via ${b.host.addresses[`ipv${family}`]} dev eth0`);
    }
  });
});
