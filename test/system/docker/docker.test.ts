import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { DockerCluster } from '../../../lab/docker-cluster.js';
import { missingEngine } from '../../../lab/docker-engine.js';
import { until } from '../../../lab/processes.js';

/** The plugin against one real engine, in short; `test/docker/` has the rest. */
describe.skipIf(missingEngine('20.10') !== undefined)("Docker's plugin on an engine", () => {
  let hosts: DockerCluster;
  beforeAll(async () => {
    hosts = await DockerCluster.start({ generation: '20.10', hosts: 1 });
  });
  afterAll(async () => {
    await hosts[Symbol.asyncDispose]();
  });

  test('members of a network reach each other by name, nobody else reaches them, and nothing is left behind', async () => {
    const host = 'calico-01';
    for (const network of ['net1', 'net2']) {
      await hosts.createNetwork(`--driver calico --ipam-driver calico ${network}`);
    }
    for (const [name, network] of [
      ['web', 'net1'],
      ['db', 'net1'],
      ['other', 'net2'],
    ] as const) {
      await hosts.docker(host, `run --net ${network} --name ${name} -tid busybox`);
    }
    expect(await hosts.pings(host, 'web', 'db.net1')).toBe(true);
    expect(await hosts.pings(host, 'web', await hosts.address(host, 'other', 'net2'))).toBe(false);
    await hosts.docker(host, 'rm -f web db other');
    await hosts.docker(host, 'network rm net1 net2');
    const links = (await hosts.lab.host(host).exec(['ip', '-o', 'link'])).stdout;
    expect(links).not.toMatch(/ (cali|temp)[0-9a-f]{11}/);
    expect(await hosts.cluster.client.list('WorkloadEndpoint')).toEqual([]);
    await expect(hosts.cluster.ipam.addressesByHandle(`libnetwork.${host}`)).rejects.toThrow('no address is held');
    await until('profiles gone', async () =>
      (await hosts.cluster.client.list('Profile')).every(({ key }) => !key.name.startsWith('net')),
    );
  });
});
