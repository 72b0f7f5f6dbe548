import { describe, expect, test } from 'vitest';
import { isAlive } from '../../../lab/processes.js';
import { oneSubnet } from '../../../lab/topology.js';
import { useCluster } from '../../setup/cluster.js';

describe('removing a workload', () => {
  const cluster = useCluster(oneSubnet(1));

  test('leaves no rule, set element, route, neighbour, link, address, endpoint or process', async () => {
    const host = cluster().lab.host('calico-01');
    const look = async (): Promise<string> => {
      const commands = [
        ['nft', '-s', 'list', 'ruleset'],
        ['ip', '-4', 'route', 'show', 'table', 'all'],
        ['ip', '-6', 'route', 'show', 'table', 'all'],
        ['ip', '-br', 'link'],
        ['ip', 'neighbour', 'show', 'nud', 'permanent'],
      ];
      const answers = await Promise.all(commands.map((command) => host.exec(command)));
      return answers.map(({ stdout }) => stdout.replaceAll(/__(set|map)\d+/g, '__$1')).join('\n');
    };
    // The first workload also claims a block, which stays: so the second is the one to look at.
    await cluster().addWorkload('calico-01', 'A', { profiles: ['net1'] });
    const before = await look();
    const endpoints = await cluster().client.list('WorkloadEndpoint');
    const b = await cluster().addWorkload('calico-01', 'B', { profiles: ['net2'] });
    const { hostInterface } = b;
    const during = await look();
    expect(during).toContain(hostInterface);
    expect(during).toContain(b.address(4));
    await cluster().removeWorkload('B');
    await expect.poll(look, { timeout: 15_000 }).toBe(before);
    expect(isAlive(b.record.process)).toBe(false);
    expect(await cluster().client.list('WorkloadEndpoint')).toEqual(endpoints);
    await expect(cluster().ipam.attributes(b.address(4))).rejects.toThrow();
  });
});
