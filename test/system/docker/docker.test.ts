import { describe, expect, test } from 'vitest';
import { missingEngine } from '../../../lab/docker-engine.js';
import { until } from '../../../lab/processes.js';
import { CALICO, FIRST, run, useDocker } from '../../setup/docker.js';

/** The plugin against one real engine, in short; `test/docker/` has the rest. */
describe.skipIf(missingEngine('20.10') !== undefined)("Docker's plugin on an engine", () => {
  const docker = useDocker({ generation: '20.10', hosts: 1 });

  test('members of a network reach each other by name, nobody else reaches them, and nothing is left behind', async () => {
    const hosts = docker();
    for (const network of ['net1', 'net2']) await hosts.createNetwork(`${CALICO} ${network}`);
    for (const [name, network] of [
      ['web', 'net1'],
      ['db', 'net1'],
      ['other', 'net2'],
    ] as const) {
      await run(hosts, FIRST, name, `--net ${network}`);
    }
    expect(await hosts.pings(FIRST, 'web', 'db.net1')).toBe(true);
    expect(await hosts.pings(FIRST, 'web', await hosts.address(FIRST, 'other', 'net2'))).toBe(false);
    await hosts.docker(FIRST, 'rm -f web db other');
    await hosts.docker(FIRST, 'network rm net1 net2');
    const links = (await hosts.lab.host(FIRST).exec(['ip', '-o', 'link'])).stdout;
    expect(links).not.toMatch(/ (cali|temp)[0-9a-f]{11}/);
    expect(await hosts.cluster.client.list('WorkloadEndpoint')).toEqual([]);
    await expect(hosts.cluster.ipam.addressesByHandle(`libnetwork.${FIRST}`)).rejects.toThrow('no address is held');
    await until('profiles gone', async () =>
      (await hosts.cluster.client.list('Profile')).every(({ key }) => !key.name.startsWith('net')),
    );
  });
});
