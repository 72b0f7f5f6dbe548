import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { FakeClock } from '../base/clock.fake.js';
import { Conditions } from '../base/conditions.js';
import { KernelError } from '../base/errors.js';
import { Client } from '../client/client.js';
import { MemoryDatastore } from '../datastore/memory/memory-datastore.js';
import { DockerEndpoints } from './endpoints.js';
import { NameService } from './name-service.js';
import type { ListenerOptions } from './resolver-listener.js';
import { TYPE } from './dns-message.js';

const MISSING = new KernelError({ operation: 'open /x', errno: 2, errnoName: 'ENOENT' });
const NO_NAMESPACE = new KernelError({ operation: 'open /x', errno: 22, errnoName: 'EINVAL' });
const OLD = new KernelError({ operation: 'add table', errno: 95, errnoName: 'EOPNOTSUPP' });

let folder: string;
let client: Client;
let stop: AbortController;
let done: Promise<void>;
let clock: FakeClock;
let conditions: Conditions;
/** What listens, by namespace. */
let listening: Map<string, ListenerOptions>;
/** What the next attempts to listen meet. */
let failures: Error[];
/** What every attempt meets in a namespace. */
let broken: Map<string, Error>;
/** What every attempt waits for. */
let opening: Promise<void>;
/** Namespaces in which two listened at once. */
let crowded: string[];

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'calico-names-'));
  const datastore = new MemoryDatastore();
  client = new Client(datastore);
  stop = new AbortController();
  clock = new FakeClock();
  conditions = new Conditions(clock);
  listening = new Map();
  failures = [];
  broken = new Map();
  opening = Promise.resolve();
  crowded = [];
  const service = new NameService({
    datastore,
    hostname: 'calico-01',
    clock,
    conditions,
    listen: async (options) => {
      await opening;
      const failure = failures.shift() ?? broken.get(options.sandbox);
      if (failure !== undefined) throw failure;
      if (listening.has(options.sandbox)) crowded.push(options.sandbox);
      listening.set(options.sandbox, options);
      return { [Symbol.dispose]: () => void listening.delete(options.sandbox) };
    },
  });
  done = service.run(stop.signal);
});
afterEach(async () => {
  stop.abort();
  await done;
  conditions.close();
  await rm(folder, { recursive: true });
});

/** A container as the plugin of its host writes it. @returns path of its namespace */
async function joins(
  node: string,
  id: string,
  container: string,
  { network = 'net1', place = id }: { network?: string; place?: string } = {},
): Promise<string> {
  const sandbox = join(folder, place);
  await writeFile(sandbox, '');
  const endpoint = {
    id: id.repeat(64),
    networkId: network,
    network,
    interfaceName: `cali${id}`,
    addresses: [`192.0.2.${id.charCodeAt(0)}`],
    mac: undefined,
    ipam: 'calico' as const,
    profile: undefined,
    sandbox: undefined,
  };
  const endpoints = new DockerEndpoints(client, node);
  await endpoints.put(endpoint);
  await endpoints.join(endpoint, { sandbox, container, names: [`${id}-short`], labels: {} });
  return sandbox;
}

/** Time passes while something is waited for. */
function delivered(check: () => void): Promise<void> {
  const checkLater = async (): Promise<void> => {
    await clock.advance(100);
    check();
  };
  return vi.waitFor(checkLater, { interval: 1 });
}

