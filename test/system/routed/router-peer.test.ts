import { afterEach, beforeAll, describe, expect, test } from 'vitest';
import { until } from '../../../lab/processes.js';
import { askRouter } from '../../../lab/router.js';
import { addressesOf, twoSubnetsRouted } from '../../../lab/topology.js';
import type { LabWorkload } from '../../../lab/workload.js';
import { ipv4Pool, useCluster } from '../../setup/cluster.js';

const FAMILIES = [4, 6] as const;
type Family = (typeof FAMILIES)[number];

/** The router's addresses: towards calico-01 and calico-02, and towards calico-03. */
const NEAR: Record<Family, string> = { 4: '172.18.18.1', 6: '2001:db8:18::1' };
const FAR: Record<Family, string> = { 4: '172.18.19.1', 6: '2001:db8:19::1' };

describe('hosts that peer with the router between their subnets', () => {
  const topology = twoSubnetsRouted();
  const cluster = useCluster(topology);
  const workloads = new Map<string, LabWorkload>();

  const workload = (name: string): LabWorkload => {
    const found = workloads.get(name);
    if (found === undefined) throw new Error(`no workload ${name}`);
    return found;
  };

  async function apply(resource: object): Promise<void> {
    await cluster().calicoctl(
      'calico-01',
      ['apply', '-f', '-'],
      JSON.stringify({ apiVersion: 'projectcalico.org/v3', ...resource }),
    );
  }

  /** Hosts of an AS hear each other through another: once their own number may stand in the path. */
  const peer = (name: string, spec: object) =>
    apply({ kind: 'BGPPeer', metadata: { name }, spec: { asNumber: 64_513, numAllowedLocalASNumbers: 1, ...spec } });
  const mesh = (nodeToNodeMeshEnabled: boolean, more: object = {}) =>
    apply({ kind: 'BGPConfiguration', metadata: { name: 'default' }, spec: { nodeToNodeMeshEnabled, ...more } });
  const removePeers = async (...names: readonly string[]): Promise<void> => {
    await cluster().calicoctl('calico-01', ['delete', 'bgppeer', ...names]);
  };

  async function peerWithRouter(): Promise<void> {
    for (const family of FAMILIES) await peer(`router-v${family}`, { peerIP: NEAR[family] });
  }

  /** Each host peers with its own gateway, as people do: a peer of its rack. */
  async function peerWithGateways(): Promise<void> {
    for (const family of FAMILIES) {
      await peer(`near-v${family}`, { nodeSelector: "rack == 'a'", peerIP: NEAR[family] });
      await peer(`far-v${family}`, { node: 'calico-03', peerIP: FAR[family] });
    }
  }

  /** `calicoctl node status`: one line a session. */
  async function sessions(host: string): Promise<readonly string[]> {
    const stdout = await cluster().calicoctl(host, ['node', 'status']);
    return stdout.split('\n').filter((line) => / (Established|global|node specific|node-to-node mesh) /.test(line));
  }

  async function haveSessions(kind: string, count: number): Promise<void> {
    for (const { name } of topology.hosts) {
      await until(
        `${name}: ${count} sessions, ${kind}`,
        async () => {
          const lines = await sessions(name);
          const good = lines.filter((line) => line.includes(kind) && line.includes('Established'));
          if (good.length === count && lines.length === count) return true;
          throw new Error(lines.join('\n'));
        },
        { deadlineMs: 20_000, everyMs: 100 },
      );
    }
  }

  function routerRoutes(family: Family): Promise<string> {
    return cluster()
      .lab.underlay.exec(['ip', `-${family}`, 'route', 'show', 'proto', 'bird'])
      .then(({ stdout }) => stdout);
  }

  const reaches = (from: string, to: string, family: Family): Promise<boolean> =>
    workload(from).can(workload(to), { tcp: 80 }, { family });

  async function allReach(): Promise<void> {
    for (const family of FAMILIES) {
      for (const [from, to] of [
        ['A', 'C'],
        ['C', 'A'],
        ['A', 'B'],
        ['B', 'C'],
      ] as const) {
        await until(`${from} reaches ${to} over IPv${family}`, () => reaches(from, to, family), { deadlineMs: 20_000 });
      }
    }
  }

  beforeAll(async () => {
    await mesh(false);
    for (const name of ['calico-01', 'calico-02']) {
      const { value } = await cluster().client.get({ kind: 'Node', name });
      await cluster().client.apply({
        ...value,
        metadata: { ...value.metadata, labels: { ...value.metadata.labels, rack: 'a' } },
      });
    }
    const add = async (host: string, name: string, profile: string): Promise<void> => {
      workloads.set(name, await cluster().addWorkload(host, name, { profiles: [profile] }));
    };
    await add('calico-01', 'A', 'net1');
    await add('calico-02', 'B', 'net1');
    await add('calico-03', 'C', 'net1');
    await add('calico-03', 'D', 'net2');
  }, 90_000);

  afterEach(async () => {
    const names = (await cluster().client.list('BGPPeer')).map(({ value }) => value.metadata.name);
    if (names.length > 0) await removePeers(...names);
    await mesh(false);
    await haveSessions('', 0);
  });

  test('reach each other across subnets in both families, where policy allows and not where it does not', async () => {
    await peerWithRouter();
    await haveSessions('global', 2);
    await allReach();
    for (const family of FAMILIES) {
      expect(await reaches('A', 'D', family), `another network, IPv${family}`).toBe(false);
      expect(await reaches('D', 'A', family), `the other way, IPv${family}`).toBe(false);
    }
  });

  test('tell the router their blocks and not the workloads in them', async () => {
    await peerWithRouter();
    await allReach();
    for (const family of FAMILIES) {
      const lines = (await routerRoutes(family)).trim().split('\n');
      const [length, whole] = family === 4 ? [26, 32] : [122, 128];
      expect(lines).toHaveLength(topology.hosts.length);
      for (const host of topology.hosts) {
        const address = addressesOf(topology, host)[`ipv${family}`];
        expect(lines.filter((line) => line.includes(`/${length} via ${address} `))).toHaveLength(1);
      }
      const all = await askRouter(cluster().lab.underlay, 'show', 'route', 'table', `master${family}`);
      expect(all).not.toContain(`/${whole} `);
    }
  });

  test('peer with their own gateways when peers are for one node or for those that a selector finds', async () => {
    await peerWithGateways();
    await haveSessions('node specific', 2);
    await allReach();
    expect((await sessions('calico-02')).join()).toContain(NEAR[4]);
    expect((await sessions('calico-03')).join()).toContain(FAR[4]);
  });

  test('take back what they told when a pool is no longer to be announced, and tell it again', async () => {
    await peerWithRouter();
    await allReach();
    const pool = (disableBGPExport: boolean) =>
      apply({ kind: 'IPPool', metadata: { name: 'pool4' }, spec: { cidr: ipv4Pool, disableBGPExport } });
    await pool(true);
    await until('no IPv4 block at the router', async () => (await routerRoutes(4)) === '');
    expect(await reaches('A', 'C', 4)).toBe(false);
    expect(await reaches('A', 'C', 6)).toBe(true);
    await pool(false);
    await allReach();
  });

  test('go from the mesh to the router and back, and reach each other on a subnet in either', async () => {
    await mesh(true);
    await haveSessions('node-to-node mesh', 4);
    for (const family of FAMILIES) await until('A reaches B', () => reaches('A', 'B', family));
    // The router hears of no block: what goes through it is lost.
    expect(await routerRoutes(4)).toBe('');
    expect(await reaches('A', 'C', 4)).toBe(false);
    await mesh(false);
    await peerWithRouter();
    await haveSessions('global', 2);
    await allReach();
    await mesh(true);
    await removePeers('router-v4', 'router-v6');
    await haveSessions('node-to-node mesh', 4);
    for (const family of FAMILIES) await until('A reaches B', () => reaches('A', 'B', family));
  });

  test('mark what they announce with communities, and listen where they are told', async () => {
    await peerWithRouter();
    await mesh(false, {
      bindMode: 'NodeIP',
      communities: [{ name: 'rack', value: '64512:120' }],
      prefixAdvertisements: [{ cidr: ipv4Pool, communities: ['rack', '64512:1:2'] }],
    });
    await haveSessions('global', 2);
    await until('the communities at the router', async () => {
      const said = await askRouter(cluster().lab.underlay, 'show', 'route', 'all', 'table', 'master4');
      return said.includes('BGP.community: (64512,120)') && said.includes('BGP.large_community: (64512, 1, 2)');
    });
    const { stdout } = await cluster().lab.host('calico-01').exec(['ss', '-Hltn', 'sport', '=', ':179']);
    const listening = stdout
      .trim()
      .split('\n')
      .map((line) => line.split(/ +/)[3]);
    expect(new Set(listening)).toEqual(new Set(['172.18.18.11:179', '[2001:db8:18::11]:179']));
    await allReach();
  });
});
