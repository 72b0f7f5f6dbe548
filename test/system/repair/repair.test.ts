import { beforeAll, describe, expect, test } from 'vitest';
import { watchRuleset } from '../../../lab/kernel-writes.js';
import { oneSubnet } from '../../../lab/topology.js';
import { useCluster } from '../../setup/cluster.js';

describe('damage by others', () => {
  const cluster = useCluster(oneSubnet(1));

  beforeAll(async () => {
    await cluster().addWorkload('calico-01', 'A', { profiles: ['net1'] });
    await cluster().addWorkload('calico-01', 'B', { profiles: ['net2'] });
    await cluster().addWorkload('calico-01', 'C', { profiles: ['net1'] });
  });

  /** The ruleset without counters, its tables, chains and sets in alphabetical order: what is made anew stands elsewhere. */
  const stateless = async (): Promise<string> => {
    const { stdout } = await cluster().lab.host('calico-01').exec(['nft', '-s', 'list', 'ruleset']);
    // Anonymous sets are numbered anew each time.
    const tables = stdout.replaceAll(/__(set|map)\d+/g, '__$1').split(/^(?=table )/m);
    const inOrder = tables.map((table) => {
      const [head = '', ...blocks] = table.split(/^(?=\t\S.*\{$)/m);
      return [head, ...blocks.map((block) => block.replace(/^\}$/m, '').trim()).toSorted()].join('\n');
    });
    return inOrder.toSorted().join('\n');
  };

  test.each([
    ['our table flushed', ['nft', 'flush', 'table', 'inet', 'calico']],
    ['our table deleted', ['nft', 'delete', 'table', 'inet', 'calico']],
    ['the whole ruleset flushed', ['nft', 'flush', 'ruleset']],
    ['iptables flushed', ['iptables', '-F']],
  ])('%s: repaired to what it was, and then as open and as closed as before', async (_, command) => {
    const host = cluster().lab.host('calico-01');
    const [a, b, c] = ['A', 'B', 'C'].map((name) => cluster().lab.workload(name));
    if (a === undefined || b === undefined || c === undefined) throw new Error('a workload is missing');
    expect(await a.can(c, { tcp: 80 })).toBe(true);
    const before = await stateless();
    const watch = await watchRuleset(host.init.pid);
    try {
      await host.exec(command);
      await expect.poll(() => watch.lines.some(({ text }) => text.startsWith('delete'))).toBe(true);
      await expect.poll(stateless, { timeout: 5_000 }).toBe(before);
    } finally {
      await watch.stop();
    }
    expect(await a.can(c, { tcp: 80 })).toBe(true);
    expect(await b.can(a, { tcp: 80 })).toBe(false);
    expect(await b.can(a, { tcp: 80 }, { family: 6 })).toBe(false);
  });

  test('a workload route deleted: put back', async () => {
    const host = cluster().lab.host('calico-01');
    const [a, c] = [cluster().lab.workload('A'), cluster().lab.workload('C')];
    const routes = async (): Promise<readonly string[]> => {
      const lists = await Promise.all(['-4', '-6'].map((family) => host.exec(['ip', family, 'route', 'show'])));
      return lists.flatMap(({ stdout }) => stdout.split('\n')).toSorted();
    };
    const before = await routes();
    expect(before.filter((line) => line.startsWith(`${c.address(4)} `))).toHaveLength(1);
    await host.exec(['ip', 'route', 'del', c.address(4)]);
    await host.exec(['ip', '-6', 'route', 'del', c.address(6)]);
    await expect.poll(routes, { timeout: 5_000 }).toEqual(before);
    for (const family of [4, 6] as const) {
      await expect.poll(() => a.can(c, { tcp: 80 }, { family }), { timeout: 5_000 }).toBe(true);
    }
  });
});
