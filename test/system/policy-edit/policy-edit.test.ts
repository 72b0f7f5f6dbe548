import { beforeAll, describe, expect, test } from 'vitest';
import type { GlobalNetworkPolicy } from '../../../src/api/kinds/global-network-policy.js';
import { oneSubnet } from '../../../lab/topology.js';
import { useCluster } from '../../setup/cluster.js';

const net2ToNet1 = (port: number): GlobalNetworkPolicy => ({
  apiVersion: 'projectcalico.org/v3',
  kind: 'GlobalNetworkPolicy',
  metadata: { name: 'net2-to-net1' },
  spec: {
    selector: 'has(net/net1)',
    types: ['Ingress'],
    ingress: [
      { action: 'Allow', source: { selector: 'has(net/net1)' } },
      { action: 'Allow', protocol: 'TCP', source: { selector: 'has(net/net2)' }, destination: { ports: [port] } },
    ],
  },
});

describe('a policy edit', () => {
  const cluster = useCluster(oneSubnet(1));

  beforeAll(async () => {
    await cluster().addWorkload('calico-01', 'A', { profiles: ['net1'] });
    await cluster().addWorkload('calico-01', 'B', { profiles: ['net2'] });
    await cluster()
      .lab.workload('A')
      .listen({ tcp: [80, 81] });
  });

  test.each([4, 6] as const)('opens one port, moves it, and closes it again, over IPv%i', async (family) => {
    const [a, b] = [cluster().lab.workload('A'), cluster().lab.workload('B')];
    const reaches = (tcp: number): Promise<boolean> => b.can(a, { tcp }, { family, timeoutMs: 300 });
    expect(await reaches(80), 'before the policy').toBe(false);

    const waiting = b.firstThrough(a, 80, { family });
    await cluster().client.create(net2ToNet1(80));
    const committed = Number(process.hrtime.bigint()) / 1e6;
    const delayMs = (await waiting) - committed;
    expect(delayMs, 'from the commit to the first connection').toBeLessThan(1_000);
    expect(await reaches(81), 'another port').toBe(false);
    expect(await a.can(b, { tcp: 80 }, { family }), 'the other way').toBe(false);

    await cluster().client.update(net2ToNet1(81));
    await expect.poll(() => reaches(81), { timeout: 5_000 }).toBe(true);
    expect(await reaches(80), 'the port that was open').toBe(false);

    await cluster().client.delete({ kind: 'GlobalNetworkPolicy', name: 'net2-to-net1' });
    await expect.poll(() => reaches(81), { timeout: 5_000 }).toBe(false);
    expect(await reaches(80)).toBe(false);
  });

  test('by calicoctl on the host does the same', async () => {
    const [a, b] = [cluster().lab.workload('A'), cluster().lab.workload('B')];
    expect(await b.can(a, { tcp: 80 })).toBe(false);
    await cluster().calicoctl('calico-01', ['apply', '-f', '-'], JSON.stringify(net2ToNet1(80)));
    await expect.poll(() => b.can(a, { tcp: 80 }), { timeout: 5_000 }).toBe(true);
    await cluster().calicoctl('calico-01', ['delete', 'globalnetworkpolicy', 'net2-to-net1']);
    await expect.poll(() => b.can(a, { tcp: 80 }), { timeout: 5_000 }).toBe(false);
  });
});
