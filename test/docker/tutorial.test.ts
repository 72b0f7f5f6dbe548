import { describe, expect, test } from 'vitest';
import { until } from '../../lab/processes.js';
import { CALICO, FIRST, onEachEngine, removeAll, run, SECOND, useDocker } from '../setup/docker.js';

onEachEngine((generation) => {
  describe('networks with Calico IPAM', () => {
    const docker = useDocker({ generation });

    test('workloads A to E over two hosts reach each other by name within a network, and nobody outside it', async () => {
      const hosts = docker();
      for (const network of ['net1', 'net2', 'net3']) await hosts.createNetwork(`${CALICO} ${network}`);
      await run(hosts, FIRST, 'workload-A', '--net net1');
      await run(hosts, FIRST, 'workload-B', '--net net2');
      await run(hosts, FIRST, 'workload-C', '--net net1');
      await run(hosts, SECOND, 'workload-D', '--net net3');
      await run(hosts, SECOND, 'workload-E', '--net net1');
      const fromA = (target: string): Promise<boolean> => hosts.pings(FIRST, 'workload-A', target);
      expect(await fromA('workload-C.net1')).toBe(true);
      expect(await fromA('workload-C')).toBe(true);
      const addressE = await hosts.address(SECOND, 'workload-E', 'net1');
      await until('the route to the other host', () => fromA(addressE));
      if (generation === '20.10') expect(await fromA('workload-E.net1')).toBe(true);
      expect(await fromA(await hosts.address(FIRST, 'workload-B', 'net2'))).toBe(false);
      expect(await fromA(await hosts.address(SECOND, 'workload-D', 'net3'))).toBe(false);
      expect(await fromA('workload-B')).toBe(false);
      expect(await hosts.pings(SECOND, 'workload-D', addressE)).toBe(false);
      await removeAll(hosts, 'net1', 'net2', 'net3');
    });

    test('networks are listed, inspected and removed, not while a container is on one', async () => {
      const hosts = docker();
      await hosts.createNetwork(`${CALICO} listed`);
      const engine = hosts.engine(FIRST);
      expect(await engine.say(['network', 'ls', '--filter', 'name=listed', '--format', '{{.Driver}} {{.Scope}}'])).toBe(
        generation === '20.10' ? 'calico global' : 'calico local',
      );
      expect(await engine.say(['network', 'inspect', '-f', '{{.Driver}} {{.IPAM.Driver}}', 'listed'])).toBe(
        'calico calico',
      );
      await run(hosts, FIRST, 'holder', '--net listed');
      expect(await engine.refusal(['network', 'rm', 'listed'])).toContain('has active endpoints');
      await until(
        'its profile',
        async () => (await hosts.cluster.client.find({ kind: 'Profile', name: 'listed' })) !== undefined,
      );
      await removeAll(hosts, 'listed');
      expect(await hosts.cluster.client.find({ kind: 'Profile', name: 'listed' })).toBeUndefined();
      expect(await hosts.cluster.client.list('WorkloadEndpoint', 'libnetwork')).toEqual([]);
    });

    test('what Calico IPAM does not do is refused in the words people know', async () => {
      const hosts = docker();
      const refusal = (words: string): Promise<string> =>
        hosts.engine(FIRST).refusal(['network', 'create', ...`${CALICO} ${words} refused`.split(' ')]);
      const daemon = 'Error response from daemon: ';
      expect(await refusal('--subnet 10.77.0.0/16')).toBe(
        `${daemon}IpamDriver.RequestPool: The requested subnet must match the CIDR of a configured Calico IP Pool.`,
      );
      expect(await refusal('--subnet 192.168.0.0/16 --ip-range 192.168.1.0/24')).toContain(
        'Calico IPAM does not support sub pool configuration',
      );
      expect(await refusal('--ipam-opt a=b')).toContain('Arbitrary options are not supported');
      expect(await refusal('--internal')).toContain('Calico driver does not support the flag --internal.');
      expect(await refusal('--opt REJECT')).toContain('Calico driver does not support the flag REJECT.');
      expect(await refusal('--opt REJECT --opt REJECT2')).toContain(
        'Calico driver does not support the flags REJECT, REJECT2.',
      );
      const cidr = (await hosts.cluster.client.list('IPPool')).find(({ value }) => !value.spec.cidr.includes(':'));
      expect(await refusal(`--subnet ${cidr?.value.spec.cidr ?? ''} --gateway 192.168.0.1`)).toMatch(
        /failed to allocate gateway \(192\.168\.0\.1\): IpamDriver\.RequestAddress: Calico IPAM does not support specifying a gateway\./,
      );
    });

    test('-p is refused with the reason and a recipe, and leaves nothing', async () => {
      const hosts = docker();
      await hosts.createNetwork(`${CALICO} published`);
      const said = await hosts
        .engine(FIRST)
        .refusal(['run', '--net', 'published', '-p', '8080:80', '-d', 'busybox', 'sleep', '60']);
      expect(said).toContain('cannot publish 8080:80: containers of a Calico network have addresses of their own');
      expect(said).toContain('-j DNAT --to-destination ADDRESS:PORT');
      await removeAll(hosts, 'published');
      await expect(hosts.cluster.ipam.addressesByHandle(`libnetwork.${FIRST}`)).rejects.toThrow('no address is held');
    });

    test('containers stop, start, restart, connect and disconnect, and nothing is left of them', async () => {
      const hosts = docker();
      await hosts.createNetwork(`${CALICO} busy1`);
      await hosts.createNetwork(`${CALICO} busy2`);
      await run(hosts, FIRST, 'mover', '--net busy1');
      await run(hosts, FIRST, 'peer1', '--net busy1');
      await run(hosts, FIRST, 'peer2', '--net busy2');
      await hosts.docker(FIRST, 'restart -t 0 mover');
      expect(await hosts.pings(FIRST, 'mover', 'peer1')).toBe(true);
      await hosts.docker(FIRST, 'stop -t 0 mover');
      await hosts.docker(FIRST, 'start mover');
      expect(await hosts.pings(FIRST, 'peer1', 'mover')).toBe(true);
      await hosts.docker(FIRST, 'network disconnect busy1 mover');
      expect(await hosts.pings(FIRST, 'peer1', 'mover')).toBe(false);
      await hosts.docker(FIRST, 'network connect busy2 mover');
      expect(await hosts.pings(FIRST, 'mover', 'peer2')).toBe(true);
      await removeAll(hosts, 'busy1', 'busy2');
      await expect(hosts.cluster.ipam.addressesByHandle(`libnetwork.${FIRST}`)).rejects.toThrow('no address is held');
      expect((await hosts.lab.host(FIRST).exec(['ip', '-o', 'link'])).stdout).not.toMatch(/ (cali|temp)[0-9a-f]{11}/);
    });

    test('a container on two networks reaches the members of both, and the members each other not', async () => {
      const hosts = docker();
      await hosts.createNetwork(`${CALICO} left`);
      await hosts.createNetwork(`${CALICO} right`);
      await run(hosts, FIRST, 'both', '--net left');
      await run(hosts, FIRST, 'on-left', '--net left');
      await run(hosts, SECOND, 'on-right', '--net right');
      await hosts.docker(FIRST, 'network connect right both');
      const rightAddress = await hosts.address(SECOND, 'on-right', 'right');
      await until('both to right', () => hosts.pings(FIRST, 'both', rightAddress));
      expect(await hosts.pings(FIRST, 'both', 'on-left')).toBe(true);
      expect(await hosts.pings(FIRST, 'on-left', await hosts.address(FIRST, 'both', 'left'))).toBe(true);
      expect(await hosts.pings(SECOND, 'on-right', await hosts.address(FIRST, 'both', 'right'))).toBe(true);
      expect(await hosts.pings(FIRST, 'on-left', rightAddress)).toBe(false);
      // An engine that starts a container on two networks asks for its routes before it has its interfaces.
      await hosts.docker(FIRST, 'restart -t 0 both');
      const bothRight = await hosts.address(FIRST, 'both', 'right');
      await until('right to both', () => hosts.pings(SECOND, 'on-right', bothRight));
      expect(await hosts.pings(FIRST, 'both', rightAddress)).toBe(true);
      expect(await hosts.pings(FIRST, 'both', 'on-left')).toBe(true);
      await hosts.docker(FIRST, 'network disconnect right both');
      expect(await hosts.pings(FIRST, 'both', 'on-left')).toBe(true);
      await removeAll(hosts, 'left', 'right');
    });

    test('labels of a container are labels for policy, in tiers too', async () => {
      const hosts = docker();
      const { client } = hosts.cluster;
      await hosts.createNetwork(`${CALICO} labelled`);
      const apiVersion = 'projectcalico.org/v3';
      await client.apply({ apiVersion, kind: 'Tier', metadata: { name: 'security' }, spec: { order: 100 } });
      await client.apply({
        apiVersion,
        kind: 'GlobalNetworkPolicy',
        metadata: { name: 'security.front-only' },
        spec: {
          tier: 'security',
          selector: "role == 'database'",
          types: ['Ingress'],
          ingress: [{ action: 'Pass', source: { selector: "role == 'front'" } }, { action: 'Deny' }],
        },
      });
      await run(hosts, FIRST, 'front', '--net labelled --label org.projectcalico.label.role=front');
      await run(hosts, FIRST, 'stranger', '--net labelled');
      await run(hosts, SECOND, 'database', '--net labelled --label org.projectcalico.label.role=database');
      const address = await hosts.address(SECOND, 'database', 'labelled');
      await until('front to database', () => hosts.pings(FIRST, 'front', address));
      expect(await hosts.pings(FIRST, 'stranger', address)).toBe(false);
      await client.delete({ kind: 'GlobalNetworkPolicy', name: 'security.front-only' });
      await until('stranger to database', () => hosts.pings(FIRST, 'stranger', address));
      await removeAll(hosts, 'labelled');
      await client.delete({ kind: 'Tier', name: 'security' });
    });

    test('a network with IPv6 has both families, across hosts, with and without a subnet', async () => {
      const hosts = docker();
      await hosts.cluster.client.apply({
        apiVersion: 'projectcalico.org/v3',
        kind: 'IPPool',
        metadata: { name: 'six' },
        spec: { cidr: 'fd80:24e2:f998:72d6::/64', natOutgoing: false },
      });
      await hosts.createNetwork(`${CALICO} --ipv6 --subnet fd80:24e2:f998:72d6::/64 six1`);
      await hosts.createNetwork(`${CALICO} --ipv6 six2`);
      for (const network of ['six1', 'six2']) {
        await run(hosts, FIRST, `here-${network}`, `--net ${network}`);
        await run(hosts, SECOND, `there-${network}`, `--net ${network}`);
        const there6 = await hosts.address(SECOND, `there-${network}`, network, 6);
        const there4 = await hosts.address(SECOND, `there-${network}`, network, 4);
        await until(`IPv6 on ${network}`, () => hosts.pings(FIRST, `here-${network}`, there6, { family: 6 }));
        expect(await hosts.pings(FIRST, `here-${network}`, there4)).toBe(true);
      }
      const stranger = await hosts.address(SECOND, 'there-six2', 'six2', 6);
      expect(await hosts.pings(FIRST, 'here-six1', stranger, { family: 6 })).toBe(false);
      await removeAll(hosts, 'six1', 'six2');
    });
  });

  describe('pools typed after the node has started', () => {
    const docker = useDocker({ generation });

    test('a static address is given, and what does not fit it is refused', async () => {
      const hosts = docker();
      await hosts.cluster.calicoctl(FIRST, ['pool', 'add', '192.168.1.0/24']);
      await hosts.createNetwork(`${CALICO} --subnet 192.168.1.0/24 static`);
      await run(hosts, FIRST, 'fixed', '--net static --ip 192.168.1.100');
      expect(await hosts.address(FIRST, 'fixed', 'static')).toBe('192.168.1.100');
      await run(hosts, SECOND, 'other', '--net static');
      await until('the static address reached', () => hosts.pings(SECOND, 'other', '192.168.1.100'));
      const refusal = (words: string): Promise<string> =>
        hosts.engine(FIRST).refusal(['run', ...words.split(' '), '-d', 'busybox', 'sleep', '60']);
      expect(await refusal('--net static --ip 192.168.1.100')).toContain('The address 192.168.1.100 is already in use');
      expect(await refusal('--net static --ip 10.3.3.3')).toMatch(
        /does not belong to any of this network's subnets|no configured subnet or ip-range contain the IP address/i,
      );
      await hosts.docker(FIRST, 'stop -t 0 fixed');
      await hosts.docker(FIRST, 'start fixed');
      expect(await hosts.address(FIRST, 'fixed', 'static')).toBe('192.168.1.100');
      await removeAll(hosts, 'static');
    });
  });

  describe('outgoing NAT', () => {
    const docker = useDocker({ generation, hosts: 1 });

    test('packets of a pool that asks for it leave with the address of the host', async () => {
      const hosts = docker();
      const router = hosts.lab.underlay.addresses.ipv4;
      await hosts.cluster.calicoctl(FIRST, ['pool', 'add', '192.168.0.0/16', '--nat-outgoing']);
      expect(await hosts.cluster.calicoctl(FIRST, ['pool', 'show'])).toContain('nat-outgoing');
      await hosts.createNetwork(`${CALICO} out`);
      await run(hosts, FIRST, 'client', '--net out');
      await until('an answer from outside', () => hosts.pings(FIRST, 'client', router));
      await hosts.cluster.calicoctl(FIRST, ['pool', 'add', '192.168.0.0/16']);
      await until('no answer without NAT', async () => !(await hosts.pings(FIRST, 'client', router)));
      await removeAll(hosts, 'out');
    });
  });

  describe("Docker's own IPAM", () => {
    const docker = useDocker({ generation });

    test('gives addresses of the subnet, and publishes ports by its gateway bridge', async () => {
      const hosts = docker();
      await hosts.createNetwork('--driver calico --subnet=192.168.0.0/24 net1');
      const said = await hosts.cluster.calicoctl(FIRST, ['pool', 'show', '--ipv4']);
      expect(said).toContain('192.168.0.0/24');
      expect(said).not.toContain('192.168.0.0/16');
      await run(hosts, FIRST, 'first', '--net net1 --ip 192.168.0.11 -p 8080:80');
      await run(hosts, FIRST, 'second', '--net net1 --ip 192.168.0.12');
      await run(hosts, SECOND, 'third', '--net net1 --ip 192.168.0.13');
      expect(await hosts.pings(FIRST, 'first', '192.168.0.12')).toBe(true);
      await until('across hosts', () => hosts.pings(FIRST, 'first', '192.168.0.13'));
      await hosts.docker(FIRST, 'exec -d first httpd -f -p 80 -h /etc');
      const host = hosts.lab.host(FIRST).addresses.ipv4;
      const ask = ['curl', '-s', '-m', '2', '-o', '/dev/null', '-w', '%{http_code}', `http://${host}:8080/`];
      await until(
        'the published port',
        async () => (await hosts.lab.host(SECOND).exec(ask, { check: false })).stdout === '404',
      );
      await removeAll(hosts, 'net1');
      expect(await hosts.cluster.calicoctl(FIRST, ['pool', 'show', '--ipv4'])).not.toContain('192.168.0.0/24');
    });

    test('options of the network are those of its pool', async () => {
      const hosts = docker();
      await hosts.createNetwork('--driver calico --opt nat-outgoing=true --opt ipip=true --subnet=10.66.0.0/24 net2');
      const rows = (await hosts.cluster.calicoctl(FIRST, ['pool', 'show'])).split('\n');
      expect(rows.find((row) => row.includes('10.66.0.0/24'))).toContain('ipip,nat-outgoing');
      await removeAll(hosts, 'net2');
    });
  });
});
