import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test, vi } from 'vitest';
import { FakeClock } from '../base/clock.fake.js';
import { Conditions } from '../base/conditions.js';
import { UnavailableError } from '../base/errors.js';
import { silentLog } from '../base/log.js';
import { Client } from '../client/client.js';
import { MemoryDatastore } from '../datastore/memory/memory-datastore.js';
import { Ipam } from '../ipam/ipam.js';
import { DockerEngine } from './engine.js';
import { FakeEngine } from './engine.fake.js';
import { DockerPlugin } from './plugin.js';
import { readDockerSettings } from './settings.js';

const NETWORK = 'a'.repeat(64);
const ENDPOINT = 'b'.repeat(64);

test('an endpoint that could not be deleted when the engine asked is gone soon', async () => {
  await using fake = await FakeEngine.start();
  const folder = await mkdtemp(join(tmpdir(), 'calico-engine-watch-'));
  const datastore = new MemoryDatastore();
  const client = new Client(datastore);
  const clock = new FakeClock();
  fake.answers.set('/version', { value: { Version: '26.1.5', ApiVersion: '1.45' } });
  fake.answers.set('/info', { value: {} });
  fake.answers.set('/containers/json?all=1', { value: [] });
  fake.answers.set('/networks', { value: [] });
  fake.answers.set(`/networks/${NETWORK}`, { value: { Id: NETWORK, Name: 'net1', Driver: 'calico' } });
  const plugin = new DockerPlugin({
    client,
    ipam: new Ipam(datastore),
    hostname: 'calico-01',
    settings: readDockerSettings({}),
    kernel: {
      addSecondWay: () => Promise.resolve(true),
      lay: () => Promise.resolve(),
      detach: () => Promise.resolve(true),
      listLoose: () => Promise.resolve([]),
      isTaken: () => Promise.resolve(false),
      mtu: () => Promise.resolve(1_450),
    },
    conditions: new Conditions(clock),
    log: silentLog,
    clock,
    engine: new DockerEngine(fake.socketPath),
    socketPath: join(folder, 'calico.sock'),
    memoryFile: join(folder, 'docker.json'),
  });
  const spec = { cidr: '192.168.0.0/24' };
  await client.create({ apiVersion: 'projectcalico.org/v3', kind: 'IPPool', metadata: { name: 'office' }, spec });
  const stop = new AbortController();
  const running = plugin.run(stop.signal);
  const call = (name: string, body: object): unknown => plugin.methods()[name]?.(body);
  const Interface = { Address: '192.168.0.7/32', AddressIPv6: '', MacAddress: '' };
  await call('NetworkDriver.CreateEndpoint', { NetworkID: NETWORK, EndpointID: ENDPOINT, Interface, Options: {} });
  // The first look is over: the next comes in minutes.
  await clock.advance(100_000);
  const away = vi.spyOn(datastore, 'delete').mockRejectedValue(new UnavailableError('ERR_CALI_X', 'no answer in time'));
  const reference = { NetworkID: NETWORK, EndpointID: ENDPOINT };
  await expect(call('NetworkDriver.DeleteEndpoint', reference)).rejects.toThrow('no answer in time');
  away.mockRestore();
  const askedMs = clock.monotonicMs();
  const isGone = async (): Promise<void> => {
    await clock.advance(1_000);
    expect(await client.list('WorkloadEndpoint', 'libnetwork')).toEqual([]);
  };
  await vi.waitFor(isGone, { interval: 1, timeout: 5_000 });
  // Requests take their time while this clock runs.
  expect(clock.monotonicMs() - askedMs).toBeLessThan(150_000);
  stop.abort();
  await running;
  await rm(folder, { recursive: true });
});
