import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { Client } from '../client/client.js';
import { MemoryDatastore } from '../datastore/memory/memory-datastore.js';
import { ContainerNames } from './container-names.js';
import { DockerEndpoints, namedEndpoint } from './endpoints.js';
import { DockerEngine } from './engine.js';
import { FakeEngine } from './engine.fake.js';

const CONTAINER = 'c'.repeat(64);
const signal = new AbortController().signal;

let fake: FakeEngine;
let client: Client;
let endpoints: DockerEndpoints;
let names: ContainerNames;

function show(name: string, aliases: readonly string[], labels: object = {}): void {
  fake.answers.set(`/containers/${CONTAINER}/json`, {
    value: {
      Id: CONTAINER,
      Name: `/${name}`,
      State: { Running: true },
      Config: { Labels: labels },
      NetworkSettings: {
        Networks: {
          net1: { EndpointID: 'e1', Aliases: aliases, DNSNames: [name, ...aliases] },
          bridge: { EndpointID: 'not-ours', Aliases: null },
        },
      },
    },
  });
}

async function stored(): Promise<readonly string[] | undefined> {
  const [endpoint] = await client.list('WorkloadEndpoint', 'libnetwork');
  return endpoint === undefined ? undefined : namedEndpoint(endpoint.value)?.names;
}

beforeEach(async () => {
  fake = await FakeEngine.start();
  client = new Client(new MemoryDatastore());
  endpoints = new DockerEndpoints(client, 'calico-01');
  names = new ContainerNames(new DockerEngine(fake.socketPath), endpoints, true);
  const endpoint = {
    id: 'e1',
    networkId: 'n1',
    network: 'net1',
    interfaceName: 'calie1',
    addresses: ['192.0.2.7'],
    mac: undefined,
    ipam: 'calico' as const,
    profile: undefined,
    sandbox: undefined,
  };
  await endpoints.put(endpoint);
  await endpoints.join(endpoint, { sandbox: '/run/docker/netns/x', container: 'web', names: [], labels: { a: 'b' } });
});
afterEach(() => fake[Symbol.asyncDispose]());

describe('ContainerNames', () => {
  test('hears of containers that start, are renamed, or join a network while they run', () => {
    const event = { id: 'x', attributes: { container: 'y' } };
    const renamed = (type: string, action: string) => ContainerNames.renamed({ ...event, type, action });
    expect([renamed('container', 'start'), renamed('container', 'rename')]).toEqual(['x', 'x']);
    expect(renamed('network', 'connect')).toBe('y');
    expect([renamed('container', 'die'), renamed('network', 'create')]).toEqual([undefined, undefined]);
  });

  test('gives the labels late where the engine did not say who joined, and not where it did', async () => {
    const labels = { 'org.projectcalico.label.role': 'web', other: 'x' };
    show('web', ['www'], labels);
    await names.refresh(CONTAINER, signal);
    const known = await client.list('WorkloadEndpoint', 'libnetwork');
    expect(known[0]?.value.metadata.labels).toMatchObject({ a: 'b' });
    expect(known[0]?.value.metadata.labels).not.toHaveProperty('role');
    const endpoint = await endpoints.find('e1');
    if (endpoint === undefined) throw new Error('it is stored');
    await endpoints.delete('e1');
    await endpoints.put({ ...endpoint, sandbox: undefined });
    await endpoints.join(endpoint, { sandbox: '/x', container: undefined, names: [], labels: {} });
    await names.refresh(CONTAINER, signal);
    const late = await client.list('WorkloadEndpoint', 'libnetwork');
    expect(late[0]?.value.metadata.labels).toMatchObject({ role: 'web' });
    expect(late[0]?.value.metadata.labels).not.toHaveProperty('other');
  });

  test('keeps aliases and new names, and writes nothing that is known', async () => {
    show('web', ['www', CONTAINER.slice(0, 12)]);
    await names.refresh(CONTAINER, signal);
    expect(await stored()).toEqual(['web', 'www', 'cccccccccccc']);
    const [before] = await client.list('WorkloadEndpoint', 'libnetwork');
    await names.refresh(CONTAINER, signal);
    const [after] = await client.list('WorkloadEndpoint', 'libnetwork');
    expect(after?.revision).toBe(before?.revision);
    expect(after?.value.metadata.labels).toMatchObject({ a: 'b' });
    show('shop', ['www']);
    await names.refresh(CONTAINER, signal);
    expect(await stored()).toEqual(['shop', 'www']);
  });

  test('looks at every running container of ours, and lets go of one that ended', async () => {
    const places = { net1: { EndpointID: 'e1' } };
    const listed = [
      { Id: CONTAINER, State: 'running', NetworkSettings: { Networks: places } },
      { Id: 'd', State: 'exited', NetworkSettings: { Networks: places } },
      { Id: 'f', State: 'running' },
    ];
    fake.answers.set('/containers/json?all=1', { value: listed });
    await names.refreshAll(signal);
    expect(fake.asked).toEqual(['/containers/json?all=1', `/containers/${CONTAINER}/json`]);
    expect(await stored()).toEqual(['web']);
  });
});
