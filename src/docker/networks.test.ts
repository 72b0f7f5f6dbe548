import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { PublicKind } from '../api/registry.js';
import { silentLog } from '../base/log.js';
import { Client } from '../client/client.js';
import type { Stored } from '../datastore/datastore.js';
import { MemoryDatastore } from '../datastore/memory/memory-datastore.js';
import { DockerEngine } from './engine.js';
import { FakeEngine } from './engine.fake.js';
import { EngineMemory } from './engine-memory.js';
import { Networks } from './networks.js';

const HERE = 'a'.repeat(64);
const THERE = 'b'.repeat(64);

/** Another host is quicker between what is read and what is written. */
class SlowClient extends Client {
  meanwhile: { readonly kind: PublicKind; readonly happens: () => Promise<unknown> } | undefined;

  override async list<K extends PublicKind>(kind: K, namespace?: string): Promise<readonly Stored<K>[]> {
    const found = await super.list(kind, namespace);
    const { meanwhile } = this;
    if (meanwhile?.kind !== kind) return found;
    this.meanwhile = undefined;
    await meanwhile.happens();
    return found;
  }
}

let folder: string;
let fake: FakeEngine;
let client: SlowClient;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'calico-networks-'));
  fake = await FakeEngine.start();
  client = new SlowClient(new MemoryDatastore());
});
afterEach(async () => {
  await fake[Symbol.asyncDispose]();
  await rm(folder, { recursive: true });
});

function networksOf(host: string): Networks {
  const engine = new DockerEngine(fake.socketPath);
  return new Networks({
    client,
    engine,
    memory: new EngineMemory(join(folder, host), silentLog),
    createProfiles: true,
  });
}

describe('Networks', () => {
  test('asks an engine once for a network, also over a start of the host', async () => {
    const options = { 'com.docker.network.driver.mtu': '1400' };
    fake.answers.set(`/networks/${HERE}`, { value: { Id: HERE, Name: 'net1', Options: options } });
    const networks = networksOf('calico-01');
    const known = { id: HERE, name: 'net1', mtu: 1400 };
    expect(await networks.find(HERE)).toEqual(known);
    fake.answers.clear();
    expect(await networks.find(HERE)).toEqual(known);
    expect(await networksOf('calico-01').find(HERE)).toEqual(known);
    expect(fake.asked).toHaveLength(1);
  });

  test('leaves a profile that another host takes for its network while this one deletes its own', async () => {
    const [here, there] = [networksOf('calico-01'), networksOf('calico-02')];
    await here.ensureProfile({ id: HERE, name: 'net1' });
    client.meanwhile = { kind: 'Profile', happens: () => there.ensureProfile({ id: THERE, name: 'net1' }) };
    await here.delete(HERE);
    const { value } = await client.get({ kind: 'Profile', name: 'net1' });
    expect(value.metadata.annotations).toEqual({ 'docker.projectcalico.org/networks': THERE });
    await there.delete(THERE);
    expect(await client.find({ kind: 'Profile', name: 'net1' })).toBeUndefined();
  });

  test('leaves a pool that another host takes for its network while this one deletes its own', async () => {
    const [here, there] = [networksOf('calico-01'), networksOf('calico-02')];
    const request = (id: string) => ({
      NetworkID: id,
      Options: {},
      IPv4Data: [{ AddressSpace: 'LocalDefault', Pool: '192.168.7.0/24', Gateway: '192.168.7.1/24' }],
      IPv6Data: [],
    });
    await here.create(request(HERE));
    client.meanwhile = { kind: 'IPPool', happens: () => there.create(request(THERE)) };
    await here.delete(HERE);
    const { value } = await client.get({ kind: 'IPPool', name: '192-168-7-0-24' });
    expect(value.metadata.annotations).toEqual({ 'docker.projectcalico.org/networks': THERE });
    await there.delete(THERE);
    expect(await client.find({ kind: 'IPPool', name: '192-168-7-0-24' })).toBeUndefined();
  });
});
