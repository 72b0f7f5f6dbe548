import { beforeEach, describe, expect, test } from 'vitest';
import { Client } from '../client/client.js';
import { MemoryDatastore } from '../datastore/memory/memory-datastore.js';
import { DOCKER_NAMESPACE, type DockerEndpoint, DockerEndpoints } from './endpoints.js';

const SANDBOX = '/var/run/docker/netns/1';
const FIRST = 'a'.repeat(64);
const SECOND = 'b'.repeat(64);

let client: Client;
let endpoints: DockerEndpoints;

beforeEach(() => {
  client = new Client(new MemoryDatastore());
  endpoints = new DockerEndpoints(client, 'calico-01');
});

function endpoint(id: string, network: string): DockerEndpoint {
  return {
    id,
    networkId: network,
    network,
    interfaceName: `cali${id.slice(0, 11)}`,
    addresses: ['192.0.2.7'],
    mac: undefined,
    ipam: 'calico',
    profile: network,
    sandbox: undefined,
  };
}

/** The same container on each network. */
async function join(id: string, network: string): Promise<void> {
  const made = endpoint(id, network);
  await endpoints.put(made);
  await endpoints.join(made, { sandbox: SANDBOX, container: 'web', names: [], labels: {} });
}

/** As others do, behind the plugin's back. */
async function deletedElsewhere(id: string): Promise<void> {
  await new DockerEndpoints(client, 'calico-01').delete(id);
}

async function profiles(): Promise<unknown> {
  const stored = await client.list('WorkloadEndpoint', DOCKER_NAMESPACE);
  return stored.map(({ value: { spec } }) => [spec.endpoint, spec.profiles]);
}

describe('DockerEndpoints', () => {
  test('a container on two networks is a member of both by either address, until it leaves one', async () => {
    await join(FIRST, 'net1');
    await join(SECOND, 'net2');
    expect(await profiles()).toEqual([
      [FIRST, ['net1', 'net2']],
      [SECOND, ['net2', 'net1']],
    ]);
    await endpoints.left(SECOND);
    await endpoints.delete(SECOND);
    expect(await profiles()).toEqual([[FIRST, ['net1']]]);
  });

  test('one that others deleted is no companion any more, and keeps nobody from joining or leaving', async () => {
    await join(FIRST, 'net1');
    await deletedElsewhere(FIRST);
    await join(SECOND, 'net2');
    expect(endpoints.companions({ id: SECOND, sandbox: SANDBOX })).toEqual([]);
    expect(endpoints.isKnown(FIRST)).toBe(false);
    await join(FIRST, 'net1');
    await deletedElsewhere(SECOND);
    await endpoints.left(FIRST);
    expect(endpoints.isKnown(SECOND)).toBe(false);
  });

  test('a look at the datastore forgets what others deleted, and keeps what is made or deleted meanwhile', async () => {
    await join(FIRST, 'net1');
    await join(SECOND, 'net2');
    await deletedElsewhere(FIRST);
    expect((await endpoints.load()).map(({ id }) => id)).toEqual([SECOND]);
    expect([endpoints.isKnown(FIRST), endpoints.isKnown(SECOND)]).toEqual([false, true]);
    const looking = endpoints.load();
    await Promise.all([endpoints.delete(SECOND), endpoints.put(endpoint(FIRST, 'net1'))]);
    await looking;
    expect([endpoints.isKnown(FIRST), endpoints.isKnown(SECOND)]).toEqual([true, false]);
  });

  test('a plugin that starts again knows those of its host', async () => {
    await join(FIRST, 'net1');
    await new DockerEndpoints(client, 'calico-02').put(endpoint(SECOND, 'net1'));
    const again = new DockerEndpoints(client, 'calico-01');
    await again.load();
    expect([again.isKnown(FIRST), again.isKnown(SECOND)]).toEqual([true, false]);
    expect(again.companions({ id: SECOND, sandbox: SANDBOX })).toMatchObject([{ id: FIRST, profile: 'net1' }]);
  });
});
