import { beforeAll, describe, expect, test } from 'vitest';
import { until } from '../../lab/processes.js';
import { CALICO, FIRST, onEachEngine, run, useDocker } from '../setup/docker.js';

onEachEngine((generation) => {
  describe('calicoctl container', () => {
    const docker = useDocker({ generation, hosts: 1 });

    beforeAll(async () => {
      await calicoctl('pool add 192.168.0.0/16 fd80:24e2:f998:72d6::/64');
      await calicoctl('profile add web');
    });

    async function calicoctl(words: string): Promise<string> {
      const { stdout, stderr } = await docker()
        .lab.host(FIRST)
        .exec(['calicoctl', ...words.split(' ')], {
          check: false,
          env: { CALICOCTL_NO_NOTES: '1' },
        });
      return stdout + stderr;
    }

    const start = (name: string, words: string) => run(docker(), FIRST, name, words);
    const pings = (from: string, target: string, family: 4 | 6 = 4) => docker().pings(FIRST, from, target, { family });
    const inside = async (name: string) => (await docker().docker(FIRST, `exec ${name} ip addr`)).stdout;

    test('containers without a network get one, a second and a third address, and lose them', async () => {
      const hosts = docker();
      await start('one', '--net none');
      await start('two', '--net none');
      expect(await calicoctl('container add one 192.168.50.1')).toBe('IP 192.168.50.1 added to one\n');
      expect(await calicoctl('container add two 192.168.50.2')).toBe('IP 192.168.50.2 added to two\n');
      expect(await calicoctl('container add two ipv4')).toBe(
        'two has already been configured with Calico Networking.\n',
      );
      expect(await pings('one', '192.168.50.2'), 'without a profile').toBe(false);
      const id = (await hosts.docker(FIRST, 'inspect -f {{.Id}} two')).stdout.trim();
      for (const name of ['one', id.slice(0, 12)]) {
        expect(await calicoctl(`container ${name} profile set web`)).toBe('Profile(s) set to web.\n');
      }
      await until('the first address', () => pings('one', '192.168.50.2'));
      for (const address of ['192.168.50.3', 'fd80:24e2:f998:72d6::5003']) {
        expect(await calicoctl(`container two ip add ${address}`)).toBe(`IP ${address} added to two\n`);
        expect(await inside('two')).toContain(address);
      }
      await calicoctl('container one ip add fd80:24e2:f998:72d6::5001 --interface=eth1');
      await until('the second address', () => pings('one', '192.168.50.3'));
      await until('the IPv6 address', () => pings('one', 'fd80:24e2:f998:72d6::5003', 6));
      expect(await calicoctl('container two ip remove 192.168.50.3')).toBe('IP 192.168.50.3 removed from two\n');
      await until('the second address gone', async () => !(await pings('one', '192.168.50.3')));
      expect(await pings('one', '192.168.50.2'), 'the first one stays').toBe(true);
      expect(await calicoctl('container remove two')).toBe('Removed Calico from two\n');
      expect(await inside('two')).not.toContain('eth1');
      await hosts.docker(FIRST, 'rm -f one two');
      expect(await calicoctl('container remove one')).toBe('Container one was not found.\n');
      const [left] = await hosts.cluster.client.list('WorkloadEndpoint');
      const forgotten = left?.value.spec.workload?.slice(0, 12) ?? '';
      expect(await calicoctl(`container remove ${forgotten}`)).toBe(`Removed Calico from ${forgotten}\n`);
      expect(await hosts.cluster.client.list('WorkloadEndpoint')).toEqual([]);
    });

    test('a container on a network of Docker gets a second address, which goes with it', async () => {
      const hosts = docker();
      await hosts.createNetwork(`${CALICO} net1`);
      await start('member', '--net net1');
      await start('other', '--net net1');
      expect(await calicoctl('container member ip add 192.168.51.1')).toBe('IP 192.168.51.1 added to member\n');
      await until('the second address', () => pings('other', '192.168.51.1'));
      expect(await calicoctl('container member ip add 192.168.51.2 --interface=eth7')).toBe(
        'Interface provided does not exist in container. Aborting.\n',
      );
      expect(await calicoctl('container remove member')).toMatch(/^member is on a network of Docker\./);
      expect(await calicoctl('container member ip remove 192.168.51.1')).toBe('IP 192.168.51.1 removed from member\n');
      await until('the second address gone', async () => !(await pings('other', '192.168.51.1')));
      expect(await calicoctl('container member ip add 192.168.51.3')).toBe('IP 192.168.51.3 added to member\n');
      expect(await hosts.cluster.ipam.addressesByHandle('libnetwork.calico-01')).toContain('192.168.51.3');
      await hosts.docker(FIRST, 'rm -f member other');
      await until(
        'the second address released',
        async () => (await calicoctl('ipam info 192.168.51.3')).includes('not currently assigned'),
        { everyMs: 100 },
      );
      await hosts.docker(FIRST, 'network rm net1');
    });

    test('containers that cannot be connected are refused', async () => {
      const hosts = docker();
      await start('hostly', '--net host');
      await hosts.docker(FIRST, 'create --name still busybox');
      expect(await calicoctl('container add hostly ipv4')).toBe(
        "Can't add hostly to Calico because it is running NetworkMode = host.\n",
      );
      expect(await calicoctl('container add still ipv4')).toBe('still is not currently running.\n');
      expect(await calicoctl('container add nobody ipv4')).toBe('Container nobody was not found.\n');
      expect(await calicoctl('container hostly ip add ipv4')).toBe(
        [
          'Failed to add IP address to container.',
          'Container hostly is unknown to Calico.',
          'Use "calicoctl container add" to add the container to the Calico network.',
          '',
        ].join('\n'),
      );
      await hosts.docker(FIRST, 'rm -f hostly still');
    });
  });
});