describe('NameService', () => {
  test('listens in the namespaces of this host alone, and answers with what all hosts have', async () => {
    const here = await joins('calico-01', 'a', 'workload-A');
    await joins('calico-02', 'e', 'workload-E');
    await delivered(() => expect([...listening.keys()]).toEqual([here]));
    const ask = (name: string) => listening.get(here)?.resolve({ name, type: TYPE.A } as never);
    await delivered(() => expect(ask('workload-e.net1')).toMatchObject({ answers: { addresses: ['192.0.2.101'] } }));
    expect(ask('e-short')).toMatchObject({ by: 'us' });
    await new DockerEndpoints(client, 'calico-02').rename('e'.repeat(64), {
      container: 'new',
      names: ['www'],
      labels: {},
    });
    await delivered(() => expect(ask('www')).toMatchObject({ by: 'us' }));
    expect(ask('workload-e')).toEqual({ by: 'engine' });
    await new DockerEndpoints(client, 'calico-02').delete('e'.repeat(64));
    await delivered(() => expect(ask('new')).toEqual({ by: 'engine' }));
  });

  test('follows a container onto a second network and off the first, and closes when it is on none', async () => {
    const here = await joins('calico-01', 'a', 'workload-A');
    await joins('calico-01', 'b', 'workload-A', { network: 'net2', place: 'a' });
    await joins('calico-02', 'e', 'workload-E', { network: 'net2' });
    const ask = () => listening.get(here)?.resolve({ name: 'workload-e', type: TYPE.A } as never);
    await delivered(() => expect(ask()).toMatchObject({ by: 'us' }));
    const endpoints = new DockerEndpoints(client, 'calico-01');
    await endpoints.delete('b'.repeat(64));
    await delivered(() => expect(ask()).toEqual({ by: 'foreign' }));
    await endpoints.delete('a'.repeat(64));
    await delivered(() => expect(listening.size).toBe(0));
  });

  test('waits for a namespace that is still being made', async () => {
    failures = [MISSING, MISSING];
    await joins('calico-01', 'a', 'workload-A');
    await delivered(() => expect(listening.size).toBe(1));
    expect(conditions.shown()).toEqual([]);
  });

  test('lets go of a namespace whose container ended without a word', async () => {
    const here = await joins('calico-01', 'a', 'workload-A');
    await delivered(() => expect(listening.size).toBe(1));
    failures = Array.from({ length: 10_000 }, () => MISSING);
    await rm(here);
    await delivered(() => expect(listening.size).toBe(0));
  });

  test('an ended container whose namespace left its file behind is no fault', async () => {
    const here = await joins('calico-01', 'a', 'workload-A');
    await delivered(() => expect(listening.size).toBe(1));
    await clock.advance(70_000);
    broken.set(here, NO_NAMESPACE);
    await rm(here);
    await delivered(() => expect(listening.size).toBe(0));
    await clock.advance(70_000);
    expect(conditions.shown()).toEqual([]);
  });

  test('listens once in a namespace whose container leaves its only network for another', async () => {
    let open: () => void = () => undefined;
    opening = new Promise<void>((resolve) => {
      open = resolve;
    });
    const here = await joins('calico-01', 'a', 'workload-A');
    await joins('calico-02', 'e', 'workload-E', { network: 'net2' });
    await clock.settle();
    await new DockerEndpoints(client, 'calico-01').delete('a'.repeat(64));
    await joins('calico-01', 'b', 'workload-A', { network: 'net2', place: 'a' });
    await clock.settle();
    open();
    const ask = () => listening.get(here)?.resolve({ name: 'workload-e', type: TYPE.A } as never);
    await delivered(() => expect(ask()).toMatchObject({ by: 'us' }));
    expect(crowded).toEqual([]);
  });

  test('says of each container that it is not told names, for as long as it is not', async () => {
    broken.set(join(folder, 'a'), OLD).set(join(folder, 'b'), OLD);
    await joins('calico-01', 'a', 'workload-A');
    await joins('calico-01', 'b', 'workload-B');
    const told = () => conditions.shown().map(({ code, severity, text }) => `${severity} ${code}: ${text}`);
    const untold = (container: string) =>
      expect.stringMatching(`^warning docker-names: container "${container}" is not told .*: .*EOPNOTSUPP`) as unknown;
    await delivered(() => expect(told()).toEqual([untold('workload-A'), untold('workload-B')]));
    await joins('calico-01', 'c', 'workload-C');
    await delivered(() => expect(listening.size).toBe(1));
    expect(told()).toEqual([untold('workload-A'), untold('workload-B')]);
    await new DockerEndpoints(client, 'calico-01').delete('a'.repeat(64));
    await delivered(() => expect(told()).toEqual([untold('workload-B')]));
    broken.clear();
    await clock.advance(30_000);
    await delivered(() => expect(told()).toEqual([]));
  });

  test('says when the mount of a namespace is not seen, and listens when it is', async () => {
    broken.set(join(folder, 'a'), NO_NAMESPACE);
    await joins('calico-01', 'a', 'workload-A');
    await clock.advance(70_000);
    expect(conditions.shown()).toMatchObject([{ text: expect.stringContaining('/run:/run:rslave') as string }]);
    broken.clear();
    await clock.advance(30_000);
    await delivered(() => expect(listening.size).toBe(1));
    expect(conditions.shown()).toEqual([]);
  });
});
