import { readFileSync } from 'node:fs';
import { beforeAll, describe, expect, test } from 'vitest';
import { until } from '../../../lab/processes.js';
import { oneSubnet } from '../../../lab/topology.js';
import type { LabWorkload } from '../../../lab/workload.js';
import { useCluster } from '../../setup/cluster.js';

const HOST = 'calico-01';
const FAMILIES = [4, 6] as const;

describe('calicoctl container, on network namespaces', () => {
  const cluster = useCluster(oneSubnet(2));
  let peer: LabWorkload;
  let stranger: LabWorkload;

  beforeAll(async () => {
    peer = await cluster().addWorkload('calico-02', 'peer', { profiles: ['net1'] });
    stranger = await cluster().addWorkload('calico-02', 'stranger', { profiles: ['net2'] });
  });

  async function calicoctl(words: string, host = HOST) {
    const { status, stdout, stderr } = await cluster()
      .lab.host(host)
      .exec(['calicoctl', ...words.split(' ')], { check: false, env: { CALICOCTL_NO_NOTES: '1' } });
    return { status, stdout, stderr };
  }

  /** A namespace that nobody has connected, by a name in the host, with a program in it that answers. */
  async function container(name: string): Promise<LabWorkload> {
    const workload = await cluster().lab.addWorkload(HOST, name, { attached: false, addresses: [] });
    const { pid } = workload.record.process;
    const inner = /^NSpid:.*?(\d+)$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? '';
    await workload.host.exec(['ip', 'netns', 'attach', name, inner]);
    await workload.listen({ tcp: [80] });
    return workload;
  }

  /** Policy and routes follow the datastore in a moment. */
  const reached = (address: string) =>
    until(`${address} reached`, () => peer.canReach(address, { tcp: 80 }), { deadlineMs: 10_000 });
  const gone = (address: string) =>
    until(`${address} out of reach`, async () => !(await peer.canReach(address, { tcp: 80 }, 200)), {
      deadlineMs: 10_000,
    });

  test('a first, second and third address of both families are reached, policy applies to each, and none after its removal', async () => {
    const web = await container('web');
    const addresses = ['192.168.40.1', '192.168.40.2', 'fd80:24e2:f998:72d6::4001', 'fd80:24e2:f998:72d6::4002'];
    const [first = '', ...others] = addresses;
    const done = (text: string) => ({ status: 0, stdout: `${text}\n`, stderr: '' });
    expect(await calicoctl(`container add /run/netns/web ${first}`)).toEqual(
      done(`IP ${first} added to /run/netns/web`),
    );
    expect(await peer.canReach(first, { tcp: 80 }), 'without a profile').toBe(false);
    expect(await calicoctl('container /run/netns/web profile append net1')).toEqual(done('Profile(s) net1 appended.'));
    for (const address of others) {
      expect(await calicoctl(`container /run/netns/web ip add ${address}`)).toEqual(
        done(`IP ${address} added to /run/netns/web`),
      );
    }
    for (const address of addresses) {
      await reached(address);
      expect(await stranger.canReach(address, { tcp: 80 }), `another network to ${address}`).toBe(false);
    }
    for (const family of FAMILIES) expect(await web.can(peer, { tcp: 80 }, { family }), `out, IPv${family}`).toBe(true);
    for (const address of others) {
      expect(await calicoctl(`container /run/netns/web ip remove ${address} --interface=eth1`)).toEqual(
        done(`IP ${address} removed from /run/netns/web`),
      );
      await gone(address);
    }
    expect(await peer.canReach(first, { tcp: 80 }), 'the first address stays').toBe(true);
    expect(await calicoctl('container remove /run/netns/web')).toEqual(done('Removed Calico from /run/netns/web'));
    await gone(first);
    expect((await web.host.exec(['ip', '-br', 'link'])).stdout).not.toMatch(/^cali[0-9a-f]{11}@/m);
    for (const address of addresses) {
      expect((await calicoctl(`ipam info ${address}`)).stdout).toBe(`IP ${address} is not currently assigned\n`);
    }
  });

  test('an IPv6 address alone does, on an interface of another name', async () => {
    await container('six');
    const { stdout } = await calicoctl('container add /var/run/netns/six ipv6 --interface=net0');
    const [, address = ''] = /^IP (\S+) added to \/var\/run\/netns\/six\n$/.exec(stdout) ?? [];
    await calicoctl('container /run/netns/six profile set net1');
    await reached(address);
    const inside = await cluster()
      .lab.host(HOST)
      .exec(['ip', 'netns', 'exec', 'six', 'ip', '-br', 'addr', 'show', 'net0']);
    expect(inside.stdout).toContain(`${address}/128`);
    expect((await calicoctl('container /run/netns/six endpoint show')).stdout).toContain(` ${address} `);
  });

  test('an address that another workload has is refused, as is an interface that is not there', async () => {
    await container('late');
    const refused = (text: string) => ({ status: 1, stdout: '', stderr: `${text}\n` });
    expect(await calicoctl(`container add /run/netns/late ${peer.address(4)}`)).toEqual(
      refused('IP address is already assigned in pool 192.168.0.0/16'),
    );
    expect(await calicoctl('container add /run/netns/late 192.168.41.1')).toMatchObject({ status: 0 });
    expect(await calicoctl('container add /run/netns/late 192.168.41.2')).toEqual(
      refused('/run/netns/late has already been configured with Calico Networking.'),
    );
    expect(await calicoctl('container /run/netns/late ip add 192.168.41.2 --interface=eth9')).toEqual(
      refused('Interface provided does not exist in container. Aborting.'),
    );
    expect(await calicoctl('container /run/netns/nobody ip add 192.168.41.3')).toEqual(
      refused('/run/netns/nobody is not currently running.'),
    );
    expect((await calicoctl('node stop')).stderr).toBe(
      "Current host has active endpoints so can't be stopped. Force with --force\n",
    );
  });
});

describe('calicoctl node stop and node remove', () => {
  const cluster = useCluster(oneSubnet(1));

  test('a node is stopped, then forgotten', async () => {
    const host = cluster().lab.host(HOST);
    const run = async (...words: readonly string[]) => {
      const { stdout, stderr } = await host.exec(['calicoctl', ...words], {
        check: false,
        env: { CALICOCTL_NO_NOTES: '1' },
      });
      return stdout + stderr;
    };
    expect(await run('node', 'show')).toMatch(/\| calico-01 \| \S+ +\| +\S* +\| 64512 \(inherited\) \|/);
    expect(await run('node', 'remove')).toMatch(/^The node cannot be removed while it is running\./);
    expect(await run('node', 'stop')).toBe('Node stopped\n');
    expect(await run('node', 'stop')).toBe('Node not running\n');
    expect(await run('node', 'remove')).toBe('Node configuration removed\n');
  });
});
